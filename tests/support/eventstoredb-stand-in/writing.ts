// Append, BatchAppend, Delete and Tombstone.

import sharedPb from '@eventstore/db-client/generated/shared_pb.js';
import type { Status } from '@eventstore/db-client/generated/status_pb.js';
import statusPb from '@eventstore/db-client/generated/status_pb.js';
import streamsPb, {
  type AppendReq,
  type AppendResp,
  type BatchAppendReq,
  type BatchAppendResp,
  type DeleteReq,
  type DeleteResp,
  type TombstoneReq,
  type TombstoneResp,
} from '@eventstore/db-client/generated/streams_pb.js';
import { type handleBidiStreamingCall, type handleClientStreamingCall, type handleUnaryCall, status } from '@grpc/grpc-js';
import type { Decision, EventLog, Expected, ProposedEvent } from './event-log.ts';
import { CallError, empty, expectedOf, identifierOf, nameOf, proposedOf, streamDeleted } from './messages.ts';

export interface WritingOptions {
  readonly log: EventLog;
  /** Data bytes of one append: types and metadata are not counted, by a slip in the node. */
  readonly maxAppendBytes: number;
  readonly writeTimeoutMs: number;
}

const bytesOf = (events: readonly ProposedEvent[]): number => events.reduce((sum, { data }) => sum + data.length, 0);

/** The refusals of an append that both forms of it share, in words; undefined where it may be tried. */
function badRequest(stream: string, events: readonly ProposedEvent[]): string | undefined {
  if (stream === '') return 'The stream name is empty.';
  return events.some(({ type }) => type === '') ? 'An event type is empty.' : undefined;
}

/** A protobuf field of bytes: its number and wire type 2, the length as a varint, the bytes. */
function field(number: number, bytes: Uint8Array): Buffer {
  const length: number[] = [];
  for (let rest = bytes.length; ; rest >>>= 7) {
    length.push(rest > 127 ? (rest & 127) | 128 : rest);
    if (rest <= 127) break;
  }
  return Buffer.concat([Buffer.from([(number << 3) | 2, ...length]), bytes]);
}

/** google.rpc.Status with its detail as google.protobuf.Any, whose class the client does not hand out. */
function packed(typeName: string, detail: { serializeBinary(): Uint8Array }, code: number, message: string): Status {
  const any = Buffer.concat([field(1, Buffer.from(`type.googleapis.com/${typeName}`)), field(2, detail.serializeBinary())]);
  return statusPb.Status.deserializeBinary(field(3, any)).setCode(code).setMessage(message);
}

function wrongExpectedVersion(expected: Expected, current: number): Status {
  const detail = new sharedPb.WrongExpectedVersion();
  if (current < 0) detail.setCurrentNoStream(empty);
  else detail.setCurrentStreamRevision(`${current}`);
  if (expected === 'any') detail.setExpectedAny(empty);
  else if (expected === 'no-stream') detail.setExpectedNoStream(empty);
  else if (expected === 'stream-exists') detail.setExpectedStreamExists(empty);
  else detail.setExpectedStreamPosition(`${expected}`);
  return packed('event_store.client.WrongExpectedVersion', detail, status.ALREADY_EXISTS, 'WrongExpectedVersion');
}

export function batchAppend({ log, maxAppendBytes, writeTimeoutMs }: WritingOptions): handleBidiStreamingCall<BatchAppendReq, BatchAppendResp> {
  return (call) => {
    /** What came of each append so far, by correlation id. */
    const parts = new Map<string, { stream: string; expected: Expected; events: ProposedEvent[] }>();
    call.on('data', (request: BatchAppendReq) => {
      const correlation = request.getCorrelationId();
      const key = Buffer.from(correlation?.serializeBinary() ?? []).toString('hex');
      const options = request.getOptions();
      if (options) {
        parts.set(key, { stream: nameOf(options.getStreamIdentifier()), expected: expectedOf(options, options.getStreamPosition()), events: [] });
      }
      const part = parts.get(key);
      if (!part) return;
      const { stream, expected, events } = part;
      events.push(...request.getProposedMessagesList().map(proposedOf));
      const answer = (fill: (answer: BatchAppendResp) => BatchAppendResp): void => {
        if (call.cancelled || call.destroyed) return;
        call.write(fill(new streamsPb.BatchAppendResp().setCorrelationId(correlation).setStreamIdentifier(identifierOf(stream))));
      };
      if (bytesOf(events) > maxAppendBytes) {
        parts.delete(key);
        const detail = new sharedPb.MaximumAppendSizeExceeded().setMaxappendsize(maxAppendBytes);
        const error = packed('event_store.client.MaximumAppendSizeExceeded', detail, status.INVALID_ARGUMENT, 'MaximumAppendSizeExceeded');
        return answer((one) => one.setError(error));
      }
      if (!request.getIsFinal()) return;
      parts.delete(key);
      const bad = badRequest(stream, events);
      const timeOut = (): void => {
        const error = packed('event_store.client.Timeout', new sharedPb.Timeout(), status.DEADLINE_EXCEEDED, 'Timeout');
        setTimeout(() => answer((one) => one.setError(error)), writeTimeoutMs).unref();
      };
      if (bad) {
        const error = packed('event_store.client.BadRequest', new sharedPb.BadRequest().setMessage(bad), status.INVALID_ARGUMENT, 'BadRequest');
        answer((one) => one.setError(error));
        // The node forgets to forget it.
        if (stream !== '') timeOut();
        return;
      }
      void log.append(stream, expected, events).then((decision) => {
        switch (decision.kind) {
          case 'success':
            return answer((one) => one.setSuccess(batchSuccess(decision)));
          case 'wrong-expected-version':
            return answer((one) => one.setError(wrongExpectedVersion(expected, decision.current)));
          case 'stream-deleted': {
            const detail = new sharedPb.StreamDeleted().setStreamIdentifier(identifierOf(stream));
            return answer((one) => one.setError(packed('event_store.client.StreamDeleted', detail, status.NOT_FOUND, 'StreamDeleted')));
          }
          case 'dropped':
            return timeOut();
        }
      });
    });
    call.on('end', () => call.end());
  };
}

function batchSuccess({ revision, position }: Extract<Decision, { kind: 'success' }>): InstanceType<typeof streamsPb.BatchAppendResp.Success> {
  const success = new streamsPb.BatchAppendResp.Success();
  if (revision < 0) success.setNoStream(empty);
  else success.setCurrentRevision(`${revision}`);
  if (position === undefined) return success.setNoPosition(empty);
  return success.setPosition(new sharedPb.AllStreamPosition().setCommitPosition(`${position}`).setPreparePosition(`${position}`));
}

export function append({ log, maxAppendBytes, writeTimeoutMs }: WritingOptions): handleClientStreamingCall<AppendReq, AppendResp> {
  return (call, answer) => {
    let target: { stream: string; expected: Expected } | undefined;
    const events: ProposedEvent[] = [];
    let isOver = false;
    const end = (error: CallError | null, response?: AppendResp): void => {
      if (isOver) return;
      isOver = true;
      answer(error, response);
    };
    call.on('data', (request: AppendReq) => {
      const options = request.getOptions();
      if (options) target = { stream: nameOf(options.getStreamIdentifier()), expected: expectedOf(options, options.getRevision()) };
      const message = request.getProposedMessage();
      if (message) events.push(proposedOf(message));
      if (bytesOf(events) > maxAppendBytes) {
        const trailers = { exception: 'maximum-append-size-exceeded', 'maximum-append-size': `${maxAppendBytes}` };
        end(new CallError(status.INVALID_ARGUMENT, `Maximum Append Size of ${maxAppendBytes} Exceeded.`, trailers));
      }
    });
    call.on('end', () => {
      if (!target || isOver) return;
      const { stream, expected } = target;
      const bad = badRequest(stream, events);
      if (bad) return end(new CallError(status.UNKNOWN, 'Exception was thrown by handler.'));
      void log.append(stream, expected, events).then((decision) => {
        switch (decision.kind) {
          case 'success':
            return end(null, new streamsPb.AppendResp().setSuccess(success(decision)));
          case 'wrong-expected-version':
            return end(null, new streamsPb.AppendResp().setWrongExpectedVersion(conflict(expected, decision.current)));
          case 'stream-deleted':
            return end(streamDeleted(stream));
          case 'dropped':
            setTimeout(() => end(new CallError(status.ABORTED, 'Operation timed out: ')), writeTimeoutMs).unref();
        }
      });
    });
  };
}

function success({ revision, position }: Extract<Decision, { kind: 'success' }>): InstanceType<typeof streamsPb.AppendResp.Success> {
  const message = new streamsPb.AppendResp.Success();
  if (revision < 0) message.setNoStream(empty);
  else message.setCurrentRevision(`${revision}`);
  if (position === undefined) return message.setNoPosition(empty);
  return message.setPosition(new streamsPb.AppendResp.Position().setCommitPosition(`${position}`).setPreparePosition(`${position}`));
}

/** With the fields of version 20.6 filled too. */
function conflict(expected: Expected, current: number): InstanceType<typeof streamsPb.AppendResp.WrongExpectedVersion> {
  const message = new streamsPb.AppendResp.WrongExpectedVersion();
  if (current < 0) message.setCurrentNoStream(empty).setNoStream2060(empty);
  else message.setCurrentRevision(`${current}`).setCurrentRevision2060(current);
  if (expected === 'any') message.setExpectedAny(empty).setAny2060(empty);
  else if (expected === 'stream-exists') message.setExpectedStreamExists(empty).setStreamExists2060(empty);
  else if (expected === 'no-stream') message.setExpectedNoStream(empty);
  else message.setExpectedRevision(`${expected}`).setExpectedRevision2060(expected);
  return message;
}

const NUMBERS = { any: -2, 'no-stream': -1, 'stream-exists': -4 } as const;

/** The failure of a deletion; undefined where it was done. */
function deletionError(stream: string, expected: Expected, decision: Decision): CallError | undefined {
  if (decision.kind === 'stream-deleted') return streamDeleted(stream);
  if (decision.kind !== 'wrong-expected-version') return undefined;
  const number = typeof expected === 'number' ? expected : NUMBERS[expected];
  return new CallError(
    status.FAILED_PRECONDITION,
    `Delete failed due to WrongExpectedVersion. Stream: ${stream}, Expected version: ${number}, Actual version: ${decision.current}`,
    { exception: 'wrong-expected-version', 'stream-name': stream, 'expected-version': `${number}`, 'actual-version': `${decision.current}` },
  );
}

const positionOf = (decision: Decision): string => (decision.kind === 'success' ? `${decision.position}` : '');

export function deleteStream({ log }: WritingOptions): handleUnaryCall<DeleteReq, DeleteResp> {
  return ({ request }, answer) => {
    const options = request.getOptions() ?? new streamsPb.DeleteReq.Options();
    const [stream, expected] = [nameOf(options.getStreamIdentifier()), expectedOf(options, options.getRevision())];
    void log.delete(stream, expected).then((decision) => {
      const error = deletionError(stream, expected, decision);
      if (error) return answer(error);
      const position = new streamsPb.DeleteResp.Position().setCommitPosition(positionOf(decision)).setPreparePosition(positionOf(decision));
      answer(null, new streamsPb.DeleteResp().setPosition(position));
    });
  };
}

export function tombstoneStream({ log }: WritingOptions): handleUnaryCall<TombstoneReq, TombstoneResp> {
  return ({ request }, answer) => {
    const options = request.getOptions() ?? new streamsPb.TombstoneReq.Options();
    const [stream, expected] = [nameOf(options.getStreamIdentifier()), expectedOf(options, options.getRevision())];
    void log.tombstone(stream, expected).then((decision) => {
      const error = deletionError(stream, expected, decision);
      if (error) return answer(error);
      const position = new streamsPb.TombstoneResp.Position().setCommitPosition(positionOf(decision)).setPreparePosition(positionOf(decision));
      answer(null, new streamsPb.TombstoneResp().setPosition(position));
    });
  };
}
