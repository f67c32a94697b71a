// Approvals over HTTP: what waits and for whom, one with what it would change, deciding on it, and the policy that says what waits. What is
// granted is carried out in the same request; where that breaks off, by a worker (processes/approvals.ts).
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Pool } from 'pg';
import { z } from 'zod';
import { grantApproval, rejectApproval, withdrawApproval } from '../commands/approval.ts';
import type { AnyCommand } from '../commands/command.ts';
import { registerCustomer } from '../commands/customer.ts';
import { actorOf, type FourEyes } from '../commands/four-eyes.ts';
import type { CommandHandler, Outcome } from '../commands/handler.ts';
import { approvalVisibleTo } from '../domain/approval/approval.ts';
import { ApprovalId, type ApprovalRequested, ApprovalRule, type PolicyFact } from '../domain/approval/events.ts';
import { approvalPolicy } from '../domain/approval/policy.ts';
import { CustomerId } from '../domain/customer/events.ts';
import type { Actor, FactOf, RecordedEvent } from '../domain/kernel/event.ts';
import { KeyDestroyed } from '../journal/keyring.ts';
import { type ApprovalRow, approvals } from '../projections/approvals/approvals.ts';
import { type ApprovalTables, approvalsSeenBy } from '../projections/approvals/queries.ts';
import type { SearchTokens } from '../projections/engine/search-tokens.ts';
import { ApprovalItem, ApprovalStatus, approvalsShown, CarriedOutAt, failureFor } from './approval-view.ts';
import { idempotencyKeyOf, problemOf, revisionIn } from './command-outcomes.ts';
import { CustomerAccess } from './customer-access.ts';
import { pageParameters, type SortColumn } from './page.ts';
import { notFound, Problem } from './problems.ts';
import type { ReadModels } from './read-models.ts';
import { pageAnswer, readRoute } from './read-route.ts';
import { correlationIdOf, purposeOf } from './request.ts';
import type { Api } from './server.ts';
import { SimilarAtEntry } from './similar-at-entry.ts';

export interface ApprovalRouteParts {
  readonly pool: Pool;
  readonly handler: Pick<CommandHandler, 'execute'>;
  readonly fourEyes: Pick<FourEyes, 'carryOut'>;
  readonly readModels: ReadModels;
  readonly searchTokens: SearchTokens;
}

const readers = ['rm', 'teller', 'agent', 'product', 'risk', 'operations', 'management', 'auditor'] as const;
const params = z.strictObject({ approvalId: ApprovalId });

const Decided = z.strictObject({
  id: z.string(),
  revision: z.int().meta({ description: 'Where its stream stands; `ETag` says the same' }),
  state: ApprovalStatus.meta({ description: '`granted` where it is still being carried out' }),
  failure: z.string().nullable().meta({ description: 'Why what was granted could not be carried out' }),
  carriedOut: CarriedOutAt.nullable(),
});

const PolicyItem = z.strictObject({
  version: z.int().meta({ description: '0 is built in' }),
  rules: z.array(ApprovalRule),
  by: z.string().nullable(),
  at: z.string().nullable(),
});

const newestFirst: readonly [SortColumn, ...SortColumn[]] = [
  { column: 'requested_at', direction: 'desc' },
  { column: 'id', direction: 'desc' },
];

export function approvalRoutes(app: FastifyInstance, api: Api, { pool, handler, fourEyes, readModels, searchTokens }: ApprovalRouteParts): void {
  const { journal, codec, opener, log } = api;
  const access = new CustomerAccess(pool);
  const similar = new SimilarAtEntry({ ...api, pool, handler, searchTokens });
  app.addHook('onClose', () => similar.rest());
  const nowText = (): string => new Date(api.now()).toISOString();

  decisionRoute(grantApproval, 'approve');
  decisionRoute(rejectApproval, 'reject');
  decisionRoute(withdrawApproval, 'withdraw');

  readRoute(app, api, {
    name: 'ListApprovals',
    summary: 'What waits for approval or was decided, newest first: to me, mine, or overdue',
    route: 'GET /v1/approvals',
    roles: readers,
    query: z.strictObject({
      ...pageParameters,
      for: z
        .enum(['me', 'mine', 'overdue'])
        .optional()
        .meta({ description: '`me`: waits for one like you; `mine`: you asked for it; `overdue`: of either, what waits beyond its due time' }),
      state: ApprovalStatus.optional(),
      customer: CustomerId.optional(),
    }),
    answer: pageAnswer(ApprovalItem),
    // Customers as well: of whom is no more theirs a relationship manager sees no proposal either.
    projections: ['approvals', 'customers'],
    personal: true,
    read: async ({ query, actor, page, record }) => {
      const db = await readModels.of<ApprovalTables>(undefined);
      const now = nowText();
      const found = await page({ query: approvalsSeenBy(db, actor, { ...query, now }), sort: newestFirst });
      const { items, plain } = await approvalsShown(found.items, opener, { actor, now, inList: true });
      await record({ ids: found.items.flatMap(subjectsOf), fields: plain });
      return { ...found, items };
    },
  });

  readRoute(app, api, {
    name: 'GetApproval',
    summary: 'One approval, with what it would change: plain for who may decide on it, masked for others',
    route: 'GET /v1/approvals/{approvalId}',
    roles: readers,
    params,
    answer: ApprovalItem,
    projections: ['customers'],
    personal: true,
    read: async ({ params: { approvalId }, actor, record, denied, etag }) => {
      const row = await rowOf(approvalId);
      if (!row || !(await sees(row, actor))) throw await denied([approvalId]);
      const { items, plain } = await approvalsShown([row], opener, { actor, now: nowText(), inList: false });
      await record({ ids: subjectsOf(row), fields: plain });
      etag(row.revision);
      return items[0] as ApprovalItem;
    },
  });

  readRoute(app, api, {
    name: 'ListApprovalPolicies',
    summary: 'Which commands wait for approval, by every version of the policy, newest first: the first one holds',
    route: 'GET /v1/approval-policies',
    roles: readers,
    answer: pageAnswer(PolicyItem),
    personal: false,
    read: async () => {
      const events = await eventsOf('policy-approval');
      const published = (events as (RecordedEvent & PolicyFact)[]).map(({ data: { version, rules }, actor, recordedAt }) => {
        return { version, rules, by: actor.subject, at: recordedAt };
      });
      return { items: [...published.reverse(), { version: 0, rules: [...approvalPolicy.initialState.rules], by: null, at: null }], next: null };
    },
  });

  function decisionRoute(command: AnyCommand, verb: string): void {
    app.route({
      method: 'POST',
      url: `/v1/approvals/:approvalId/${verb}`,
      schema: { params, body: command.body },
      config: {
        roles: command.roles,
        openapi: {
          kind: 'plain',
          name: command.name,
          summary: `${command.summary}; \`Idempotency-Key\` makes it safe to repeat`,
          params,
          body: { 'application/json': command.body },
          answers: { 200: { description: 'How it stands now', content: { 'application/json': Decided } } },
          commands: 'one',
          problems: [404, 409, 410, 412, 413, 415, 422],
        },
      },
      handler: (request, reply) => decide(command, request, reply),
    });
  }

  async function decide(command: AnyCommand, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const { approvalId } = request.params as z.output<typeof params>;
    const { actor, headers } = request;
    if (actor.role === 'rm') {
      const row = await rowOf(approvalId);
      if (!row || !(await sees(row, actor))) throw notFound();
    }
    const ifMatch = headers['if-match'];
    const outcome = await handler.execute(command, {
      params: { approvalId },
      body: request.body,
      actor,
      channel: 'rest',
      purpose: purposeOf(headers),
      correlationId: correlationIdOf(headers, request.id),
      key: idempotencyKeyOf(headers),
      expectedRevision: ifMatch === undefined ? undefined : revisionIn(ifMatch, false),
    });
    const { position } = acceptedOf(command, outcome);
    const done = command === grantApproval ? await carriedOut(approvalId) : undefined;
    const row = await rowOf(approvalId);
    if (!row) throw new Problem('InternalError');
    reply.header('cache-control', 'no-store').header('etag', `"${row.revision}"`);
    reply.header('shiji-position', api.positions.seal(Math.max(position, done?.position ?? 0), actor));
    const { state, failure, done_stream, done_revision, revision } = row;
    if (done && done_stream !== null && row.command === registerCustomer.name)
      await lookForSame(approvalId, { id: done_stream.slice('customer-'.length), position: done.position });
    const answer: z.output<typeof Decided> = {
      ...{ id: approvalId, revision, state: ApprovalStatus.parse(state), failure: failureFor(failure, actor) },
      carriedOut: done_stream === null ? null : { stream: done_stream, revision: done_revision ?? 0 },
    };
    return reply.type('application/json; charset=utf-8').send(JSON.stringify(answer));
  }

  /** The grant stands whatever happens here: the worker does what this could not. */
  async function carriedOut(approvalId: string) {
    try {
      return await fourEyes.carryOut(approvalId);
    } catch (error) {
      if (error instanceof KeyDestroyed) throw error;
      log.warn({ err: error, approval: approvalId }, 'what was granted could not be carried out and will be tried again');
      return undefined;
    }
  }

  /** Whoever is like a customer who is one only now. */
  async function lookForSame(approvalId: string, registered: { readonly id: string; readonly position: number }): Promise<void> {
    const [requested] = await eventsOf(`approval-${approvalId}`);
    if (!requested) return;
    const { body, maker } = requested.data as FactOf<readonly [typeof ApprovalRequested]>['data'];
    const text = await opener.open(body);
    if (typeof text !== 'string') return;
    similar.afterApproval({ body: JSON.parse(text), actor: actorOf(maker), correlationId: requested.correlationId }, registered);
  }

  async function sees(row: ApprovalRow, actor: Actor): Promise<boolean> {
    const maker = { subject: row.maker, role: row.maker_role };
    if (!approvalVisibleTo({ maker }, actor)) return false;
    return actor.role !== 'rm' || row.customer_id === null || access.seesId(row.customer_id, actor);
  }

  /** From its own stream, so that what was just decided is seen at once. */
  async function rowOf(approvalId: string): Promise<ApprovalRow | undefined> {
    const events = await eventsOf(`approval-${approvalId}`);
    return events.reduce<ApprovalRow | undefined>((row, event) => approvals.apply(row, event, approvalId), undefined);
  }

  async function eventsOf(stream: string): Promise<RecordedEvent[]> {
    return (await journal.readStream(stream)).map((stored) => {
      const event = codec.decode(stored);
      if ('unknown' in event) throw new Problem('NewerEvent');
      return event;
    });
  }
}

function subjectsOf({ id, customer_id }: ApprovalRow): string[] {
  return customer_id === null ? [id] : [id, customer_id];
}

/** @throws Problem where it was not accepted */
function acceptedOf(command: AnyCommand, outcome: Outcome): Extract<Outcome, { kind: 'accepted' }> {
  if (outcome.kind !== 'accepted') throw problemOf(command, outcome);
  return outcome;
}
