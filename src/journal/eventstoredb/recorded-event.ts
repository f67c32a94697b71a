// How our events stand in EventStoreDB: data and metadata as the caller wrote them, byte by byte, and our time of recording as the
// last key of the metadata. The node's own `created` is another clock than ours, so it is not used.
import type { StoredEvent } from '../journal.ts';
import type { RecordedEvent } from './read-response.ts';

const RECORDED_AT = '"$shiji.recordedAt":';
const REST = /^(\d+)\}(\s*)$/;

/** Metadata with the time of recording put in before its closing brace: still one JSON object, for the node's own tools too. */
export function withRecordedAt(metadata: string, recordedAtMs: number): string {
  const end = metadata.lastIndexOf('}');
  if (end < 0) throw new TypeError('metadata is a JSON object');
  const comma = metadata.slice(0, end).trimEnd() === '{' ? '' : ',';
  return `${metadata.slice(0, end)}${comma}${RECORDED_AT}${recordedAtMs}${metadata.slice(end)}`;
}

/** Takes the time out again: the exact text that the caller gave, or undefined where the event is not one of ours. */
export function withoutRecordedAt(stamped: string): { readonly metadata: string; readonly recordedAtMs: number } | undefined {
  const key = stamped.lastIndexOf(RECORDED_AT);
  const rest = key < 0 ? null : REST.exec(stamped.slice(key + RECORDED_AT.length));
  if (!rest) return undefined;
  // No JSON text has a comma before a closing brace, so a comma there is ours.
  const end = stamped[key - 1] === ',' ? key - 1 : key;
  return { metadata: `${stamped.slice(0, end)}}${rest[2]}`, recordedAtMs: Number(rest[1]) };
}

/** What another program wrote into the same node has no time of ours, so the node's is taken. */
export const recordedAtOf = ({ metadata, createdAtMs }: RecordedEvent): number =>
  withoutRecordedAt(metadata.toString('utf8'))?.recordedAtMs ?? createdAtMs;

export function storedEvent({ id, stream, type, revision, position, createdAtMs, ...bytes }: RecordedEvent): StoredEvent {
  const stamped = bytes.metadata.toString('utf8');
  const { metadata, recordedAtMs } = withoutRecordedAt(stamped) ?? { metadata: stamped || '{}', recordedAtMs: createdAtMs };
  return { id, type, data: bytes.data.toString('utf8'), metadata, stream, revision, position, recordedAtMs };
}
