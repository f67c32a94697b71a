// A customer's consents over HTTP: what they said is recorded, and told as of any moment with whether they may be asked. Withdrawing is a
// command's own route (commands/consent.ts).
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { AnyCommand } from '../commands/command.ts';
import { Giving, giveConsent, Refusing, refuseConsent } from '../commands/consent.ts';
import type { CommandHandler } from '../commands/handler.ts';
import type { ConsentGiven, ConsentRefused } from '../domain/consent/events.ts';
import { AgeKnown, ConsentChannel, ConsentPurpose, GuardianRelation, LegalBasis } from '../domain/consent/vocabulary.ts';
import { isMasked } from '../domain/customer/masks.ts';
import type { RecordedOf } from '../domain/kernel/event.ts';
import { consentsPast, consentsShown, sealedInConsents } from '../views/consents.ts';
import { OpenedValues, Showing } from '../views/shown.ts';
import { idempotencyKeyOf, problemOf, revisionIn } from './command-outcomes.ts';
import { CustomerAccess } from './customer-access.ts';
import { type CustomerRouteParts, customerParams, customerReaders } from './customer-route-parts.ts';
import { PersonalValue } from './customer-view.ts';
import { readRoute } from './read-route.ts';
import { correlationIdOf, purposeOf } from './request.ts';
import { asProblem, timesParameters } from './times.ts';

/** What one of the two has and the other has not. */
const onlyOf = { given: ['basis', 'separate', 'guardian', 'expiresOn'], refused: ['reason'] } as const;
const Body = z
  .strictObject({
    decision: z.enum(['given', 'refused']),
    ...Giving.shape,
    basis: LegalBasis.optional(),
    separate: z.boolean().optional(),
    reason: Refusing.shape.reason,
  })
  .superRefine(({ decision, ...body }, context) => {
    for (const field of onlyOf[decision === 'given' ? 'refused' : 'given'])
      if (body[field] !== undefined)
        context.addIssue({
          code: 'custom',
          path: [field],
          message: `must be left out: it belongs to what is ${decision === 'given' ? 'refused' : 'given'}`,
        });
  });

const notes: Readonly<Record<AgeKnown, string | null>> = {
  'of-age': null,
  'under-14': 'The customer is under 14: a guardian consented (个人信息保护法 art. 31).',
  unknown: 'The birth date is not known, so it was not checked whether a guardian must consent: record it, or name the guardian.',
};

const Recorded = z.strictObject({
  id: z.string().meta({ description: 'Of the consent, within the customer’s' }),
  revision: z.int(),
  decision: z.enum(['given', 'refused']),
  age: AgeKnown.nullable().meta({ description: 'As far as the bank knows; null of a refusal, where it does not count' }),
  note: z.string().nullable(),
});

const Nullable = z.string().nullable();
const Scope = {
  purpose: ConsentPurpose,
  channel: ConsentChannel.nullable().meta({ description: 'Null: by every channel' }),
  contactId: Nullable.meta({ description: 'Null: at every contact point' }),
} as const;
const Ledger = z.strictObject({
  customer: z.string(),
  age: AgeKnown.meta({ description: 'As far as the bank knows; under 14 a guardian consents' }),
  marketing: z.strictObject({
    allowed: z.boolean().meta({ description: 'Whether a campaign may enrol them' }),
    why: Nullable,
    policy: z.strictObject({ id: z.string(), version: z.int() }),
  }),
  items: z
    .array(
      z.strictObject({
        ...Scope,
        status: z.enum(['given', 'refused', 'withdrawn', 'expired', 'never-asked']),
        consentId: Nullable,
        basis: LegalBasis.nullable(),
        since: Nullable,
        expiresOn: Nullable.meta({ description: 'The last day on which it holds' }),
        mayAsk: z.boolean(),
        why: z.string(),
      }),
    )
    .meta({ description: 'What stands in each scope, and purposes nobody asked about' }),
  history: z
    .array(
      z.strictObject({
        ...Scope,
        consentId: z.string(),
        word: z.enum(['given', 'refused', 'withdrawn']),
        when: z.string(),
        recordedAt: z.string(),
        by: z.strictObject({ subject: z.string(), role: z.string(), onBehalfOf: z.string().optional() }),
        way: z.string().meta({ description: 'By which way it came in' }),
        textVersion: Nullable,
        evidence: PersonalValue,
        reason: PersonalValue,
        basis: LegalBasis.nullable(),
        separate: z.boolean().nullable(),
        age: AgeKnown.nullable(),
        guardian: z.strictObject({ name: PersonalValue, relation: GuardianRelation }).nullable(),
        expiresOn: Nullable,
      }),
    )
    .meta({ description: 'Every word, the newest first' }),
  masked: z.array(z.string()),
  asOf: Nullable,
  knownAt: Nullable,
  position: z.string().meta({ description: 'All of it as of this one place in the journal, as `Shiji-Position`' }),
});

export interface ConsentRouteParts extends CustomerRouteParts {
  readonly handler: Pick<CommandHandler, 'execute'>;
}

export function consentRoutes(app: FastifyInstance, parts: ConsentRouteParts): void {
  const { pool, opener, positions, journal, codec, handler } = parts;
  const access = new CustomerAccess(pool);

  app.route({
    method: 'POST',
    url: '/v1/customers/:customerId/consents',
    schema: { params: customerParams, body: Body },
    config: {
      roles: giveConsent.roles,
      openapi: {
        kind: 'plain',
        name: 'RecordConsent',
        summary: 'Record that a customer consents to a use of their data, or refuses it; `Idempotency-Key` makes it safe to repeat',
        params: customerParams,
        body: { 'application/json': Body },
        answers: { 201: { description: 'It is recorded', content: { 'application/json': Recorded } } },
        commands: 'one',
        problems: [404, 409, 410, 412, 413, 415, 422],
      },
    },
    handler: async (request, reply) => {
      const { decision, ...body } = request.body as z.output<typeof Body>;
      const { customerId } = request.params as z.output<typeof customerParams>;
      const { revision, position } = await (decision === 'given'
        ? executed(request, giveConsent, customerId, Giving.parse(body))
        : executed(request, refuseConsent, customerId, Refusing.parse(body)));
      const { consentId, age } = await recordedAt(customerId, revision);
      reply
        .code(201)
        .header('cache-control', 'no-store')
        .header('etag', `"${revision}"`)
        .header('shiji-position', positions.seal(position, request.actor))
        .header('location', `/v1/customers/${customerId}/consents`)
        .type('application/json; charset=utf-8');
      return reply.send(
        JSON.stringify({ id: consentId, revision, decision, age, note: age === null ? null : notes[age] } satisfies z.output<typeof Recorded>),
      );
    },
  });

  readRoute(app, parts, {
    name: 'GetConsents',
    summary: 'What a customer consented to, what they refused and withdrew, and whether they may be asked',
    route: 'GET /v1/customers/{customerId}/consents',
    roles: customerReaders,
    params: customerParams,
    query: z.strictObject({ asOf: timesParameters.asOf, knownAt: timesParameters.knownAt }),
    answer: Ledger,
    // Whose customer it is; what they said is read from their stream.
    projections: ['customers', 'tickets'],
    personal: true,
    read: async ({ params: { customerId }, query, actor, record, denied, etag }) => {
      if (!(await access.seesId(customerId, actor))) throw await denied([customerId]);
      const past = await consentsPast(parts, customerId, query).catch((error: unknown) => {
        throw asProblem(error);
      });
      const [opened] = await Promise.all([
        OpenedValues.of(opener, sealedInConsents(past)),
        record({ ids: [customerId], fields: isMasked(actor.role) ? [] : ['evidence', 'reason', 'guardian'] }),
      ]);
      const showing = new Showing(opened, actor.role);
      const shown = consentsShown(past, opened, showing);
      // Of now alone: a past one matches nothing that could be changed.
      const last = past.events.at(-1);
      if (last && query.asOf === undefined && query.knownAt === undefined) etag(last.revision);
      return {
        customer: customerId,
        ...shown,
        masked: showing.masked,
        asOf: query.asOf ?? null,
        knownAt: query.knownAt ?? null,
        position: positions.seal(past.position, actor),
      };
    },
  });

  async function executed(request: FastifyRequest, command: AnyCommand, customerId: string, body: unknown) {
    const ifMatch = request.headers['if-match'];
    const outcome = await handler.execute(command, {
      params: { customerId },
      body,
      actor: request.actor,
      channel: 'rest',
      purpose: purposeOf(request.headers),
      correlationId: correlationIdOf(request.headers, request.id),
      key: idempotencyKeyOf(request.headers),
      expectedRevision: ifMatch === undefined ? undefined : revisionIn(ifMatch, false),
    });
    if (outcome.kind !== 'accepted') throw problemOf(command, outcome);
    return outcome;
  }

  /** Each of the two commands writes one event: what it said is what is answered, the first time and again. */
  async function recordedAt(customerId: string, revision: number): Promise<{ consentId: string; age: AgeKnown | null }> {
    const [stored] = await journal.readStream(`consent-${customerId}`, { from: revision, limit: 1 });
    const event = stored && codec.decode(stored);
    if (!event || 'unknown' in event) throw new Error('a consent that was just recorded is not there');
    const { type, data } = event as RecordedOf<readonly [typeof ConsentGiven, typeof ConsentRefused]>;
    return { consentId: data.consentId, age: type === 'ConsentGiven' ? data.age : null };
  }
}
