// The calls of EventStoreDB's gRPC protocol that the journal makes, over the connection of @eventstore/db-client (discovery, TLS,
// reconnecting, the way to the leader). Not over its appendToStream and readAll, because those
// - parse and re-write JSON, and our bytes are what is proved;
// - keep the pending appends of all clients of a process in one map: when one connection breaks, another's answer throws where nobody
//   can catch it, and the process dies (streams/appendToStream/batchAppend.js of 6.2.1);
// - wait without a bound for an answer.
import { EventStoreDBClient } from '@eventstore/db-client';
import sharedPb from '@eventstore/db-client/generated/shared_pb.js';
import type { Status } from '@eventstore/db-client/generated/status_pb.js';
import { StreamsClient, StreamsService } from '@eventstore/db-client/generated/streams_grpc_pb.js';
import streamsPb, { type BatchAppendReq, type BatchAppendResp, type ReadReq } from '@eventstore/db-client/generated/streams_pb.js';
import { type EventToAppend, type ExpectedRevision, JournalUnavailable } from '../journal.ts';
import { type RecordedEvent, recordedEvent } from './read-response.ts';

type Channel = ReturnType<StreamsClient['getChannel']>;
type AppendStream = ReturnType<StreamsClient['batchAppend']>;
/** A message is an event or tells something else. */
type ReadCall = ReturnType<typeof StreamsClient.prototype.makeServerStreamRequest<ReadReq, { event: RecordedEvent | undefined }>>;
type CallArguments = Required<Parameters<StreamsClient['batchAppend']>>;

/** What the client declares `protected`, for those who build on it. The package is pinned to one version. */
interface Connection {
  GRPCStreamCreator<Call>(client: typeof StreamsClient, name: string, create: (client: StreamsClient) => Call): () => Promise<Call>;
  callArguments(base: { requiresLeader?: boolean; deadline?: number }, options?: { deadline: number }): CallArguments;
  getChannel(): Promise<Channel>;
}

export type AppendOutcome =
  | { readonly appended: true; readonly revision: number /** Absent where the stream was deleted meanwhile. */; readonly position?: number }
  | { readonly appended: false; readonly revision: number };

/** The node refuses more bytes in one append than it was started with. */
export class NodeLimitExceeded extends Error {
  override readonly name = 'NodeLimitExceeded';
}

/** The node gave up waiting for the write, or dropped it: the same again may succeed at once. */
export class NotConfirmed extends JournalUnavailable {}

export interface Page {
  readonly direction: 'forwards' | 'backwards';
  /** Inclusive; from the start or the end in its direction where absent. */
  readonly from?: number;
  readonly limit?: number;
}

interface PendingAppend {
  readonly resolve: (outcome: AppendOutcome) => void;
  readonly reject: (error: Error) => void;
}

interface AppendCall {
  readonly stream: AppendStream;
  /** By correlation id, which is a counter. */
  readonly pending: Map<string, PendingAppend>;
  isOver: boolean;
}

// gRPC statuses by which the node refuses a call for good: asking again would not help.
const REFUSALS = new Set([3, 7, 9, 12, 16]);

function failure(what: string, cause: unknown): Error {
  const { code, details = '' } = cause as { code?: unknown; details?: string };
  const isRefusal = (typeof code === 'number' && REFUSALS.has(code)) || (code === 2 && details.startsWith('Unexpected Read'));
  return isRefusal ? new Error(`${what} was refused`, { cause }) : new JournalUnavailable(`${what} failed`, { cause });
}

const empty = new sharedPb.Empty();
const streamIdentifier = (stream: string): InstanceType<typeof sharedPb.StreamIdentifier> =>
  new sharedPb.StreamIdentifier().setStreamName(Buffer.from(stream).toString('base64'));

export class EventStoreDbConnection {
  readonly #client: EventStoreDBClient;
  readonly #connection: Connection;
  readonly #deadlineMs: number;
  #appendCall: Promise<AppendCall> | undefined;
  #appends = 0;
  #closed = false;

  constructor({ url, deadlineMs }: { url: string; deadlineMs: number }) {
    this.#client = EventStoreDBClient.connectionString(url);
    this.#connection = this.#client as unknown as Connection;
    this.#deadlineMs = deadlineMs;
  }

  /** One append, durable when it resolves. Appends go out in the order of the calls. */
  append(stream: string, expected: ExpectedRevision, events: readonly EventToAppend[]): Promise<AppendOutcome> {
    return new Promise<AppendOutcome>((resolve, reject) => {
      this.#refuseIfClosed();
      this.#appends += 1;
      const correlation = `${this.#appends}`;
      const request = appendRequest(correlation, stream, expected, events);
      let pending: Map<string, PendingAppend> | undefined;
      const timer = setTimeout(() => {
        pending?.delete(correlation);
        reject(new JournalUnavailable(`an append to ${stream} had no answer within ${this.#deadlineMs} ms`));
      }, this.#deadlineMs);
      const fail = (error: Error): void => {
        clearTimeout(timer);
        reject(error);
      };
      this.#appendCall ??= this.#openAppendCall();
      this.#appendCall.then((call) => {
        if (call.isOver) return fail(new JournalUnavailable('the connection was lost'));
        pending = call.pending;
        pending.set(correlation, {
          resolve: (outcome) => {
            clearTimeout(timer);
            resolve(outcome);
          },
          reject: fail,
        });
        call.stream.write(request);
      }, fail);
    });
  }

  async #openAppendCall(): Promise<AppendCall> {
    const pending = new Map<string, PendingAppend>();
    const over = (cause: unknown): void => {
      this.#appendCall = undefined;
      if (call) call.isOver = true;
      const error = failure('an append', cause ?? new Error('the node ended the call'));
      for (const { reject } of pending.values()) reject(error);
      pending.clear();
    };
    let call: AppendCall | undefined;
    try {
      const stream = await this.#connection.GRPCStreamCreator(StreamsClient, 'append', (client) =>
        client
          .batchAppend(...this.#connection.callArguments({ requiresLeader: true }, { deadline: Number.POSITIVE_INFINITY }))
          .on('data', (answer: BatchAppendResp) => {
            const correlation = answer.getCorrelationId()?.getStructured()?.getLeastSignificantBits() ?? '';
            const waiting = pending.get(correlation);
            pending.delete(correlation);
            if (waiting) settle(answer, waiting);
          })
          .on('error', over)
          .on('end', over),
      )();
      call = { stream, pending, isOver: false };
      return call;
    } catch (cause) {
      this.#appendCall = undefined;
      throw failure('connecting', cause);
    }
  }

  /** Events of one stream; none where there is no such stream. */
  async readStream(stream: string, page: Page): Promise<readonly RecordedEvent[]> {
    const options = new streamsPb.ReadReq.Options.StreamOptions().setStreamIdentifier(streamIdentifier(stream));
    if (page.from !== undefined) options.setRevision(`${page.from}`);
    else if (page.direction === 'forwards') options.setStart(empty);
    else options.setEnd(empty);
    return await this.#read(`reading ${stream}`, pageOptions(page).setStream(options));
  }

  /** Events of all streams, the node's own among them. A position must be one that the node gave. */
  async readAll(page: Page): Promise<readonly RecordedEvent[]> {
    const options = new streamsPb.ReadReq.Options.AllOptions();
    if (page.from !== undefined) {
      options.setPosition(new streamsPb.ReadReq.Options.Position().setCommitPosition(`${page.from}`).setPreparePosition(`${page.from}`));
    } else if (page.direction === 'forwards') options.setStart(empty);
    else options.setEnd(empty);
    return await this.#read(`reading from position ${page.from ?? page.direction}`, pageOptions(page).setAll(options));
  }

  async #read(what: string, options: ReadReq.Options): Promise<readonly RecordedEvent[]> {
    this.#refuseIfClosed();
    const events: RecordedEvent[] = [];
    try {
      await new Promise<void>((resolve, reject) => {
        const open = this.#openRead('read', options, this.#deadlineMs, (call) =>
          call
            .on('data', ({ event }: { event: RecordedEvent | undefined }) => {
              if (event) events.push(event);
            })
            .on('error', reject)
            .on('end', resolve),
        );
        open.catch(reject);
      });
    } catch (cause) {
      throw failure(what, cause);
    }
    return events;
  }

  /** Calls back for whatever the node says after the end of the log, from the moment it listens. Rejects when it listens no more. */
  async listen(onMessage: () => void, signal: AbortSignal): Promise<void> {
    this.#refuseIfClosed();
    const expression = new streamsPb.ReadReq.Options.FilterOptions.Expression().setRegex('^[^\\$]');
    const options = new streamsPb.ReadReq.Options()
      .setAll(new streamsPb.ReadReq.Options.AllOptions().setEnd(empty))
      .setSubscription(new streamsPb.ReadReq.Options.SubscriptionOptions())
      .setFilter(new streamsPb.ReadReq.Options.FilterOptions().setEventType(expression).setMax(1_000).setCheckpointintervalmultiplier(1_000))
      .setUuidOption(new streamsPb.ReadReq.Options.UUIDOption().setString(empty));
    await new Promise<void>((_, reject) => {
      const open = this.#openRead('listen', options, Number.POSITIVE_INFINITY, (call) => {
        const cancel = (): void => call.cancel();
        signal.addEventListener('abort', cancel);
        return call
          .on('data', onMessage)
          .on('error', reject)
          .on('end', () => reject(new Error('the node ended the subscription')))
          .on('close', () => signal.removeEventListener('abort', cancel));
      });
      open.then((call) => {
        if (signal.aborted) call.cancel();
      }, reject);
    });
  }

  /** Listeners are put on by `listen` before anything can happen. */
  #openRead(name: string, options: ReadReq.Options, deadlineMs: number, listen: (call: ReadCall) => ReadCall): Promise<ReadCall> {
    const request = new streamsPb.ReadReq().setOptions(options);
    const { path, requestSerialize } = StreamsService.read;
    return this.#connection.GRPCStreamCreator(StreamsClient, name, (client) => {
      const [metadata, callOptions] =
        deadlineMs === Number.POSITIVE_INFINITY
          ? this.#connection.callArguments({ requiresLeader: true }, { deadline: deadlineMs })
          : this.#connection.callArguments({ requiresLeader: true, deadline: deadlineMs });
      return listen(
        client.makeServerStreamRequest(path, requestSerialize, (bytes) => ({ event: recordedEvent(bytes) }), request, metadata, callOptions),
      );
    })();
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#client.dispose();
    // dispose() ends the calls alone; the channel would keep its socket.
    await this.#connection.getChannel().then(
      (channel) => channel.close(),
      () => {},
    );
  }

  #refuseIfClosed(): void {
    if (this.#closed) throw new JournalUnavailable('the journal was closed');
  }
}

function pageOptions({ direction, limit = Number.MAX_SAFE_INTEGER }: Page): ReadReq.Options {
  return new streamsPb.ReadReq.Options()
    .setReadDirection(direction === 'forwards' ? 0 : 1)
    .setCount(`${limit}`)
    .setNoFilter(empty)
    .setUuidOption(new streamsPb.ReadReq.Options.UUIDOption().setString(empty));
}

function appendRequest(correlation: string, stream: string, expected: ExpectedRevision, events: readonly EventToAppend[]): BatchAppendReq {
  const options = new streamsPb.BatchAppendReq.Options().setStreamIdentifier(streamIdentifier(stream));
  if (expected === 'no-stream') options.setNoStream(empty);
  else options.setStreamPosition(`${expected}`);
  const messages = events.map(({ id, type, data, metadata }) => {
    const message = new streamsPb.BatchAppendReq.ProposedMessage()
      .setId(new sharedPb.UUID().setString(id))
      .setData(Buffer.from(data))
      .setCustomMetadata(Buffer.from(metadata));
    message.getMetadataMap().set('type', type).set('content-type', 'application/json');
    return message;
  });
  return new streamsPb.BatchAppendReq()
    .setCorrelationId(
      new sharedPb.UUID().setStructured(new sharedPb.UUID.Structured().setMostSignificantBits('0').setLeastSignificantBits(correlation)),
    )
    .setOptions(options)
    .setProposedMessagesList(messages)
    .setIsFinal(true);
}

function settle(answer: BatchAppendResp, { resolve, reject }: PendingAppend): void {
  const success = answer.getSuccess();
  if (success) {
    const position = success.getPosition()?.getCommitPosition();
    resolve({ appended: true, revision: Number(success.getCurrentRevision()), ...(position === undefined ? {} : { position: Number(position) }) });
    return;
  }
  const error = answer.getError();
  const details = error?.getDetails();
  switch (details?.getTypeName()) {
    case 'event_store.client.WrongExpectedVersion': {
      const conflict = sharedPb.WrongExpectedVersion.deserializeBinary(details.getValue_asU8());
      resolve({ appended: false, revision: conflict.hasCurrentStreamRevision() ? Number(conflict.getCurrentStreamRevision()) : -1 });
      return;
    }
    case 'event_store.client.MaximumAppendSizeExceeded':
      reject(new NodeLimitExceeded('the node takes less in one append'));
      return;
    case 'event_store.client.StreamDeleted':
    case 'event_store.client.AccessDenied':
    case 'event_store.client.BadRequest':
      reject(new Error(`an append was refused: ${said(error)}`));
      return;
    // Timeout, not ready, too busy, unknown: it may or may not have been written.
    default:
      reject(new NotConfirmed(`an append was not confirmed: ${said(error)}`));
  }
}

const said = (error: Status | undefined): string => error?.getMessage() || error?.getDetails()?.getTypeName() || 'no reason given';
