// Reports of the bank's customers and what they hold: counts and sums without identity, as JSON or CSV, live or of a replay. A
// relationship manager's figures are of own customers and what these own; a scope of one branch, of that branch alone.
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { type BranchRow, type CustomerTables, customersByBranch } from '../projections/customers/queries.ts';
import { balancesByMonth, type FigureTables, holdingsSummary, MOST_MONTHS, type SummaryRow } from '../projections/holdings/figures.ts';
import type { CsvColumn } from './csv.ts';
import type { ReadModels } from './read-models.ts';
import { pageAnswer, type ReadRouteParts, readRoute } from './read-route.ts';
import { replayParameter } from './ticket-routes.ts';

const readers = ['management', 'operations', 'product', 'risk', 'auditor', 'rm'] as const;

const byBranch = {
  name: 'customers-by-branch',
  title: 'Customers and prospects, by branch',
  definition:
    'Customers: parties that a core system has as its customer. Prospects: those entered here alone. Persons, organisations and incomplete (no name) count both. Branch: a core system’s, or else the one that staff gave; null for none. A relationship manager’s figures are those of own customers; in a branch’s scope they are that branch’s.',
} as const;

const summary = {
  name: 'holdings-summary',
  title: 'Accounts, owners, loans, cards and standing orders as last reported, and transactions',
  definition:
    'Each thing once, as its newest report has it; ownerships that ended and void transactions are left out. Amount: of loans what was lent, of standing orders what is paid each time. Status null: the source does not say. A relationship manager’s figures are of accounts that own customers own; in a branch’s scope they are of that branch’s accounts.',
} as const;

const balances = {
  name: 'balances-by-month',
  title: 'Balances at the end of each month, by currency',
  definition: `Balance: the sum over accounts of the last balance told by the month’s end, by a transaction or, before the first one, by what the account came with, and what transactions that tell none moved since; void transactions, and those in another currency than the account’s, are left out. A joint account counts once. Accounts: open by then. Known: those of which any balance is known; an account without one is unknown, not 0. Older: those whose balance is from an earlier month. Months: from the first transaction to the last, at most ${MOST_MONTHS}. A relationship manager’s figures are of accounts that own customers own; in a branch’s scope they are of that branch’s accounts.`,
} as const;

/** As the list of reports tells them. */
export const bankReportEntries = [byBranch, summary, balances] as const;

const branchCounts = { customers: z.int(), prospects: z.int(), persons: z.int(), organisations: z.int(), incomplete: z.int() };
const BranchItem = z.strictObject({ branch: z.string().nullable(), ...branchCounts });

const amount = z.union([z.int(), z.string()]).meta({ description: 'Minor units; a string where the sum is past 2^53' });
const Money = z.strictObject({ amount, currency: z.string() });
type Money = z.output<typeof Money>;

const kinds = ['account', 'ownership', 'loan', 'card', 'order', 'transaction'] as const;

const SummaryItem = z.strictObject({
  kind: z.enum(kinds),
  role: z.string().nullable().meta({ description: 'Of ownerships' }),
  product: z.string().nullable().meta({ description: 'Of cards' }),
  status: z.string().nullable(),
  sourceStatus: z.string().nullable().meta({ description: 'The source’s own code' }),
  currency: z.string().nullable(),
  count: z.int(),
  amount: Money.nullable().meta({ description: 'Of loans and standing orders' }),
});
type SummaryItem = z.output<typeof SummaryItem>;

const Month = z.string().regex(/^(19|20|21)\d\d-(0[1-9]|1[0-2])$/, 'a month such as 2019-03');
const BalanceItem = z.strictObject({
  month: z.string(),
  balance: Money.nullable().meta({ description: 'Null where no balance is known' }),
  currency: z.string(),
  accounts: z.int().meta({ description: 'Open by then' }),
  known: z.int(),
  older: z.int().meta({ description: 'Of those known' }),
});
type BalanceItem = z.output<typeof BalanceItem>;

type Parts = ReadRouteParts & { readonly readModels: ReadModels };

export function bankReports(app: FastifyInstance, parts: Parts): void {
  customersByBranchRoute(app, parts);
  holdingsSummaryRoute(app, parts);
  balancesByMonthRoute(app, parts);
}

function customersByBranchRoute(app: FastifyInstance, parts: Parts): void {
  readRoute(app, parts, {
    name: 'CustomersByBranch',
    summary: byBranch.title,
    route: 'GET /v1/reports/customers-by-branch',
    roles: readers,
    query: z.strictObject({ replay: replayParameter }),
    answer: reportAnswer(BranchItem, { totals: z.strictObject(branchCounts) }),
    projections: ['customers'],
    personal: false,
    csv: columnsOf<BranchRow>(['branch', 'customers', 'prospects', 'persons', 'organisations', 'incomplete']),
    read: async ({ query, actor }) => {
      const items = await customersByBranch(await parts.readModels.of<CustomerTables>(query.replay), actor);
      const sum = (name: keyof typeof branchCounts): number => items.reduce((total, item) => total + item[name], 0);
      const totals = {
        customers: sum('customers'),
        prospects: sum('prospects'),
        persons: sum('persons'),
        organisations: sum('organisations'),
        incomplete: sum('incomplete'),
      };
      return { report: byBranch.name, definition: byBranch.definition, items, next: null, totals };
    },
  });
}

function holdingsSummaryRoute(app: FastifyInstance, parts: Parts): void {
  readRoute(app, parts, {
    name: 'HoldingsSummary',
    summary: summary.title,
    route: 'GET /v1/reports/holdings-summary',
    roles: readers,
    query: z.strictObject({ replay: replayParameter }),
    answer: reportAnswer(SummaryItem, {
      totals: z
        .strictObject({ account: z.int(), ownership: z.int(), loan: z.int(), card: z.int(), order: z.int(), transaction: z.int() })
        .meta({ description: 'How many of each kind in all' }),
      loans: z.array(Money).meta({ description: 'What was lent in all, by currency' }),
    }),
    projections: ['customers', 'holdings', 'transactions'],
    personal: false,
    csv: [
      ...columnsOf<SummaryItem>(['kind', 'role', 'product', 'status', 'sourceStatus', 'currency', 'count']),
      { header: 'amount', value: (item: SummaryItem) => item.amount?.amount },
    ],
    read: async ({ query, actor }) => {
      const rows = await holdingsSummary(await parts.readModels.of<FigureTables>(query.replay), actor);
      const items = rows.map(
        (row): SummaryItem => ({
          kind: SummaryItem.shape.kind.parse(row.kind),
          role: row.role,
          product: row.card_product,
          status: row.status,
          sourceStatus: row.source_status,
          currency: row.currency,
          count: row.count,
          amount: moneyOf(row.amount, row.currency),
        }),
      );
      const count = (kind: string): number => items.reduce((total, item) => (item.kind === kind ? total + item.count : total), 0);
      const totals = Object.fromEntries(kinds.map((kind) => [kind, count(kind)])) as Record<(typeof kinds)[number], number>;
      return { report: summary.name, definition: summary.definition, items, next: null, totals, loans: lentIn(rows) };
    },
  });
}

/** By currency; sums may be past 2^53. */
function lentIn(rows: readonly SummaryRow[]): Money[] {
  const sums = new Map<string, bigint>();
  for (const { kind, currency, amount } of rows)
    if (kind === 'loan' && currency !== null) sums.set(currency, (sums.get(currency) ?? 0n) + BigInt(amount ?? 0));
  return [...sums].map(([currency, sum]) => moneyOf(String(sum), currency)).filter((money) => money !== null);
}

function balancesByMonthRoute(app: FastifyInstance, parts: Parts): void {
  readRoute(app, parts, {
    name: 'BalancesByMonth',
    summary: balances.title,
    route: 'GET /v1/reports/balances-by-month',
    roles: readers,
    query: z
      .strictObject({
        from: Month.optional().meta({ description: 'The first month; that of the first transaction where absent' }),
        to: Month.optional().meta({ description: 'The last month; that of the last transaction where absent' }),
        replay: replayParameter,
      })
      .refine(({ from, to }) => from === undefined || to === undefined || from <= to, { path: ['to'], message: 'no earlier than `from`' }),
    answer: reportAnswer(BalanceItem, {}),
    projections: ['customers', 'holdings', 'transactions'],
    personal: false,
    csv: [
      { header: 'month', value: (item: BalanceItem) => item.month },
      { header: 'balance', value: (item: BalanceItem) => item.balance?.amount },
      ...columnsOf<BalanceItem>(['currency', 'accounts', 'known', 'older']),
    ],
    read: async ({ query, actor }) => {
      const rows = await balancesByMonth(await parts.readModels.of<FigureTables>(query.replay), actor, query);
      const items = rows.map(({ balance, ...row }): BalanceItem => ({ ...row, balance: moneyOf(balance, row.currency) }));
      return { report: balances.name, definition: balances.definition, items, next: null };
    },
  });
}

function reportAnswer<Item extends z.ZodType, More extends z.ZodRawShape>(item: Item, more: More) {
  return z.strictObject({ ...pageAnswer(item).shape, report: z.string(), definition: z.string(), ...more });
}

function columnsOf<Item>(headers: readonly (keyof Item & string)[]): CsvColumn<Item>[] {
  return headers.map((header) => ({ header, value: (item) => item[header] as string | number | null }));
}

/** Of a sum as Postgres writes it. */
function moneyOf(text: string | null, currency: string | null): Money | null {
  if (text === null || currency === null) return null;
  const units = Number(text);
  return { amount: Number.isSafeInteger(units) ? units : text, currency };
}
