// Reports: figures without identity, as JSON or CSV, live or of a replay.
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { TicketChannel } from '../domain/ticket/vocabulary.ts';
import { type AttainmentRow, slaAttainment, type TicketTables } from '../projections/tickets/queries.ts';
import { bankReportEntries, bankReports } from './bank-reports.ts';
import { campaignFunnelReport } from './campaign-report.ts';
import { customersByClassReport } from './classification-routes.ts';
import type { ReadModels } from './read-models.ts';
import { pageAnswer, type ReadRouteParts, readRoute } from './read-route.ts';
import { replayParameter } from './ticket-routes.ts';

const readers = ['management', 'operations', 'product', 'risk', 'auditor'] as const;

const Month = z.string().regex(/^\d{4}-(0[1-9]|1[0-2])$/, 'a month such as 2019-03');
const share = z.number().nullable().meta({ description: 'Met ÷ (met + breached); null where none was judged' });
const counts = {
  tickets: z.int(),
  open: z.int(),
  firstResponseMet: z.int(),
  firstResponseBreached: z.int(),
  firstResponseRunning: z.int(),
  firstResponseUnknown: z.int(),
  firstResponseAttainment: share,
  resolutionMet: z.int(),
  resolutionBreached: z.int(),
  resolutionRunning: z.int(),
  resolutionUnknown: z.int(),
  resolutionAttainment: share,
  verdictTimely: z.int(),
  verdictUntimely: z.int(),
  verdictNone: z.int(),
};
const AttainmentItem = z.strictObject({ product: z.string().nullable(), channel: z.string(), month: z.string(), ...counts });
type AttainmentItem = z.output<typeof AttainmentItem>;

/** What the list of reports tells of one. */
export interface ReportEntry {
  readonly name: string;
  readonly title: string;
  readonly definition: string;
}

const slaAttainmentReport = {
  name: 'sla-attainment',
  title: 'Deadlines kept, by product, channel and month of receipt',
  definition:
    'Met: answered by its due time. Breached: answered later, or not yet and past due. Running: not yet answered and not due. Unknown: the ticket was over before it came here, and nobody says when. Verdicts are the sources’ own.',
} as const satisfies ReportEntry;

/** With their figures those of own customers. */
const openToManagers: readonly ReportEntry[] = [...bankReportEntries, campaignFunnelReport, customersByClassReport];
const entries: readonly ReportEntry[] = [slaAttainmentReport, ...openToManagers];

export function reportRoutes(app: FastifyInstance, parts: ReadRouteParts & { readonly readModels: ReadModels }): void {
  readRoute(app, parts, {
    name: 'ListReports',
    summary: 'The reports there are',
    route: 'GET /v1/reports',
    roles: [...readers, 'rm'],
    answer: pageAnswer(z.strictObject({ name: z.string(), title: z.string(), definition: z.string() })),
    personal: false,
    read: async ({ actor }) => ({ items: [...(actor.role === 'rm' ? openToManagers : entries)], next: null }),
  });
  slaAttainmentRoute(app, parts);
  bankReports(app, parts);
}

function slaAttainmentRoute(app: FastifyInstance, parts: ReadRouteParts & { readonly readModels: ReadModels }): void {
  readRoute(app, parts, {
    name: 'SlaAttainment',
    summary: slaAttainmentReport.title,
    route: 'GET /v1/reports/sla-attainment',
    roles: readers,
    query: z.strictObject({
      product: z.string().min(1).max(200).optional(),
      channel: TicketChannel.optional(),
      fromMonth: Month.optional(),
      toMonth: Month.optional(),
      replay: replayParameter,
    }),
    answer: z.strictObject({ ...pageAnswer(AttainmentItem).shape, report: z.string(), definition: z.string(), totals: z.strictObject(counts) }),
    projections: ['tickets', 'customers'],
    personal: false,
    csv: (Object.keys(AttainmentItem.shape) as (keyof AttainmentItem)[]).map((header) => ({ header, value: (item: AttainmentItem) => item[header] })),
    read: async ({ query, actor }) => {
      const rows = await slaAttainment(await parts.readModels.of<TicketTables>(query.replay), actor, query);
      const { name: report, definition } = slaAttainmentReport;
      return { report, definition, items: rows.map(toItem), next: null, totals: totalsOf(rows) };
    },
  });
}

type Counted = Omit<AttainmentRow, 'product' | 'channel' | 'month'>;

function toItem({ product, channel, month, ...row }: AttainmentRow): AttainmentItem {
  return { product, channel, month, ...toCounts(row) };
}

function toCounts(row: Counted): Omit<AttainmentItem, 'product' | 'channel' | 'month'> {
  return {
    tickets: row.tickets,
    open: row.open,
    firstResponseMet: row.first_response_met,
    firstResponseBreached: row.first_response_breached,
    firstResponseRunning: row.first_response_running,
    firstResponseUnknown: row.first_response_unknown,
    firstResponseAttainment: attainment(row.first_response_met, row.first_response_breached),
    resolutionMet: row.resolution_met,
    resolutionBreached: row.resolution_breached,
    resolutionRunning: row.resolution_running,
    resolutionUnknown: row.resolution_unknown,
    resolutionAttainment: attainment(row.resolution_met, row.resolution_breached),
    verdictTimely: row.verdict_timely,
    verdictUntimely: row.verdict_untimely,
    verdictNone: row.verdict_none,
  };
}

function attainment(met: number, breached: number): number | null {
  return met + breached === 0 ? null : Math.round((met / (met + breached)) * 10_000) / 10_000;
}

function totalsOf(rows: readonly AttainmentRow[]): ReturnType<typeof toCounts> {
  const sum = (name: keyof Counted): number => rows.reduce((total, row) => total + row[name], 0);
  const names = Object.keys(rows[0] ?? none).filter((name) => !['product', 'channel', 'month'].includes(name)) as (keyof Counted)[];
  return toCounts(Object.fromEntries(names.map((name) => [name, sum(name)])) as unknown as Counted);
}

const none: Counted = {
  tickets: 0,
  open: 0,
  first_response_met: 0,
  first_response_breached: 0,
  first_response_running: 0,
  first_response_unknown: 0,
  resolution_met: 0,
  resolution_breached: 0,
  resolution_running: 0,
  resolution_unknown: 0,
  verdict_timely: 0,
  verdict_untimely: 0,
  verdict_none: 0,
};
