// The JetStream stream that events are published to. Each message names the sequence that must be the stream's last, so the server
// itself keeps the order: after one that got lost none that follows is taken, and a publisher that was superseded finds no place.
import {
  JetStreamApiCodes,
  JetStreamApiError,
  type JetStreamClient,
  type JetStreamManager,
  jetstream,
  jetstreamManager,
  RetentionPolicy,
  type StreamInfo,
} from '@nats-io/jetstream';
import { type NatsConnection, nanos } from '@nats-io/transport-node';
import type { StoredEvent } from '../journal/journal.ts';
import { ANSWER_MS } from './nats-connection.ts';
import { messageOf, type PublishedEvent, publishedEventOf } from './nats-message.ts';

/** In this time a second message of one id is not taken. */
export const DUPLICATE_WINDOW_MS = 120_000;

/** The stream can't be published to until someone does something; the message says what. */
export class StreamUnfit extends Error {
  override readonly name = 'StreamUnfit';
}

export interface StreamEnd {
  /** When the stream was made: another one of the same name is not the one that was published to. */
  readonly created: string;
  readonly sequence: number;
  /** The last message's event; undefined where the stream is empty or the message is not kept any more. */
  readonly last: PublishedEvent | undefined;
}

export interface Sent {
  /** So many from the first on are in the stream. */
  readonly acknowledged: number;
  /** The stream's last sequence then. */
  readonly sequence: number;
  /** Why the next one is not. */
  readonly failure: unknown;
}

export class NatsStream {
  readonly name: string;
  readonly #prefix: string;
  readonly #client: JetStreamClient;
  readonly #manager: JetStreamManager;
  readonly #maxPayload: number;

  private constructor(connection: NatsConnection, manager: JetStreamManager, prefix: string) {
    this.#client = jetstream(connection, { timeout: ANSWER_MS });
    this.#manager = manager;
    this.#maxPayload = connection.info?.max_payload ?? Number.POSITIVE_INFINITY;
    this.#prefix = prefix;
    this.name = streamName(prefix);
  }

  /** @param prefix the first word of all subjects; the stream's name in capitals */
  static async open(connection: NatsConnection, prefix: string): Promise<NatsStream> {
    return new NatsStream(connection, await jetstreamManager(connection, { timeout: ANSWER_MS }), prefix);
  }

  /**
   * Makes the stream, or takes the one that is there with the limits it has.
   * @throws StreamUnfit
   */
  async end(): Promise<StreamEnd> {
    const { config, created, state } = await this.#info();
    const { name } = this;
    const subjects = `${this.#prefix}.>`;
    if (!config.subjects.includes(subjects))
      throw new StreamUnfit(`The stream ${name} does not take the subjects ${subjects}: add them to it, or delete it to have it made.`);
    if (config.no_ack) throw new StreamUnfit(`The stream ${name} acknowledges nothing: set no_ack to false.`);
    const message = state.last_seq === 0 ? null : await this.#manager.streams.getMessage(name, { seq: state.last_seq });
    const last = message === null ? undefined : publishedEventOf(message.header);
    if (message !== null && last === undefined)
      throw new StreamUnfit(`The last message of the stream ${name}, ${state.last_seq}, is not Shiji's: let nobody else publish to ${subjects}.`);
    return { created, sequence: state.last_seq, last };
  }

  /** Sends them all and waits for all; those after one that was not taken are not taken either. */
  async send(events: readonly StoredEvent[], journalId: string, lastSequence: number): Promise<Sent> {
    const acks = await Promise.allSettled(events.map((event, index) => this.#sendOne(event, journalId, lastSequence + index)));
    let sequence = lastSequence;
    for (const [acknowledged, ack] of acks.entries()) {
      if (ack.status === 'rejected') return { acknowledged, sequence, failure: ack.reason };
      // One that was there before has moved nothing, so the one after it will be refused: it is looked again, and gone on from there.
      if (!ack.value.duplicate) sequence = ack.value.seq;
    }
    return { acknowledged: acks.length, sequence, failure: undefined };
  }

  async #sendOne(event: StoredEvent, journalId: string, lastSequence: number) {
    const { subject, payload, headers } = messageOf(event, this.#prefix, journalId);
    // Some for the headers, which count as well.
    if (payload.length + 2_048 > this.#maxPayload)
      throw new StreamUnfit(`Event ${event.id} needs ${payload.length} bytes, and the NATS server's max_payload is ${this.#maxPayload}: raise it.`);
    return await this.#client.publish(subject, payload, { headers, expect: { lastSequence }, timeout: ANSWER_MS });
  }

  async #info(): Promise<StreamInfo> {
    try {
      return await this.#manager.streams.info(this.name);
    } catch (error) {
      if (!(error instanceof JetStreamApiError && error.code === JetStreamApiCodes.StreamNotFound)) throw error;
    }
    return await this.#manager.streams.add({
      name: this.name,
      subjects: [`${this.#prefix}.>`],
      retention: RetentionPolicy.Limits,
      duplicate_window: nanos(DUPLICATE_WINDOW_MS),
    });
  }
}

export function streamName(prefix: string): string {
  return prefix.toUpperCase();
}
