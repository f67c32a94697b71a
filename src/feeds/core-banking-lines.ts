// Lines of the core-banking feed, told apart by `kind`: docs/feeds.md has each one's fields.
import { z } from 'zod';
import { AccountRecord, CardRecord, LoanRecord, OwnershipRecord, StandingOrderRecord, TransactionRecord, VoidRecord } from '../commands/holding.ts';
import { CustomerLine } from './core-banking-customers.ts';

export const CoreBankingLine = z.discriminatedUnion(
  'kind',
  [
    CustomerLine,
    AccountRecord.extend({ kind: z.literal('account') }),
    OwnershipRecord.extend({ kind: z.literal('ownership') }),
    LoanRecord.extend({ kind: z.literal('loan') }),
    CardRecord.extend({ kind: z.literal('card') }),
    StandingOrderRecord.extend({ kind: z.literal('standing-order') }),
    TransactionRecord.extend({ kind: z.literal('transaction') }),
    VoidRecord.extend({ kind: z.literal('void') }),
  ],
  { error: ({ code }) => (code === 'invalid_union' ? `kind is one of ${kinds().join(', ')}` : undefined) },
);
export type CoreBankingLine = z.output<typeof CoreBankingLine>;
/** All but customers. */
export type HoldingLine = Exclude<CoreBankingLine, { kind: 'customer' }>;

function kinds(): readonly string[] {
  return CoreBankingLine.options.map(({ shape }) => shape.kind.value);
}
