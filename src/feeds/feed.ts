// Runs one feed: each line becomes commands with the source's own id in their keys, so that a feed sent again changes nothing. A bad line
// never stops the rest. Results are spooled to disk and the run's progress kept in feeds.runs; the HTTP side is api/feed-routes.ts.
import type { z } from 'zod';
import type { AnyCommand } from '../commands/command.ts';
import type { CommandHandler, Outcome } from '../commands/handler.ts';
import type { Actor } from '../domain/kernel/event.ts';
import { startOf } from '../domain/kernel/source.ts';
import { AppendTooLarge } from '../journal/journal.ts';
import { KeyDestroyed } from '../journal/keyring.ts';
import type { Line } from './lines.ts';
import type { FeedRun, FeedRuns } from './runs.ts';
import type { LineResult, Spool } from './spool.ts';

/** What a line's commands are executed with, whichever line it is. */
export interface LineContext {
  readonly handler: Pick<CommandHandler, 'execute'>;
  readonly actor: Actor;
  readonly purpose?: string | undefined;
  readonly correlationId: string;
}

/** One kind of feed: what a line says, and what becomes of it. */
export interface FeedKind<Entry = unknown> {
  readonly kind: string;
  readonly line: z.ZodType<Entry>;
  /** The source system, and the source's own id of the record. */
  source(entry: Entry): { readonly system: string; readonly id: string };
  /** When it was so (`SourceTime`), which may not be in the future, and the field that says it. */
  at(entry: Entry): readonly [field: string, time: string];
  /** Starts its command before it first waits, so that lines of one stream keep their order. */
  take(entry: Entry, context: LineContext): Promise<Outcome>;
}

/** A line's one command: what it is told of (`params`), what it says, and the key under which it is known again. */
export interface LineCommand {
  readonly params: unknown;
  readonly body: unknown;
  readonly system: string;
  readonly key: string;
}

/** Keys are the source's own, whoever brings them. */
export function byCommand<Entry>(command: AnyCommand, of: (entry: Entry) => LineCommand): FeedKind<Entry>['take'] {
  return (entry, { handler, actor, purpose, correlationId }) => {
    const { params, body, system, key } = of(entry);
    const channel = `feed:${system}`;
    return handler.execute(command, { params, body, actor, channel, purpose, correlationId, key, keyScope: channel });
  };
}

export interface FeedParts {
  readonly handler: Pick<CommandHandler, 'execute'>;
  readonly runs: FeedRuns;
  readonly now: () => number;
}

export interface FeedRequest {
  readonly id: string;
  readonly kind: FeedKind;
  readonly lines: AsyncIterable<Line>;
  readonly actor: Actor;
  readonly purpose?: string | undefined;
  readonly correlationId: string;
  readonly spool: Spool;
}

// Enough to fill the journal's batches; bounds what is in memory.
const IN_FLIGHT = 384;
// Clocks differ, and so do the days of time zones.
const AHEAD_MS = 86_400_000;

/** Runs to the end of the lines; the answer is the finished run. Whatever breaks it is kept in the run and thrown. */
export async function runFeed(parts: FeedParts, request: FeedRequest): Promise<FeedRun> {
  const { runs, now } = parts;
  const { id, kind, actor, spool } = request;
  const counts = { lines: 0, created: 0, repeated: 0, rejected: 0, position: 0 };
  const started = new Date(now()).toISOString();
  const progress = (status: FeedRun['status'], detail: string | null = null): FeedRun => ({
    id,
    kind: kind.kind,
    subject: actor.subject,
    status,
    ...counts,
    detail,
    started_at: started,
    updated_at: new Date(now()).toISOString(),
  });
  await runs.save(progress('running'));
  let savedAtMs = performance.now();
  let inFlight = 0;
  let failure: unknown;
  let onRoom = (): void => {};
  const roomFor = (most: number): Promise<void> | undefined =>
    inFlight <= most
      ? undefined
      : new Promise((resolve) => {
          onRoom = () => {
            if (inFlight <= most) resolve();
          };
        });
  const one = async (line: Line): Promise<void> => {
    try {
      const { position, ...result } = await take(parts, request, line);
      counts.lines += 1;
      counts[result.outcome] += 1;
      counts.position = Math.max(counts.position, position);
      spool.add(result);
    } catch (error) {
      failure ??= error;
    }
    inFlight -= 1;
    onRoom();
  };
  try {
    for await (const line of request.lines) {
      inFlight += 1;
      void one(line);
      await roomFor(IN_FLIGHT - 1);
      if (failure) break;
      if (performance.now() - savedAtMs > 1_000) {
        savedAtMs = performance.now();
        await runs.save(progress('running'));
      }
    }
    await roomFor(0);
    if (failure) throw failure;
    await spool.close();
    const finished = progress('finished');
    await runs.save(finished);
    return finished;
  } catch (error) {
    await roomFor(0);
    await runs.save(progress('failed', error instanceof Error ? error.name : 'unknown'));
    // What broke the run is told, not what the spool says besides.
    await spool.close().catch(() => undefined);
    throw error;
  }
}

// Postgres keeps no NUL, and UTF-8 no half of a surrogate pair: both can only come escaped, so most lines are not looked through.
const MAY_BE_UNKEEPABLE = /\\u(?:0000|d[89a-f])/i;

function isKeepable(json: unknown): boolean {
  // Not by calling itself: a line may nest deeper than the stack goes.
  const left = [json];
  for (let value = left.pop(); value !== undefined; value = left.pop()) {
    if (typeof value === 'string' && (value.includes('\0') || !value.isWellFormed())) return false;
    if (typeof value === 'object' && value !== null) for (const [name, inside] of Object.entries(value)) left.push(name, inside);
  }
  return true;
}

/** Each field by itself, an unknown one too. */
function errorsOf(issue: z.core.$ZodIssue): { pointer: string; detail: string }[] {
  const pointerTo = (path: readonly PropertyKey[]): string =>
    path.map((step) => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
  if (issue.code !== 'unrecognized_keys') return [{ pointer: pointerTo(issue.path), detail: issue.message }];
  return issue.keys.map((key) => ({ pointer: pointerTo([...issue.path, key]), detail: 'unknown: a line of this kind has no such field' }));
}

async function take({ handler, now }: FeedParts, request: FeedRequest, line: Line): Promise<LineResult & { position: number }> {
  const { kind, actor, purpose, correlationId } = request;
  const rejected = (errors: LineResult['errors']): LineResult & { position: number } => ({
    line: line.number,
    outcome: 'rejected',
    ...(errors ? { errors } : {}),
    position: 0,
  });
  if (line.problem !== undefined) return rejected([{ pointer: '', detail: line.problem }]);
  let json: unknown;
  try {
    json = JSON.parse(line.text);
  } catch {
    return rejected([{ pointer: '', detail: 'the line is not JSON' }]);
  }
  if (MAY_BE_UNKEEPABLE.test(line.text) && !isKeepable(json))
    return rejected([{ pointer: '', detail: 'the line has a NUL character or half a surrogate pair in a string' }]);
  const parsed = kind.line.safeParse(json);
  if (!parsed.success) return rejected(parsed.error.issues.flatMap(errorsOf));
  const [field, time] = kind.at(parsed.data);
  if (Date.parse(startOf(time)) > now() + AHEAD_MS)
    return rejected([{ pointer: `/${field}`, detail: 'this is in the future, by more than 24 hours: tell what is so once it is so' }]);
  const source = kind.source(parsed.data);
  let outcome: Outcome;
  try {
    outcome = await kind.take(parsed.data, { handler, actor, purpose, correlationId });
  } catch (error) {
    if (error instanceof KeyDestroyed) return rejected([{ pointer: '', detail: 'what the line is about was erased here' }]);
    if (error instanceof AppendTooLarge) return rejected([{ pointer: '', detail: error.message }]);
    throw error;
  }
  switch (outcome.kind) {
    case 'accepted':
      return {
        line: line.number,
        outcome: outcome.repeated || outcome.events === 0 ? 'repeated' : 'created',
        id: outcome.id,
        position: outcome.position,
      };
    case 'key-reused':
      return rejected([{ pointer: '/source/id', detail: `${source.system} ${source.id} was told before, and differently` }]);
    case 'refused':
      return rejected([{ pointer: outcome.rejection.pointer ?? '', detail: outcome.rejection.detail }]);
    default:
      return rejected([{ pointer: '', detail: 'there is no such thing' }]);
  }
}
