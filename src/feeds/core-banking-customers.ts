// What core banking says of a customer, and whose it is here: a source's customer with the same document and name as one already here is
// that one; with the document alone they may be. Whatever happens, the fact is kept. The claims decide races: a source's customer is
// claimed by the customer here that it stands for, and a document by who had it first.
import { z } from 'zod';
import { sourceClaim } from '../claims/source-claim.ts';
import type { Claims } from '../commands/claims.ts';
import type { Claim } from '../commands/command.ts';
import { sourceIdOf } from '../commands/command-id.ts';
import { CustomerReportBody, linkAndReport, markPossiblePair, reportCustomer } from '../commands/customer.ts';
import { type CommandRequest, type Outcome, TooMuchContention } from '../commands/handler.ts';
import { emptyStream, Streams } from '../commands/streams.ts';
import { type CustomerState, customer, namesOf } from '../domain/customer/customer.ts';
import { documentClaims } from '../domain/customer/documents.ts';
import { comparableName } from '../domain/customer/names.ts';
import type { PairReason } from '../domain/customer/pairs.ts';
import { PartyKind } from '../domain/customer/vocabulary.ts';
import { SourceTime } from '../domain/kernel/source.ts';
import type { EventCodec } from '../journal/codec.ts';
import type { Journal } from '../journal/journal.ts';
import type { Opener } from '../journal/sealing.ts';
import type { LineContext } from './feed.ts';

const { source, documents, contacts, branch } = CustomerReportBody.shape;

/** A line of the core banking feed about a customer: docs/feeds.md. */
export const CustomerLine = z.strictObject({
  kind: z.literal('customer'),
  source,
  at: SourceTime,
  type: PartyKind,
  /** Where the source has no name, the customer counts as incomplete. */
  name: z.string().trim().min(1).max(500).optional(),
  birthDate: z.iso.date().optional(),
  sex: z.string().trim().min(1).max(32).optional(),
  documents,
  contacts,
  branch,
});
export type CustomerLine = z.output<typeof CustomerLine>;

export interface CoreCustomerParts {
  readonly claims: Claims;
  readonly journal: Journal;
  readonly codec: EventCodec;
  readonly opener: Opener;
}

/** Each try loses only to another that went ahead, and then finds what that one did. */
const MAX_TRIES = 10;

export async function takeCustomerLine(entry: CustomerLine, context: LineContext, parts: CoreCustomerParts): Promise<Outcome> {
  const line = new Line(entry, context);
  const all = [line.source, ...line.documents];
  // Most lines are of customers whom nobody else has: tried first, so that these cost no look.
  let outcome = await line.report(line.reference, all);
  if (!isTaken(outcome)) {
    // A retry may have lost its second half.
    if (outcome.kind === 'accepted' && outcome.repeated && line.documents.length > 0)
      return upTo(outcome, await line.markPairs(line.reference, await holdersOf(line, parts)));
    return outcome;
  }
  for (let attempt = 0; attempt < MAX_TRIES; attempt += 1) {
    const holders = await holdersOf(line, parts);
    const here = holders.source ?? holders.documents.find((holder) => holder?.hasName)?.id ?? line.reference;
    const free = line.documents.filter((_, index) => [undefined, here].includes(holders.documents[index]?.id));
    outcome = here === line.reference ? await line.report(here, [line.source, ...free]) : await line.link(here, [line.source, ...free]);
    if (isTaken(outcome)) continue;
    return outcome.kind === 'accepted' ? upTo(outcome, await line.markPairs(here, holders)) : outcome;
  }
  throw new TooMuchContention(`the claims of ${line.reference} kept moving`);
}

interface LineHolders {
  readonly source: string | undefined;
  /** In the order of the line's documents; undefined also where a holder never came, whose claim can be taken over. */
  readonly documents: readonly (Holder | undefined)[];
}

interface Holder {
  readonly id: string;
  /** Whether it is another customer with the line's name. */
  readonly hasName: boolean;
}

/** What a line asks for: the report, on whose stream, and what it is known by again. */
class Line {
  readonly reference: string;
  readonly source: Claim;
  readonly documents: readonly Claim[];
  readonly name: string | undefined;
  readonly #body: CustomerReportBody;
  readonly #handler: LineContext['handler'];
  readonly #request: Omit<CommandRequest, 'params' | 'body'>;

  constructor({ kind: _, type, source: reference, ...said }: CustomerLine, { handler, actor, purpose, correlationId }: LineContext) {
    const channel = `feed:${reference.system}`;
    this.reference = sourceIdOf('customer', reference.system, reference.id);
    this.source = sourceClaim(reference);
    this.documents = documentClaims(said.documents);
    this.name = said.name;
    this.#body = { ...said, kind: type, source: reference, reference: this.reference };
    this.#handler = handler;
    this.#request = { actor, channel, purpose, correlationId, key: `customer:${reference.id}@${said.at}`, keyScope: channel };
  }

  report(customerId: string, claims: readonly Claim[]): Promise<Outcome> {
    return this.#handler.execute(reportCustomer, { ...this.#request, params: { customerId, claims }, body: this.#body });
  }

  link(customerId: string, claims: readonly Claim[]): Promise<Outcome> {
    return this.#handler.execute(linkAndReport, { ...this.#request, params: { customerId, claims }, body: this.#body });
  }

  /** On both, with everyone else who has a document of this line. Up to where the marks stand. */
  async markPairs(customerId: string, { documents: holders }: LineHolders): Promise<number> {
    let position = 0;
    const others = new Map(holders.flatMap((holder) => (holder === undefined || holder.id === customerId ? [] : [[holder.id, holder]])));
    for (const { id, hasName } of others.values()) {
      const because = hasName ? 'same-document-and-name' : 'same-document-other-name';
      const one = await this.#mark(customerId, id, because);
      const other = await this.#mark(id, customerId, because);
      position = Math.max(position, one, other);
    }
    return position;
  }

  async #mark(customerId: string, other: string, because: PairReason): Promise<number> {
    const { key: _, ...request } = this.#request;
    // Without a key: said once already, it says nothing more.
    const body = { other, because, at: this.#body.at };
    const outcome = await this.#handler.execute(markPossiblePair, { ...request, params: { customerId }, body });
    if (outcome.kind !== 'accepted') throw new Error(`a possible pair of ${customerId} and ${other} was not recorded: ${outcome.kind}`);
    return outcome.position;
  }
}

/** Whoever waits for the line sees its pairs too. */
function upTo(outcome: Extract<Outcome, { kind: 'accepted' }>, position: number): Outcome {
  return { ...outcome, position: Math.max(outcome.position, position) };
}

function isTaken(outcome: Outcome): boolean {
  return outcome.kind === 'refused' && outcome.rejection.rejected === 'ClaimTaken';
}

async function holdersOf(line: Line, { claims, ...reading }: CoreCustomerParts): Promise<LineHolders> {
  const [source, ...others] = await claims.holderOf([line.source, ...line.documents]);
  return { source, documents: await Promise.all(others.map((id) => (id === undefined ? undefined : holderOf(id, line, reading)))) };
}

async function holderOf(id: string, line: Line, { journal, codec, opener }: Omit<CoreCustomerParts, 'claims'>): Promise<Holder | undefined> {
  if (id === line.reference) return { id, hasName: false };
  const state = (await new Streams(journal, codec).load(customer, `customer-${id}`, emptyStream(customer))).state as CustomerState;
  if (state.existence !== 'present') return undefined;
  const name = comparableName(line.name ?? '');
  if (name === '') return { id, hasName: false };
  const names = await Promise.all(namesOf(state).map((known) => opener.open(known)));
  return { id, hasName: names.some((known) => typeof known === 'string' && comparableName(known) === name) };
}
