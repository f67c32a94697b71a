// Campaigns over HTTP beside the commands that are routes by themselves: enrolling, at once or as a job, recording responses, and what
// can be read.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { AskedFilter, enrolCustomer, recordResponse, requestEnrolment } from '../commands/campaign.ts';
import type { AnyCommand } from '../commands/command.ts';
import type { CommandHandler, Outcome } from '../commands/handler.ts';
import { CampaignId, CustomerFilter, JobId } from '../domain/campaign/events.ts';
import { CampaignResponse, CampaignStatus } from '../domain/campaign/vocabulary.ts';
import { CustomerId } from '../domain/customer/events.ts';
import { KeyDestroyed } from '../journal/keyring.ts';
import type { CampaignRow } from '../projections/campaigns/campaigns.ts';
import { type CampaignTables, campaignOf, campaignsOf } from '../projections/campaigns/queries.ts';
import { customersWithin, type EnrolmentTables, emptyFunnel, enrolmentsIn, funnelsOf } from '../projections/enrolments/queries.ts';
import type { JobTables } from '../projections/jobs/jobs.ts';
import { campaignReport, funnelCounts } from './campaign-report.ts';
import { idempotencyKeyOf, problemOf, revisionIn } from './command-outcomes.ts';
import { pageParameters, type SortColumn } from './page.ts';
import { notFound } from './problems.ts';
import type { ReadModels } from './read-models.ts';
import { pageAnswer, readRoute } from './read-route.ts';
import { badHeader, correlationIdOf, purposeOf } from './request.ts';
import type { Api } from './server.ts';

export interface CampaignRouteParts {
  readonly handler: Pick<CommandHandler, 'execute'>;
  readonly readModels: ReadModels;
}

const readers = ['product', 'management', 'operations', 'rm', 'agent', 'risk', 'auditor'] as const;
const params = z.strictObject({ campaignId: CampaignId });

const CampaignItem = z.strictObject({
  id: z.string(),
  name: z.string(),
  from: z.string(),
  to: z.string(),
  audience: z.string().nullable(),
  status: CampaignStatus,
  plannedBy: z.string(),
  plannedAt: z.string(),
  startedAt: z.string().nullable(),
  closedAt: z.string().nullable(),
  revision: z.int().meta({ description: 'For `If-Match`, in quotes' }),
});

const EnrolmentItem = z.strictObject({
  id: z.string(),
  customer: z.string(),
  enrolledAt: z.string(),
  enrolledBy: z.string(),
  response: z.string().nullable().meta({ description: 'The last one' }),
  respondedAt: z.string().nullable(),
});

const JobAnswer = z.strictObject({
  id: z.string(),
  campaign: z.string(),
  filter: CustomerFilter,
  status: z.enum(['running', 'finished']),
  enrolled: z.int(),
  already: z.int().meta({ description: 'Enrolled before, otherwise than by this job' }),
  refused: z.int(),
  detail: z.string().nullable(),
  requestedBy: z.string(),
  requestedAt: z.string(),
  updatedAt: z.string(),
});

const EnrolBody = z
  .strictObject({
    customers: z
      .array(CustomerId)
      .min(1)
      .max(500)
      .refine(
        (customers) => new Set(customers.map((id) => id.toLowerCase())).size === customers.length,
        'names a customer twice: each must be there once',
      )
      .optional(),
    filter: AskedFilter.optional(),
  })
  .refine(({ customers, filter }) => (customers === undefined) !== (filter === undefined), {
    error: 'must have either `customers`, 1 to 500 ids, or `filter`, by which a job enrols all that match',
  });
const EnrolAnswer = z.strictObject({
  items: z.array(z.strictObject({ customer: z.string(), outcome: z.enum(['enrolled', 'already', 'refused']), detail: z.string().optional() })),
  enrolled: z.int(),
  already: z.int(),
  refused: z.int(),
});
const JobStarted = z.strictObject({ job: z.string(), href: z.string().meta({ description: 'Where its progress is told' }) });
const ResponseBody = z.strictObject({ customer: CustomerId, response: CampaignResponse });

const ascending = (column: string): SortColumn => ({ column, direction: 'asc' });
const descending = (column: string): SortColumn => ({ column, direction: 'desc' });
const sorts: Readonly<Record<string, readonly [SortColumn, ...SortColumn[]]>> = {
  from: [ascending('from_on'), ascending('id')],
  '-from': [descending('from_on'), descending('id')],
  name: [ascending('name'), ascending('id')],
  id: [ascending('id')],
};

export function campaignRoutes(app: FastifyInstance, api: Api, { handler, readModels }: CampaignRouteParts): void {
  app.route({
    method: 'POST',
    url: '/v1/campaigns/:campaignId/enrolments',
    schema: { params, body: EnrolBody },
    config: {
      roles: requestEnrolment.roles,
      openapi: {
        kind: 'plain',
        name: 'EnrolCustomers',
        summary: 'Enrol customers by their ids at once, or all that match by a job; `Idempotency-Key` makes it safe to repeat',
        params,
        body: { 'application/json': EnrolBody },
        answers: {
          200: { description: 'What became of each customer', content: { 'application/json': EnrolAnswer } },
          202: { description: 'A job does it', content: { 'application/json': JobStarted } },
        },
        commands: 'many',
        problems: [404, 409, 410, 413, 415, 422],
      },
    },
    handler: async (request, reply) => {
      const { customers, filter } = request.body as z.output<typeof EnrolBody>;
      const { campaignId } = request.params as z.output<typeof params>;
      if (request.headers['if-match'] !== undefined) throw badHeader('If-Match', 'is for one thing that is there: leave it out to enrol');
      return filter === undefined ? enrolList(request, reply, campaignId, customers ?? []) : requestJob(request, reply, campaignId, filter);
    },
  });

  app.route({
    method: 'POST',
    url: '/v1/campaigns/:campaignId/responses',
    schema: { params, body: ResponseBody },
    config: {
      roles: recordResponse.roles,
      openapi: {
        kind: 'plain',
        name: recordResponse.name,
        summary: `${recordResponse.summary}; \`Idempotency-Key\` makes it safe to repeat`,
        params,
        body: { 'application/json': ResponseBody },
        answers: {
          200: {
            description: 'It stands so',
            content: { 'application/json': z.strictObject({ id: z.string().meta({ description: 'Of the enrolment' }), revision: z.int() }) },
          },
        },
        commands: 'one',
        problems: [404, 409, 410, 412, 413, 415, 422],
      },
    },
    handler: async (request, reply) => {
      const { customer, response } = request.body as z.output<typeof ResponseBody>;
      const { campaignId } = request.params as z.output<typeof params>;
      const done = acceptedOf(recordResponse, await execute(request, recordResponse, { campaignId, customerId: customer }, { response }));
      reply.header('etag', `"${done.revision}"`);
      return answer(request, reply, done.position, { id: done.id, revision: done.revision });
    },
  });

  readRoute(app, api, {
    name: 'ListCampaigns',
    summary: 'List campaigns',
    route: 'GET /v1/campaigns',
    roles: readers,
    query: z.strictObject({
      ...pageParameters,
      status: CampaignStatus.optional(),
      q: z.string().min(1).max(200).optional().meta({ description: 'A part of the name' }),
      sort: z.enum(['from', '-from', 'name', 'id']).default('-from'),
    }),
    answer: pageAnswer(CampaignItem),
    projections: ['campaigns'],
    personal: false,
    read: async ({ query, page }) => {
      const db = await readModels.of<CampaignTables>(undefined);
      const found = await page({ query: campaignsOf(db, query), sort: sorts[query.sort] ?? [ascending('id')] });
      return { ...found, items: found.items.map(toItem) };
    },
  });

  readRoute(app, api, {
    name: 'GetCampaign',
    summary: 'One campaign, with how many are enrolled and what they answered',
    route: 'GET /v1/campaigns/{campaignId}',
    roles: readers,
    params,
    answer: z.strictObject({ ...CampaignItem.shape, funnel: z.strictObject(funnelCounts) }),
    projections: ['campaigns', 'enrolments', 'customers'],
    personal: false,
    read: async ({ params: { campaignId }, actor }) => {
      const db = await readModels.of<CampaignTables & EnrolmentTables>(undefined);
      const row = await campaignOf(db, campaignId);
      if (!row) throw notFound();
      const funnels = await funnelsOf(db, customersWithin(db, actor), campaignId);
      return { ...toItem(row), funnel: funnels.get(campaignId) ?? emptyFunnel };
    },
  });

  readRoute(app, api, {
    name: 'ListEnrolments',
    summary: 'Who is enrolled in a campaign, of the customers one may see',
    route: 'GET /v1/campaigns/{campaignId}/enrolments',
    // Product and management see figures and nobody's identity.
    roles: ['operations', 'rm', 'agent', 'risk', 'auditor'],
    params,
    query: z.strictObject({ ...pageParameters, response: CampaignResponse.optional() }),
    answer: pageAnswer(EnrolmentItem),
    projections: ['campaigns', 'enrolments', 'customers'],
    personal: true,
    read: async ({ params: { campaignId }, query, actor, page, record, denied }) => {
      const db = await readModels.of<CampaignTables & EnrolmentTables>(undefined);
      if (!(await campaignOf(db, campaignId))) throw await denied([campaignId]);
      const enrolments = enrolmentsIn(db, customersWithin(db, actor), { campaignId, response: query.response });
      const found = await page({ query: enrolments, sort: [ascending('id')] });
      await record({ ids: found.items.map(({ customer_id }) => customer_id), fields: ['customer', 'response'] });
      const items = found.items.map(({ id, customer_id, enrolled_at, enrolled_by, response, responded_at }) => ({
        id,
        customer: customer_id,
        enrolledAt: enrolled_at,
        enrolledBy: enrolled_by,
        response,
        respondedAt: responded_at,
      }));
      return { ...found, items };
    },
  });

  readRoute(app, api, {
    name: 'GetJob',
    summary: 'How far an enrolment job is',
    route: 'GET /v1/jobs/{jobId}',
    roles: ['rm', 'operations', 'auditor'],
    params: z.strictObject({ jobId: JobId }),
    answer: JobAnswer,
    projections: ['jobs'],
    personal: false,
    read: async ({ params: { jobId }, actor, denied }) => {
      const db = await readModels.of<JobTables>(undefined);
      const row = await db.selectFrom('jobs').selectAll().where('id', '=', jobId).executeTakeFirst();
      if (!row || (actor.role === 'rm' && row.requested_by !== actor.subject)) throw await denied([jobId]);
      const { id, enrolled, already, refused, detail } = row;
      return {
        id,
        campaign: row.campaign_id,
        filter: CustomerFilter.parse(JSON.parse(row.filter)),
        status: row.status === 'finished' ? ('finished' as const) : ('running' as const),
        enrolled,
        already,
        refused,
        detail,
        requestedBy: row.requested_by,
        requestedAt: row.requested_at,
        updatedAt: row.updated_at,
      };
    },
  });

  campaignReport(app, { ...api, readModels });

  async function enrolList(request: FastifyRequest, reply: FastifyReply, campaignId: string, customers: readonly string[]): Promise<FastifyReply> {
    // Side by side: they share the journal's commits.
    const outcomes = await Promise.all(customers.map((customerId) => enrolOne(request, campaignId, customerId)));
    const accepted = outcomes.filter((outcome) => outcome.kind === 'accepted');
    const ofCampaign = outcomes.find((outcome) => outcome.kind === 'refused' && outcome.rejection.rejected.startsWith('Campaign'));
    // The campaign's own refusal is the whole answer, unless it was closed while some were still enrolled.
    if (ofCampaign && accepted.length === 0) acceptedOf(enrolCustomer, ofCampaign);
    const items = outcomes.map((outcome, index) => ({ customer: customers[index] ?? '', ...itemOf(outcome) }));
    const count = (wanted: string): number => items.filter(({ outcome }) => outcome === wanted).length;
    const position = Math.max(0, ...accepted.map((outcome) => outcome.position));
    return answer(request, reply, position, { items, enrolled: count('enrolled'), already: count('already'), refused: count('refused') });
  }

  async function enrolOne(request: FastifyRequest, campaignId: string, customerId: string): Promise<Outcome> {
    try {
      return await execute(request, enrolCustomer, { campaignId, customerId }, {});
    } catch (error) {
      if (!(error instanceof KeyDestroyed)) throw error;
      return { kind: 'not-found' };
    }
  }

  async function requestJob(request: FastifyRequest, reply: FastifyReply, campaignId: string, filter: CustomerFilter): Promise<FastifyReply> {
    const outcome = await execute(request, requestEnrolment, {}, { campaign: campaignId, filter });
    const { id, position } = acceptedOf(requestEnrolment, outcome);
    const href = `/v1/jobs/${id}`;
    reply.code(202).header('location', href);
    return answer(request, reply, position, { job: id, href });
  }

  function execute(request: FastifyRequest, command: AnyCommand, target: unknown, body: unknown): Promise<Outcome> {
    const ifMatch = request.headers['if-match'];
    return handler.execute(command, {
      params: target,
      body,
      actor: request.actor,
      channel: 'rest',
      purpose: purposeOf(request.headers),
      correlationId: correlationIdOf(request.headers, request.id),
      key: idempotencyKeyOf(request.headers),
      expectedRevision: ifMatch === undefined ? undefined : revisionIn(ifMatch, false),
    });
  }

  function answer(request: FastifyRequest, reply: FastifyReply, position: number, body: unknown): FastifyReply {
    reply.header('cache-control', 'no-store');
    if (position > 0) reply.header('shiji-position', api.positions.seal(position, request.actor));
    return reply.type('application/json; charset=utf-8').send(JSON.stringify(body));
  }
}

function itemOf(outcome: Outcome): { outcome: 'enrolled' | 'already' | 'refused'; detail?: string } {
  if (outcome.kind === 'accepted') return { outcome: outcome.events > 0 ? 'enrolled' : 'already' };
  return { outcome: 'refused', ...(outcome.kind === 'refused' ? { detail: outcome.rejection.detail } : {}) };
}

function toItem({ id, name, audience, status, revision, ...row }: CampaignRow): z.output<typeof CampaignItem> {
  return {
    id,
    name,
    from: row.from_on,
    to: row.to_on,
    audience,
    status: CampaignStatus.parse(status),
    plannedBy: row.planned_by,
    plannedAt: row.planned_at,
    startedAt: row.started_at,
    closedAt: row.closed_at,
    revision,
  };
}

/** @throws Problem where it was not accepted */
function acceptedOf(command: AnyCommand, outcome: Outcome): Extract<Outcome, { kind: 'accepted' }> {
  if (outcome.kind !== 'accepted') throw problemOf(command, outcome);
  return outcome;
}
