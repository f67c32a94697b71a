// The core-banking feed: customers, what they hold and what moves on it, in any order. A report is known again by its thing and its `at`,
// a transaction and its void by the transaction alone.
import type { AnyCommand } from '../commands/command.ts';
import { sourceIdOf } from '../commands/command-id.ts';
import {
  postTransaction,
  reportAccount,
  reportCard,
  reportLoan,
  reportOwnership,
  reportStandingOrder,
  voidTransaction,
} from '../commands/holding.ts';
import { type CoreCustomerParts, takeCustomerLine } from './core-banking-customers.ts';
import { CoreBankingLine, type HoldingLine } from './core-banking-lines.ts';
import { byCommand, type FeedKind } from './feed.ts';

interface RecordKind {
  readonly command: AnyCommand;
  /** The kind of thing that its source id names. */
  readonly names: string;
  /** Told once and for all, not from a time on. */
  readonly once?: true;
}

const recordKinds: Readonly<Record<HoldingLine['kind'], RecordKind>> = {
  account: { command: reportAccount, names: 'account' },
  ownership: { command: reportOwnership, names: 'ownership' },
  loan: { command: reportLoan, names: 'loan' },
  card: { command: reportCard, names: 'card' },
  'standing-order': { command: reportStandingOrder, names: 'order' },
  transaction: { command: postTransaction, names: 'transaction', once: true },
  void: { command: voidTransaction, names: 'transaction', once: true },
};

const takes = Object.fromEntries(Object.entries(recordKinds).map(([kind, record]) => [kind, takeBy(record)])) as Record<
  HoldingLine['kind'],
  FeedKind<HoldingLine>['take']
>;

/** @param customers what it takes to know whether a source's customer is one already here */
export function coreBankingFeed(customers: CoreCustomerParts): FeedKind<CoreBankingLine> {
  return {
    kind: 'core-banking',
    line: CoreBankingLine,
    source: ({ source }) => source,
    at: ({ at }) => ['at', at],
    take: (line, context) => (line.kind === 'customer' ? takeCustomerLine(line, context, customers) : takes[line.kind](line, context)),
  };
}

function takeBy({ command, names, once }: RecordKind): FeedKind<HoldingLine>['take'] {
  return byCommand(command, ({ kind, ...body }: HoldingLine) => {
    const { system, id } = body.source;
    return { params: { id: sourceIdOf(names, system, id) }, body, system, key: once ? `${kind}:${id}` : `${kind}:${id}@${body.at}` };
  });
}
