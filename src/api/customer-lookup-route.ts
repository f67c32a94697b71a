// POST /v1/customers/lookup: whether someone is here already, before they are entered. The hits are masked, each with its score and reasons,
// and recorded as a read. Of others' customers a relationship manager is told nothing, but for the one declared disclosure (known-to-bank.ts).
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { ReportedContact } from '../domain/customer/contacts.ts';
import { documentNumberOf, ReportedDocument } from '../domain/customer/documents.ts';
import { PersonOrFirmName } from '../domain/customer/names.ts';
import { PartyKind } from '../domain/customer/vocabulary.ts';
import { CalendarDate } from '../domain/kernel/calendar-date.ts';
import { plainNumber } from '../domain/matching/party.ts';
import { amongFor, likelySame } from '../views/likely-same.ts';
import { type AfterParts, waitForAfter } from './after.ts';
import type { CustomerRouteParts } from './customer-route-parts.ts';
import { KnownToBank } from './known-to-bank.ts';
import { purposeOf } from './request.ts';
import { LOOKED_AT } from './similar-at-entry.ts';
import { hitOf, MOST_HITS, SimilarHit } from './similar-hits.ts';

/** Below it a name may be the same and nothing else is known: still worth a look before someone is entered twice. */
const WORTH_A_LOOK = 0.02;

const Body = z
  .strictObject({
    kind: PartyKind.default('person'),
    name: PersonOrFirmName.optional(),
    birthDate: CalendarDate.optional(),
    document: ReportedDocument.optional(),
    contacts: z.array(ReportedContact).max(10).optional(),
  })
  .refine(({ name, birthDate, document, contacts = [] }) => (name ?? birthDate ?? document ?? contacts[0]) !== undefined, {
    error: 'must say something of them: `name`, `birthDate`, `document` or `contacts`',
  });

const Answer = z.strictObject({
  hits: z.array(SimilarHit).meta({ description: 'The most alike first, at most 20' }),
  knownToBank: z
    .literal(true)
    .optional()
    .meta({ description: 'The document is known to the bank: ask operations. Nothing more is said, and only where `Shiji-Purpose` says why' }),
});

export function customerLookupRoute(app: FastifyInstance, parts: CustomerRouteParts & AfterParts): void {
  const { recorder, searchTokens } = parts;
  const knownToBank = new KnownToBank(parts);

  app.route({
    method: 'POST',
    url: '/v1/customers/lookup',
    schema: { body: Body },
    config: {
      roles: ['rm', 'teller', 'agent', 'operations'],
      openapi: {
        kind: 'plain',
        name: 'LookUpCustomer',
        summary: 'Who is here already like someone about to be entered: masked, each with a score and reasons',
        body: { 'application/json': Body },
        answers: { 200: { description: 'Those alike', content: { 'application/json': Answer } } },
        problems: [413, 415],
      },
    },
    handler: async (request, reply) => {
      const asked = request.body as z.output<typeof Body>;
      const { actor, headers } = request;
      const after = headers['shiji-after'];
      if (after !== undefined) await waitForAfter(after, actor, LOOKED_AT, parts);
      const { document, ...described } = asked;
      const found = await likelySame(parts, { ...described, documents: document === undefined ? [] : [document] }, amongFor(actor), WORTH_A_LOOK);
      const hits = found.slice(0, MOST_HITS).map(hitOf);
      const holds = found.some(({ reasons }) => reasons.some(({ words }) => words === SAME_DOCUMENT));
      const isDisclosed = actor.role === 'rm' && document !== undefined && plainNumber(document.number) !== '' && !holds;
      // Without a purpose nothing is said.
      const isKnown =
        isDisclosed && purposeOf(headers) !== undefined ? await knownToBank.isKnown(documentNumberOf(document.number), searchTokens) : undefined;
      await recorder.recordRead(
        request,
        { ids: hits.map(({ id }) => id), fields: isKnown === undefined ? [] : KnownToBank.fieldsOf(isKnown), asked },
        isKnown === undefined ? undefined : knownToBank.records,
      );
      reply.header('cache-control', 'no-store').type('application/json; charset=utf-8');
      return reply.send(JSON.stringify({ hits, ...(isKnown ? { knownToBank: true as const } : {}) } satisfies z.output<typeof Answer>));
    },
  });
}

const SAME_DOCUMENT = 'the same document';
