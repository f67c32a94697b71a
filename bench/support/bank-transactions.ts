// What moves on a generated bank's accounts, along its days: as often this or that as at the PKDD'99 bank, balances with it.
import { type BankSpec, CURRENCY, counterparty, DAYS, dayBefore, type FeedRecord, openBy, told } from './bank-spec.ts';
import { type Draw, Weighted } from './draw.ts';

interface Movement {
  readonly direction: 'credit' | 'debit';
  readonly operation?: string;
  readonly category?: string;
  readonly counterparty?: true;
  /** Most, in yuan. */
  readonly upTo: number;
}

/** How often what moves: about so many of a thousand transactions of the original. */
const movements = new Weighted<Movement>([
  [{ direction: 'debit', operation: 'cash', upTo: 6_000 }, 411],
  [{ direction: 'debit', operation: 'transfer', counterparty: true, category: 'household', upTo: 5_000 }, 112],
  [{ direction: 'debit', operation: 'transfer', counterparty: true, upTo: 4_000 }, 85],
  [{ direction: 'credit', category: 'interest', upTo: 60 }, 173],
  [{ direction: 'credit', operation: 'cash', upTo: 24_000 }, 149],
  [{ direction: 'credit', operation: 'transfer', counterparty: true, category: 'pension', upTo: 12_000 }, 29],
  [{ direction: 'credit', operation: 'transfer', counterparty: true, upTo: 30_000 }, 33],
  [{ direction: 'debit', operation: 'card', upTo: 3_000 }, 8],
]);

export function* transactionRecords(spec: BankSpec, draw: Draw): Generator<FeedRecord> {
  const { accounts, transactions } = spec;
  const balances = new Float64Array(accounts);
  for (let number = 1; number <= transactions; number += 1) {
    const day = Math.floor(((number - 1) * DAYS) / transactions);
    const account = draw.below(openBy(day, accounts)) + 1;
    const movement = movements.draw(draw);
    const amount = draw.below(movement.upTo * 100) + 1;
    const before = balances[account - 1] as number;
    // Whoever has too little pays in first.
    const {
      direction,
      upTo: _,
      counterparty: hasCounterparty,
      ...words
    } = movement.direction === 'debit' && before < amount ? ({ direction: 'credit', operation: 'cash', upTo: 0 } as Movement) : movement;
    const balance = direction === 'credit' ? before + amount : before - amount;
    balances[account - 1] = balance;
    yield {
      kind: 'transaction',
      ...told(spec, String(number), dayBefore(spec.until, DAYS - 1 - day)),
      account: String(account),
      currency: CURRENCY,
      direction,
      amount,
      balance,
      ...words,
      ...(hasCounterparty === true ? { counterparty: counterparty(draw) } : {}),
    };
  }
}
