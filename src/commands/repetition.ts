// Whether a command that stands in its stream's events is the one that is asked now.
import { isDeepStrictEqual } from 'node:util';
import { Erased } from '../domain/kernel/personal.ts';
import type { EventCodec } from '../journal/codec.ts';
import type { EventToAppend, Journal } from '../journal/journal.ts';
import { Digest, type Opener } from '../journal/sealing.ts';
import type { CommandTrace } from './state-cache.ts';

/** Whether an append was written by this call, where the store can't tell: each attempt's body is sealed or blinded anew, so its bytes are its own. */
export async function isOurs({ journal }: { readonly journal: Journal }, stream: string, trace: CommandTrace, sent: EventToAppend): Promise<boolean> {
  const [first] = await journal.readStream(stream, { from: trace.firstRevision, limit: 1 });
  return first?.metadata === sent.metadata;
}

/** Whether a command said what is said now, by the body kept with its first event. */
export async function hasSameBody(
  { journal, codec, opener }: { readonly journal: Journal; readonly codec: EventCodec; readonly opener: Opener },
  stream: string,
  trace: CommandTrace,
  said: string,
): Promise<boolean> {
  const first = trace.first ?? (await journal.readStream(stream, { from: trace.firstRevision, limit: 1 }))[0];
  trace.first = undefined;
  const body = first && codec.bodyOf(first);
  if (!body) throw new Error(`${stream} lacks the body of the command at revision ${trace.firstRevision}`);
  // Erased: that it was this command is still known, what it said is not.
  if (body instanceof Digest) return (await opener.matches(body, said)) !== false;
  const kept = await opener.open(body);
  // The order of keys is nothing that a sender means.
  return kept instanceof Erased || isDeepStrictEqual(kept, JSON.parse(said));
}
