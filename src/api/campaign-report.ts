// The report of campaigns: how many are enrolled and what they answered, live or of a replay.
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { CampaignStatus } from '../domain/campaign/vocabulary.ts';
import { type CampaignTables, campaignsOf } from '../projections/campaigns/queries.ts';
import { customersWithin, type EnrolmentTables, emptyFunnel, type Funnel, funnelsOf } from '../projections/enrolments/queries.ts';
import type { ReadModels } from './read-models.ts';
import { pageAnswer, type ReadRouteParts, readRoute } from './read-route.ts';
import { replayParameter } from './ticket-routes.ts';

/** As the list of reports tells it. */
export const campaignFunnelReport = {
  name: 'campaign-funnel',
  title: 'Campaigns: how many are enrolled, and what they answered',
  definition: [
    'Enrolled: customers in the campaign. Responded: those of them with any response; the last one of each counts.',
    'Response rate: responded ÷ enrolled. 响应率 as responded ÷ delivered is as high where everyone was reached, and higher where not:',
    'deliveries and conversions are not kept, so neither 触达率 nor 转化率 is told.',
    'A relationship manager’s figures are those of own customers.',
  ].join(' '),
} as const;

export const funnelCounts = {
  enrolled: z.int(),
  responded: z.int().meta({ description: 'With any response' }),
  byResponse: z.record(z.string(), z.int()).meta({ description: 'How many have each as their last response' }),
};

const rate = z.number().nullable().meta({ description: 'Responded ÷ enrolled; null where nobody is enrolled' });
const FunnelItem = z.strictObject({
  campaign: z.string(),
  name: z.string(),
  status: CampaignStatus,
  from: z.string(),
  to: z.string(),
  ...funnelCounts,
  responseRate: rate,
});
type FunnelItem = z.output<typeof FunnelItem>;

export function campaignReport(app: FastifyInstance, parts: ReadRouteParts & { readonly readModels: ReadModels }): void {
  const { readModels } = parts;
  readRoute(app, parts, {
    name: 'CampaignFunnel',
    summary: campaignFunnelReport.title,
    route: 'GET /v1/reports/campaign-funnel',
    roles: ['management', 'operations', 'product', 'risk', 'auditor', 'rm'],
    query: z.strictObject({ status: CampaignStatus.optional(), replay: replayParameter }),
    answer: z.strictObject({
      ...pageAnswer(FunnelItem).shape,
      report: z.string(),
      definition: z.string(),
      totals: z.strictObject({ enrolled: z.int(), responded: z.int(), responseRate: rate }),
    }),
    projections: ['campaigns', 'enrolments', 'customers'],
    personal: false,
    csv: [
      ...(['campaign', 'name', 'status', 'from', 'to', 'enrolled', 'responded', 'responseRate'] as const).map((header) => ({
        header,
        value: (item: FunnelItem) => item[header],
      })),
      {
        header: 'responses',
        value: ({ byResponse }) =>
          Object.entries(byResponse)
            .map(([response, n]) => `${response} ${n}`)
            .join('; '),
      },
    ],
    read: async ({ query, actor }) => {
      const db = await readModels.of<CampaignTables & EnrolmentTables>(query.replay);
      const within = customersWithin(await readModels.of<EnrolmentTables>(undefined), actor);
      const [campaigns, funnels] = await Promise.all([
        campaignsOf(db, { status: query.status }).orderBy('from_on').orderBy('id').execute(),
        funnelsOf(db, within),
      ]);
      const items = campaigns.map(({ id, name, status, from_on, to_on }): FunnelItem => {
        const funnel = funnels.get(id) ?? emptyFunnel;
        return { campaign: id, name, status: CampaignStatus.parse(status), from: from_on, to: to_on, ...funnel, responseRate: rateOf(funnel) };
      });
      const { name: report, definition } = campaignFunnelReport;
      return { report, definition, items, next: null, totals: totalsOf(items) };
    },
  });
}

function totalsOf(items: readonly FunnelItem[]) {
  const sum = (name: 'enrolled' | 'responded'): number => items.reduce((total, item) => total + item[name], 0);
  const totals = { enrolled: sum('enrolled'), responded: sum('responded') };
  return { ...totals, responseRate: rateOf(totals) };
}

function rateOf({ enrolled, responded }: Pick<Funnel, 'enrolled' | 'responded'>): number | null {
  return enrolled === 0 ? null : Math.round((responded / enrolled) * 10_000) / 10_000;
}
