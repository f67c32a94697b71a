// Streams.Read: pages of a stream and of everything, and subscriptions to both.
import { randomUUID } from 'node:crypto';
import streamsPb, { type ReadReq, type ReadResp } from '@eventstore/db-client/generated/streams_pb.js';
import { type handleServerStreamingCall, type ServerWritableStream, status } from '@grpc/grpc-js';
import type { EventLog, LogRecord } from './event-log.ts';
import { CallError, eventMessage, identifierOf, nameOf, streamDeleted, unexpected } from './messages.ts';

type Call = ServerWritableStream<ReadReq, ReadResp>;
/** Undefined where nothing is to be written for it. */
type Messages = Iterable<ReadResp | undefined>;

/** How many events a node looks at in one go where the filter names no window. */
const WINDOW = 32;

export function read(log: EventLog): handleServerStreamingCall<ReadReq, ReadResp> {
  return (call) => {
    const options = call.request.getOptions() ?? new streamsPb.ReadReq.Options();
    const stream = options.getStream();
    const all = options.getAll();
    const answer = async (): Promise<void> => {
      if (options.hasSubscription()) {
        if (stream) await followStream(call, log, stream);
        else if (all) await followAll(call, log, all, filterOf(options));
      } else {
        const count = Number(options.getCount());
        const isForwards = options.getReadDirection() === 0;
        if (stream) await write(call, streamPage(log, stream, isForwards, count));
        else if (all) await write(call, allPage(log, all, isForwards, count, filterOf(options)));
      }
      call.end();
    };
    answer().catch((error: unknown) => {
      call.emit('error', error instanceof CallError ? error : new CallError(status.UNKNOWN, 'Exception was thrown by handler.'));
    });
  };
}

/** Keeps to the reader's pace; stops where it has gone. */
async function write(call: Call, messages: Messages): Promise<void> {
  for (const message of messages) {
    if (call.cancelled) return;
    if (message && !call.write(message)) await drained(call);
  }
}

async function drained(call: Call): Promise<void> {
  await new Promise<void>((resolve) => {
    const go = (): void => {
      call.off('drain', go);
      call.off('cancelled', go);
      resolve();
    };
    call.on('drain', go);
    call.on('cancelled', go);
    if (call.cancelled) go();
  });
}

function* streamPage(log: EventLog, options: ReadReq.Options.StreamOptions, isForwards: boolean, count: number): Messages {
  const name = nameOf(options.getStreamIdentifier());
  if (count === 0 || (isForwards && options.hasEnd())) throw unexpected('ReadStreamResult');
  const found = log.stream(name);
  if (found === 'deleted') throw streamDeleted(name);
  if (found === 'not-found') {
    yield new streamsPb.ReadResp().setStreamNotFound(new streamsPb.ReadResp.StreamNotFound().setStreamIdentifier(identifierOf(name)));
    return;
  }
  const from = options.hasStart() ? 0 : options.hasEnd() ? found.last : Number(options.getRevision());
  const [start, step] = isForwards ? [Math.max(from, found.first), 1] : [Math.min(from, found.last), -1];
  for (let revision = start, left = count; left > 0 && revision >= found.first && revision <= found.last; revision += step, left -= 1) {
    const record = found.at(revision);
    if (record) yield eventMessage(record);
  }
}

/** A forward read starts with the event at its position, a backward read with the one before it. */
function* allPage(log: EventLog, options: ReadReq.Options.AllOptions, isForwards: boolean, count: number, filter: Filter | undefined): Messages {
  const step = isForwards ? 1 : -1;
  let index = isForwards ? 0 : log.length - 1;
  if (options.hasStart() && !isForwards) return;
  if (options.hasEnd() && isForwards) return;
  const position = options.getPosition();
  if (position) {
    const commit = Number(position.getCommitPosition());
    const found = log.indexOf(commit);
    if (found < 0 && isForwards && commit >= log.end) return;
    if (found < 0 && commit > 0) throw unexpected('ReadAllResult');
    index = isForwards ? Math.max(found, 0) : found - 1;
  }
  for (let left = count; left > 0; index += step) {
    const record = log.at(index);
    if (!record) return;
    if (filter && !filter.matches(record)) continue;
    left -= 1;
    yield eventMessage(record);
  }
}

interface Filter {
  matches(record: LogRecord): boolean;
  readonly window: number;
  readonly checkpointInterval: number;
}

function filterOf(options: ReadReq.Options): Filter | undefined {
  const filter = options.getFilter();
  if (!filter) return undefined;
  const onStream = filter.getStreamIdentifier();
  const expression = onStream ?? filter.getEventType();
  const regex = expression?.getRegex() ? new RegExp(expression.getRegex(), 'u') : undefined;
  const prefixes = expression?.getPrefixList() ?? [];
  const window = filter.hasMax() ? filter.getMax() : WINDOW;
  return {
    matches: ({ stream, type }) => {
      const text = onStream ? stream : type;
      return regex ? regex.test(text) : prefixes.some((prefix) => text.startsWith(prefix));
    },
    window,
    checkpointInterval: window * filter.getCheckpointintervalmultiplier(),
  };
}

/** Writes what `next` gives, and waits for more whenever that is nothing; says so the first time, but not of a stream yet to come. */
async function follow(call: Call, log: EventLog, next: (isLive: boolean) => Messages | 'nothing more' | 'nothing yet'): Promise<void> {
  call.write(new streamsPb.ReadResp().setConfirmation(new streamsPb.ReadResp.SubscriptionConfirmation().setSubscriptionId(randomUUID())));
  let isLive = false;
  let wake = (): void => {};
  const stop = log.onGrown(() => wake());
  call.on('cancelled', () => wake());
  try {
    while (!call.cancelled) {
      const grown = new Promise<void>((resolve) => {
        wake = resolve;
      });
      const messages = next(isLive);
      if (typeof messages === 'object') {
        await write(call, messages);
        continue;
      }
      if (!isLive && messages === 'nothing more') {
        call.write(new streamsPb.ReadResp().setCaughtUp(new streamsPb.ReadResp.CaughtUp()));
        isLive = true;
      }
      if (!call.cancelled) await grown;
    }
  } finally {
    stop();
  }
}

/** Starts after the revision named. */
async function followStream(call: Call, log: EventLog, options: ReadReq.Options.StreamOptions): Promise<void> {
  const name = nameOf(options.getStreamIdentifier());
  const atStart = log.stream(name);
  if (atStart === 'deleted') throw streamDeleted(name);
  let revision = options.hasStart()
    ? 0
    : options.hasEnd()
      ? (typeof atStart === 'object' ? atStart.last : -1) + 1
      : Number(options.getRevision()) + 1;
  await follow(call, log, () => {
    const found = log.stream(name);
    if (found === 'deleted') {
      // The tombstone is shown, then the call fails.
      call.write(eventMessage(tombstoneOf(log, name)));
      throw streamDeleted(name);
    }
    if (found === 'not-found') return options.hasEnd() ? 'nothing more' : 'nothing yet';
    if (revision > found.last) return 'nothing more';
    const records: LogRecord[] = [];
    for (revision = Math.max(revision, found.first); revision <= found.last && records.length < WINDOW; revision += 1) {
      const record = found.at(revision);
      if (record) records.push(record);
    }
    return records.map(eventMessage);
  });
}

function tombstoneOf(log: EventLog, name: string): LogRecord {
  for (let index = log.length - 1; ; index -= 1) {
    const record = log.at(index);
    if (!record) throw new CallError(status.INTERNAL, 'no tombstone');
    if (record.stream === name && record.revision < 0) return record;
  }
}

/** Starts after the position named. While catching up, a checkpoint is the start of the page that was looked at, and has no prepare position. */
async function followAll(call: Call, log: EventLog, options: ReadReq.Options.AllOptions, filter: Filter | undefined): Promise<void> {
  const position = options.getPosition();
  let index = options.hasEnd() ? log.length : position ? log.indexAfter(Number(position.getCommitPosition())) : 0;
  let considered = 0;
  await follow(call, log, (isLive) => {
    if (index >= log.length) return 'nothing more';
    const messages: (ReadResp | undefined)[] = [];
    const pageStart = index === 0 ? 0 : (log.at(index)?.position ?? 0);
    const pageEnd = Math.min(log.length, index + (filter?.window ?? WINDOW));
    let lastMatch: LogRecord | undefined;
    for (; index < pageEnd; index += 1) {
      const record = log.at(index);
      if (!record) break;
      considered += 1;
      const matches = !filter || filter.matches(record);
      if (matches) messages.push(eventMessage(record));
      if (matches) lastMatch = record;
      if (isLive && filter && considered >= filter.checkpointInterval) {
        considered = 0;
        messages.push(checkpoint(record.position, record.position));
      }
    }
    if (!isLive && filter && considered >= filter.checkpointInterval) {
      considered %= filter.checkpointInterval;
      messages.push(lastMatch ? checkpoint(lastMatch.position, lastMatch.position) : checkpoint(pageStart, 0));
    }
    return messages;
  });
}

const checkpoint = (commit: number, prepare: number): ReadResp =>
  new streamsPb.ReadResp().setCheckpoint(new streamsPb.ReadResp.Checkpoint().setCommitPosition(`${commit}`).setPreparePosition(`${prepare}`));
