// What a command names outside its own stream, looked at before it is decided on, each time as it stands: another
// process may have closed or handed over what is remembered here.
import { isRejection, type Rejection } from '../domain/kernel/decider.ts';
import type { Actor } from '../domain/kernel/event.ts';
import { Erased } from '../domain/kernel/personal.ts';
import type { Opener } from '../journal/sealing.ts';
import type { Reference } from './command.ts';
import { emptyStream, type Streams } from './streams.ts';

/** The states referred to, in order, or the refusal of the first that is not there for this actor. */
export async function lookUp(
  { streams, opener }: { readonly streams: Streams; readonly opener: Pick<Opener, 'open'> },
  references: readonly Reference[],
  actor: Actor,
): Promise<readonly unknown[] | Rejection> {
  const found = await Promise.all(references.map((reference) => stateOf(streams, opener, reference, actor)));
  const missing = found.indexOf(undefined);
  return missing === -1 ? found.map((state) => state?.state) : (references[missing] as Reference).otherwise;
}

async function stateOf(
  streams: Streams,
  opener: Pick<Opener, 'open'>,
  { category, id, decider, isThere, within, opened }: Reference,
  actor: Actor,
): Promise<{ readonly state: unknown } | undefined> {
  const stream = `${category}-${id}`;
  const { state } = await streams.load(decider, stream, streams.remembered(stream) ?? emptyStream(decider));
  if (!isThere(state, actor)) return undefined;
  if (within && isRejection(await lookUp({ streams, opener }, within(state), actor))) return undefined;
  if (opened === undefined) return { state };
  const open = async (value: Parameters<Opener['open']>[0]): Promise<string | undefined> => {
    const text = await opener.open(value);
    return text instanceof Erased ? undefined : String(text);
  };
  return { state: await opened(state, open) };
}
