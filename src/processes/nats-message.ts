// What consumers read (docs/nats.md): an event as a message. Both texts stand in it as the journal has them, sealed, byte for byte.
import { headers, type MsgHdrs } from '@nats-io/transport-node';
import { categoryOf } from '../domain/kernel/event.ts';
import type { StoredEvent } from '../journal/journal.ts';

export interface Message {
  readonly subject: string;
  readonly payload: Uint8Array;
  readonly headers: MsgHdrs;
}

/** Which event it was, as its message says. */
export interface PublishedEvent {
  readonly journalId: string;
  readonly id: string;
  readonly stream: string;
  readonly revision: number;
  readonly position: number;
}

export function messageOf(event: StoredEvent, prefix: string, journalId: string): Message {
  const head = headers();
  head.set('Nats-Msg-Id', event.id);
  head.set('Shiji-Journal', journalId);
  head.set('Shiji-Stream', event.stream);
  head.set('Shiji-Revision', `${event.revision}`);
  head.set('Shiji-Position', `${event.position}`);
  head.set('Shiji-Type', event.type);
  head.set('Shiji-Recorded-At', new Date(event.recordedAtMs).toISOString());
  head.set('Shiji-Data-Bytes', `${Buffer.byteLength(event.data)}`);
  return {
    subject: `${prefix}.${token(categoryOf(event.stream))}.${token(event.type)}`,
    payload: Buffer.from(`{"data":${event.data},"metadata":${event.metadata}}`),
    headers: head,
  };
}

/** Undefined where the message is none of a Shiji's. */
export function publishedEventOf(head: MsgHdrs): PublishedEvent | undefined {
  const published = {
    journalId: head.get('Shiji-Journal'),
    id: head.get('Nats-Msg-Id'),
    stream: head.get('Shiji-Stream'),
    revision: Number(head.get('Shiji-Revision')),
    position: Number(head.get('Shiji-Position')),
  };
  return published.journalId === '' || published.id === '' || !(published.position > 0) ? undefined : published;
}

/** Dots, spaces and wildcards have a meaning in a subject. */
function token(name: string): string {
  return name.replaceAll(/[^A-Za-z0-9_-]/g, '_');
}
