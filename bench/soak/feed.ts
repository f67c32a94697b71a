// Core banking's part of the day: some transactions a request, each account's balance going on from where the bank that was brought left it.
import { type BankSpec, CURRENCY, counterparty, told } from '../support/bank-spec.ts';
import type { Draw } from '../support/draw.ts';
import type { Step } from './day.ts';

const LINES = 10;

export class FeedOfTheDay {
  readonly #spec: BankSpec;
  readonly #draw: Draw;
  readonly #balances: Map<string, number>;
  #number: number;
  lines = 0;

  /** @param balances of the accounts by their number, in minor units */
  constructor(spec: BankSpec, draw: Draw, balances: ReadonlyMap<string, number>) {
    this.#spec = spec;
    this.#draw = draw;
    this.#balances = new Map(balances);
    this.#number = spec.transactions;
  }

  next(): Step {
    const lines = Array.from({ length: LINES }, () => JSON.stringify(this.#transaction()));
    return {
      kind: 'feed of 10 lines',
      method: 'POST',
      path: '/v1/feeds/core-banking',
      role: 'integration',
      body: `${lines.join('\n')}\n`,
      done: ({ text }) => {
        const { created, repeated, rejected } = JSON.parse(text) as Record<string, number>;
        // Repeated where the answer to the first try was lost.
        if (rejected !== 0 || (created ?? 0) + (repeated ?? 0) !== LINES) return 'a line was not taken';
        this.lines += LINES;
        return undefined;
      },
    };
  }

  #transaction(): object {
    const { accounts, until } = this.#spec;
    this.#number += 1;
    const account = String(this.#draw.below(accounts) + 1);
    const before = this.#balances.get(account) ?? 0;
    const amount = this.#draw.below(500_000) + 1;
    const direction = before < amount ? 'credit' : 'debit';
    const balance = direction === 'credit' ? before + amount : before - amount;
    this.#balances.set(account, balance);
    return {
      kind: 'transaction',
      ...told(this.#spec, String(this.#number), until),
      account,
      currency: CURRENCY,
      direction,
      amount,
      balance,
      operation: 'transfer',
      counterparty: counterparty(this.#draw),
    };
  }
}
