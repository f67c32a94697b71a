// Groups of customers: what a customer belongs to, a group with its sums, and what the relations propose. A reader sees those members whom
// they may see, and sums of those alone. Splitting and merging are two commands each (domain/group/group.ts says in which order).
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { AnyCommand } from '../commands/command.ts';
import { dissolveGroup, dissolveInto, formSplitGroup, mergeGroups, splitGroup } from '../commands/group.ts';
import type { CommandHandler, Outcome } from '../commands/handler.ts';
import { CustomerId } from '../domain/customer/events.ts';
import { PersonOrFirmName } from '../domain/customer/names.ts';
import { GroupId, GroupKind } from '../domain/group/events.ts';
import type { CustomerRows } from '../views/customer-rows.ts';
import { proposedFirms, proposedKin } from '../views/group-proposal.ts';
import { groupOf, groupsOf } from '../views/group-rows.ts';
import { groupSums } from '../views/group-sums.ts';
import { liveRows, viewedProjections } from '../views/live.ts';
import { pastRows } from '../views/past.ts';
import { momentOf, relationProjections } from '../views/relation-graph.ts';
import { windowOf } from '../views/window.ts';
import { idempotencyKeyOf, problemOf } from './command-outcomes.ts';
import type { CustomerAccess } from './customer-access.ts';
import { customerParams, customerReaders } from './customer-route-parts.ts';
import { GroupAnswer, GroupList, GroupProposal, groupShown, partiesIn } from './group-answers.ts';
import { readRoute } from './read-route.ts';
import {
  edgeShown,
  fieldsFor,
  momentParameters,
  openAt,
  type RelationRouteParts,
  seesWholeBank,
  showingFor,
  sightOf,
} from './relation-route-parts.ts';
import { badHeader, correlationIdOf, purposeOf } from './request.ts';
import { asProblem, type Times } from './times.ts';

const params = z.strictObject({ groupId: GroupId });
const Reason = z.string().trim().min(1).max(500);
const SplitBody = z.strictObject({
  customers: z.array(CustomerId).min(1).max(100).meta({ description: 'Who leaves; the first is the head of the new group' }),
  name: PersonOrFirmName,
  reason: Reason,
});
const MergeBody = z.strictObject({ other: GroupId.meta({ description: 'The group that is dissolved into this one' }), reason: Reason });
const Done = z.strictObject({ id: z.string(), revision: z.int() });
const AT_ONCE = 8;
const MOST_ROUNDS = 50;

export function groupRoutes(
  app: FastifyInstance,
  parts: RelationRouteParts & { readonly handler: Pick<CommandHandler, 'execute'> },
  access: CustomerAccess,
): void {
  const { pool, positions, handler } = parts;

  readRoute(app, parts, {
    name: 'ListGroupsOfCustomer',
    summary: 'The groups that a customer belongs to',
    route: 'GET /v1/customers/{customerId}/groups',
    roles: customerReaders,
    params: customerParams,
    query: z.strictObject(momentParameters),
    answer: GroupList,
    projections: relationProjections,
    personal: true,
    read: async ({ params: { customerId }, query, actor, record, denied }) => {
      const opened = await openAt(parts, access, customerId, query, actor);
      if (!opened) throw await denied([customerId]);
      const { moment, sees } = opened;
      const found = await groupsOf(pool, customerId, moment, sees);
      const ids = found.flatMap(({ members }) => members.map(({ customer }) => customer));
      const names = found.map(({ version }) => version.name);
      const [{ showing, nameOf }] = await Promise.all([
        showingFor(parts, ids, moment, actor, names),
        record({ ids: [...new Set([customerId, ...ids, ...found.map(({ id }) => id)])], fields: fieldsFor(actor, ['name']) }),
      ]);
      return {
        items: found.map((group) => groupShown(group, showing.text('name', 'name', group.version.name), nameOf)),
        asOf: query.asOf ?? null,
        knownAt: query.knownAt ?? null,
        position: positions.seal(moment.known, actor),
      };
    },
  });

  readRoute(app, parts, {
    name: 'GetGroup',
    summary: 'A group, its members and what they hold together, as far as you may see',
    route: 'GET /v1/groups/{groupId}',
    roles: customerReaders,
    params,
    query: z.strictObject(momentParameters),
    answer: GroupAnswer,
    projections: [...relationProjections, ...viewedProjections],
    personal: true,
    read: async ({ params: { groupId }, query, actor, record, denied, etag }) => {
      const isWhole = seesWholeBank(actor);
      const moment = await momentOf(parts, query).catch((error: unknown) => {
        throw asProblem(error);
      });
      const found = await groupOf(pool, groupId, moment, sightOf(access, actor));
      if (!found) throw await denied([groupId]);
      const ids = found.members.map(({ customer }) => customer);
      const { version } = found;
      const versions = isWhole ? found.versions.toReversed() : [];
      const [{ showing, nameOf }, rows] = await Promise.all([
        showingFor(parts, ids, moment, actor, [version.name, ...versions.map(({ reason }) => reason)]),
        memberRows(ids, query),
        record({ ids: [groupId, ...ids], fields: fieldsFor(actor, ['name', 'reason']) }),
      ]);
      if (isWhole) etag(version.revision);
      const sums = groupSums(rows);
      return {
        ...groupShown(found, showing.text('name', 'name', version.name), nameOf),
        covers: isWhole ? ('whole-bank' as const) : ('visible' as const),
        sums: { ...sums, assets: [...sums.assets], liabilities: [...sums.liabilities], products: [...sums.products] },
        dissolved: isWhole ? version.dissolved : null,
        splitFrom: isWhole ? version.splitFrom : null,
        changes: versions.map(({ recordedAt, by, reason, members }) => ({
          ...{ recordedAt, by },
          reason: showing.text('reason', 'hidden', reason),
          members: members.filter(({ until }) => until === null).length,
        })),
        asOf: query.asOf ?? null,
        knownAt: query.knownAt ?? null,
        position: positions.seal(Math.min(moment.known, ...rows.map(({ position }) => position)), actor),
      };
    },
  });

  readRoute(app, parts, {
    name: 'ProposeGroup',
    summary: 'Who may belong together with a customer, from the relations that you see, with reasons',
    route: 'GET /v1/customers/{customerId}/group-proposal',
    roles: customerReaders,
    params: customerParams,
    query: z.strictObject({ kind: GroupKind.default('household'), ...momentParameters }),
    answer: GroupProposal,
    projections: relationProjections,
    personal: true,
    read: async ({ params: { customerId }, query, actor, record, denied }) => {
      const opened = await openAt(parts, access, customerId, query, actor);
      if (!opened) throw await denied([customerId]);
      const { moment, graph, root, sees } = opened;
      const { kind } = query;
      const proposed = kind === 'corporate' ? await proposedFirms(graph, root, sees) : await proposedKin(graph, root, kind, sees);
      const ids = partiesIn(proposed);
      const [{ nameOf }, there] = await Promise.all([
        showingFor(parts, ids, moment, actor),
        groupsOf(pool, customerId, moment, sees),
        record({ ids: [...new Set([customerId, ...ids])], fields: fieldsFor(actor, ['name']) }),
      ]);
      return {
        kind,
        members: proposed.members.map((key, index) => ({
          customer: ids[index] ?? key,
          name: nameOf(ids[index] ?? key),
          kind: proposed.nodes.get(key)?.kind ?? '',
          reasons: (proposed.reasons.get(key) ?? []).map(edgeShown),
        })),
        groups: there.filter((group) => group.kind === kind).map(({ id }) => id),
        cut: proposed.cut,
        asOf: query.asOf ?? null,
        knownAt: query.knownAt ?? null,
        position: positions.seal(moment.known, actor),
      };
    },
  });

  app.route({
    method: 'POST',
    url: '/v1/groups/:groupId/split',
    schema: { params, body: SplitBody },
    config: {
      roles: splitGroup.roles,
      openapi: {
        kind: 'plain',
        name: splitGroup.name,
        summary: `${splitGroup.summary}; \`Idempotency-Key\` makes it safe to repeat`,
        params,
        body: { 'application/json': SplitBody },
        answers: { 201: { description: 'The new group', content: { 'application/json': Done } } },
        commands: 'many',
        problems: [404, 409, 410, 413, 415, 422],
      },
    },
    handler: async (request, reply) => {
      const { groupId } = request.params as z.output<typeof params>;
      const { customers, reason, name } = request.body as z.output<typeof SplitBody>;
      const formed = await execute(request, formSplitGroup, {}, { group: groupId, customers, name, reason });
      const left = await execute(request, splitGroup, { groupId }, { into: formed.id, customers, reason });
      if (left.events === 0) {
        // They left by another's split at the same time: that one stands. Where dissolving needs approval, this one waits for it.
        await outcomeOf(request, dissolveGroup, { groupId: formed.id }, { reason });
        const rejection = { rejected: 'GroupMemberWrong', detail: 'They left the group meanwhile.', pointer: '/customers' } as const;
        throw problemOf(splitGroup, { kind: 'refused', rejection });
      }
      reply.code(201).header('location', `/v1/groups/${formed.id}`);
      return answer(request, reply, Math.max(formed.position, left.position), { id: formed.id, revision: formed.revision });
    },
  });

  app.route({
    method: 'POST',
    url: '/v1/groups/:groupId/merge',
    schema: { params, body: MergeBody },
    config: {
      roles: mergeGroups.roles,
      openapi: {
        kind: 'plain',
        name: mergeGroups.name,
        summary: `${mergeGroups.summary}; \`Idempotency-Key\` makes it safe to repeat`,
        params,
        body: { 'application/json': MergeBody },
        answers: { 200: { description: 'It stands so', content: { 'application/json': Done } } },
        commands: 'many',
        problems: [404, 409, 410, 413, 415, 422],
      },
    },
    handler: async (request, reply) => {
      const { groupId } = request.params as z.output<typeof params>;
      const { other, reason } = request.body as z.output<typeof MergeBody>;
      const merged = await execute(request, mergeGroups, { groupId }, { other, reason });
      // Whoever joins the other between the two commands is taken in as well, before it is dissolved.
      for (let more = 1; ; more += 1) {
        const gone = await outcomeOf(request, dissolveInto, { groupId: other }, { into: groupId, reason });
        if (gone.kind === 'accepted')
          return answer(request, reply, Math.max(merged.position, gone.position), { id: groupId, revision: merged.revision });
        const isJoined = gone.kind === 'refused' && gone.rejection.rejected === 'GroupJoinedMeanwhile';
        if (!isJoined || more > MOST_ROUNDS) throw problemOf(dissolveInto, gone);
        await execute(request, mergeGroups, { groupId }, { other, reason }, ` more ${more}`);
      }
    },
  });

  /** What each of the members holds, now or then; one who was not known then holds nothing. */
  async function memberRows(ids: readonly string[], times: Pick<Times, 'asOf' | 'knownAt'>): Promise<readonly CustomerRows[]> {
    const isNow = times.asOf === undefined && times.knownAt === undefined;
    const window = windowOf(parts.now(), parts.zone);
    const found: (CustomerRows | undefined)[] = [];
    const waiting = [...ids];
    const next = async (): Promise<void> => {
      for (let id = waiting.shift(); id !== undefined; id = waiting.shift())
        found.push(isNow ? await liveRows(parts, id, window) : await pastRows(parts, id, times));
    };
    await Promise.all(Array.from({ length: AT_ONCE }, next)).catch((error: unknown) => {
      throw asProblem(error);
    });
    return found.filter((rows) => rows !== undefined);
  }

  /** @throws Problem where it was not accepted */
  async function execute(...asked: Parameters<typeof outcomeOf>): Promise<Extract<Outcome, { kind: 'accepted' }>> {
    const outcome = await outcomeOf(...asked);
    if (outcome.kind !== 'accepted') throw problemOf(asked[1], outcome);
    return outcome;
  }

  /** @param part of the request's key, where it issues a command more than once */
  async function outcomeOf(request: FastifyRequest, command: AnyCommand, target: unknown, body: unknown, part = ''): Promise<Outcome> {
    const key = idempotencyKeyOf(request.headers);
    if (request.headers['if-match'] !== undefined) throw badHeader('If-Match', 'is for one thing that is there: this concerns two, leave it out');
    return handler.execute(command, {
      params: target,
      body,
      actor: request.actor,
      channel: 'rest',
      purpose: purposeOf(request.headers),
      correlationId: correlationIdOf(request.headers, request.id),
      key: key && `${key}${part}`,
    });
  }

  function answer(request: FastifyRequest, reply: FastifyReply, position: number, body: unknown): FastifyReply {
    reply.header('cache-control', 'no-store').header('shiji-position', positions.seal(position, request.actor));
    return reply.type('application/json; charset=utf-8').send(JSON.stringify(body));
  }
}
