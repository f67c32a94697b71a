// The bank of the rows about one customer's view: two thousand customers, sixty transactions each, up to yesterday.
import type { BankSpec } from './bank-spec.ts';

const TRANSACTIONS_A_CUSTOMER = 60;
/** Of both the bank and the busy account. */
const SEED = 20260406;
/** With its mandates a bank of 1,676 accounts has 2,000 customers. */
const ACCOUNTS = 1_676;
const CUSTOMERS = 2_000;

/** A tenth of it where it is to be quick. */
export function viewBank(quick: boolean): BankSpec {
  const share = quick ? 10 : 1;
  return {
    seed: SEED,
    system: 'bank',
    accounts: Math.round(ACCOUNTS / share),
    transactions: (CUSTOMERS * TRANSACTIONS_A_CUSTOMER) / share,
    until: yesterday(),
    named: true,
  };
}

/** One customer whose account has very many transactions. */
export function busyBank(transactions: number): BankSpec {
  return { seed: SEED + 1, system: 'busy', accounts: 1, transactions, until: yesterday(), named: true };
}

/** In the bank's zone. */
export function yesterday(): string {
  return Temporal.Now.plainDateISO('Asia/Shanghai').subtract({ days: 1 }).toString();
}
