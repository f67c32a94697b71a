// Makes the claims whole from the journal: what its customers' events say is claimed, in their order. At each start from where the last
// one ended, so that a table that was lost, or came back from an older backup, holds what it must before anyone is answered.
import type { Pool } from 'pg';
import type { Claim } from '../commands/command.ts';
import { freedBy, numbersOf } from '../commands/customer-identity.ts';
import { handOver } from '../commands/hand-over.ts';
import { customer } from '../domain/customer/customer.ts';
import { documentClaims } from '../domain/customer/documents.ts';
import { type CustomerFact, DocumentWithdrawn, RegistrationAbandoned } from '../domain/customer/events.ts';
import type { KnownDocument } from '../domain/customer/identity.ts';
import type { RecordedEvent } from '../domain/kernel/event.ts';
import { type Personal, type Plain, Sealed, unopened } from '../domain/kernel/personal.ts';
import type { EventCodec } from '../journal/codec.ts';
import type { JournalReader } from '../journal/journal.ts';
import type { Opener } from '../journal/sealing.ts';
import type { PostgresClaims } from './postgres-claims.ts';
import { sourceClaim } from './source-claim.ts';

export interface RebuildParts {
  readonly pool: Pool;
  readonly journal: JournalReader;
  readonly codec: EventCodec;
  readonly opener: Opener;
  readonly claims: PostgresClaims;
}

const BATCH = 1_000;
const insert = {
  name: 'claims/rebuild',
  // Who claimed first holds it; what one holds already stays as it is.
  text: `insert into claims.holders (hash, holder)
         select distinct on (w.hash) w.hash, w.holder from unnest($1::bytea[], $2::text[]) with ordinality as w(hash, holder, place)
          order by w.hash, w.place
         on conflict (hash) do nothing`,
};
const abandon = {
  name: 'claims/rebuild-abandoned',
  // Not what was taken just now: its holder may be at work in another process.
  text: `delete from claims.holders where holder = any($1::text[]) and taken_at < clock_timestamp() - interval '1 minute'`,
};
const advance = {
  name: 'claims/rebuild-progress',
  text: `insert into claims.progress as p (journal, position) values ($1, $2)
         on conflict (journal) do update set position = excluded.position`,
};

/** How many events of customers were read. */
export async function rebuildClaims({ pool, journal, codec, opener, claims }: RebuildParts): Promise<number> {
  const id = await journal.identity();
  let after = await startAfter(pool, id);
  let read = 0;
  for (;;) {
    const batch = await journal.readAll({ after, limit: BATCH, categories: ['customer'] });
    const events = batch.events.map((stored) => codec.decode(stored)).filter((event) => 'data' in event) as RecordedEvent[];
    const told = await opened(opener, events);
    let from = 0;
    // What was given up is another's only from there on.
    for (const [index, event] of events.entries()) {
      if (!isMistake(event as CustomerFact)) continue;
      await take({ pool, claims }, told.slice(from, index));
      await freeMistaken({ journal, codec, opener, claims }, event.stream);
      from = index;
    }
    await take({ pool, claims }, told.slice(from));
    read += batch.events.length;
    if (batch.checkpoint !== after) await pool.query({ ...advance, values: [id, batch.checkpoint] });
    after = batch.checkpoint;
    if (batch.atEnd) return read;
  }
}

/** From the start where the claims are gone. */
async function startAfter(pool: Pool, journal: string): Promise<number> {
  const { rows } = await pool.query<{ position: number }>(
    'select position from claims.progress where journal = $1 and exists (select from claims.holders)',
    [journal],
  );
  return rows[0]?.position ?? 0;
}

interface Told {
  readonly holder: string;
  readonly abandoned: boolean;
  readonly claims: readonly Claim[];
}

async function opened(opener: Opener, events: readonly RecordedEvent[]): Promise<readonly Told[]> {
  const numbersOf = ({ data }: CustomerFact): readonly unknown[] =>
    'documents' in data ? (data.documents ?? []).map(({ number }) => number) : 'number' in data ? [data.number] : [];
  const sealed = events.flatMap((event) => numbersOf(event as CustomerFact)).filter((number) => number instanceof Sealed);
  const plain = await opener.openMany(sealed);
  const numbers = new Map(sealed.map((value, index) => [value, plain[index]]));
  return events.map((event) => {
    const fact = event as CustomerFact;
    const holder = event.stream.slice('customer-'.length);
    return { holder, abandoned: fact.type === RegistrationAbandoned.type, claims: claimsOf(fact, holder, numbers) };
  });
}

function claimsOf(fact: CustomerFact, holder: string, numbers: ReadonlyMap<Sealed, unknown>): readonly Claim[] {
  switch (fact.type) {
    case 'CustomerRegistered':
      return documentsOf(fact.data.documents, numbers);
    case 'DocumentAdded':
      return documentsOf([fact.data], numbers);
    case 'CustomerReported':
      return [...(fact.data.reference === holder ? [sourceClaim(fact.data.source)] : []), ...documentsOf(fact.data.documents, numbers)];
    case 'CustomerLinked':
      return [sourceClaim(fact.data.source)];
    default:
      return [];
  }
}

/** Whether a document was withdrawn that never was its holder's. */
function isMistake({ type, data }: CustomerFact): boolean {
  return type === DocumentWithdrawn.type && data.because === 'entered-by-mistake';
}

/** By the holder's whole stream, since what was withdrawn may have been entered anew. */
async function freeMistaken({ journal, codec, opener, claims }: Omit<RebuildParts, 'pool'>, stream: string): Promise<void> {
  const events = (await journal.readStream(stream)).map((stored) => codec.decode(stored)).filter((event) => 'data' in event);
  const numbers = new Map<unknown, unknown>();
  const plain: Plain = (value) => unopened((value instanceof Sealed ? numbers.get(value) : value) as Personal);
  const freed: KnownDocument[] = [];
  let state = customer.initialState;
  for (const event of events) {
    const fact = event as CustomerFact;
    const document = fact.type === DocumentWithdrawn.type && isMistake(fact) ? state.documents.get(fact.data.documentId) : undefined;
    if (document) freed.push(document);
    state = customer.evolve(state, fact);
  }
  const sealed = [...numbersOf(state), ...freed.map(({ number }) => number)].filter((number) => number instanceof Sealed);
  const texts = await opener.openMany(sealed);
  for (const [index, value] of sealed.entries()) numbers.set(value, texts[index]);
  const claimed = freed.flatMap((document) => freedBy({ ...state, documents: new Map([...state.documents, ['freed', document]]) }, 'freed', plain));
  if (claimed.length === 0) return;
  const holder = stream.slice('customer-'.length);
  await claims.free(holder, claimed);
  await handOver({ journal, codec, opener, claims }, holder, claimed);
}

type Documents = Extract<CustomerFact, { type: 'CustomerRegistered' }>['data']['documents'];

/** Those whose number can still be opened: what was erased claims nothing. */
function documentsOf(documents: Documents, numbers: ReadonlyMap<Sealed, unknown>): readonly Claim[] {
  return documentClaims(
    (documents ?? []).flatMap((document) => {
      const number = document.number instanceof Sealed ? numbers.get(document.number) : document.number;
      return typeof number === 'string' ? [{ ...document, number }] : [];
    }),
  );
}

async function take({ pool, claims }: Pick<RebuildParts, 'pool' | 'claims'>, told: readonly Told[]): Promise<void> {
  const wanted = told.flatMap(({ holder, claims: each }) => each.map((claim) => ({ hash: claims.hashOf(claim), holder })));
  const abandoned = told.filter((each) => each.abandoned).map(({ holder }) => holder);
  // First, because who took over comes after them.
  if (abandoned.length > 0) await pool.query({ ...abandon, values: [abandoned] });
  if (wanted.length > 0) await pool.query({ ...insert, values: [wanted.map(({ hash }) => hash), wanted.map(({ holder }) => holder)] });
}
