// Folding a batch into rows in memory. No I/O but the load of the rows it touches; the same for live, building, replay.
import type { RecordedEvent } from '../../domain/kernel/event.ts';
import type { UnknownEvent } from '../../journal/codec.ts';
import type { StoredEvent } from '../../journal/journal.ts';
import { checkRow, columnsOf, type NamedColumn } from './columns.ts';
import type { Projection, Row } from './projection.ts';
import type { Decoded, DecodedBatch, Undecodable } from './shared-reader.ts';
import { chunkOf, Entry, ID_SUM_MODULUS, type Receipt, type Unit } from './unit.ts';

export type LoadRows = (keys: readonly string[]) => Promise<ReadonlyMap<string, Row>>;

export interface FoldOptions {
  readonly projection: Projection;
  readonly categories: readonly string[];
  readonly chunkWidth: number;
  readonly load: LoadRows;
  /** Keys that are held back already, with the streams among them (`streamKey`). */
  readonly parked: Iterable<string>;
  /** `skipName` of each event that is left out for a key. */
  readonly skips: ReadonlySet<string>;
  /** Which events count, where not all do: a replay as of a day. */
  readonly counts?: (event: RecordedEvent) => boolean;
  /** Checks every row as Postgres would and looks for every row: for events that made a unit that was refused, to find whose fault it was. */
  readonly careful?: CarefulFolding | undefined;
}

export interface CarefulFolding {
  readonly brokenSeals: ReadonlySet<string>;
}

/** The key under which events are parked whose rows can't be told: then their whole stream waits. */
export function streamKey(stream: string): string {
  return `${STREAM_PREFIX}${stream}`;
}

export function isStreamKey(key: string): boolean {
  return key.startsWith(STREAM_PREFIX);
}

const STREAM_PREFIX = 'stream:';

export function skipName(position: number, key: string): string {
  return `${position} ${key}`;
}

export class Folder {
  readonly #options: FoldOptions;
  readonly #columns: readonly NamedColumn[];
  readonly #wanted: readonly boolean[];
  readonly #parked: Set<string>;
  #streamsParked: boolean;
  readonly #counts: ((event: RecordedEvent) => boolean) | undefined;
  readonly #careful: CarefulFolding | undefined;

  constructor(options: FoldOptions) {
    this.#options = options;
    this.#columns = columnsOf(options.projection.table);
    const reads = new Set(options.projection.categories);
    this.#wanted = options.categories.map((category) => reads.has(category));
    this.#parked = new Set(options.parked);
    this.#streamsParked = [...this.#parked].some(isStreamKey);
    this.#counts = options.counts;
    this.#careful = options.careful;
  }

  get isCareful(): boolean {
    return this.#careful !== undefined;
  }

  /**
   * Folds a batch into the unit, which moves on to the batch's end, or to just before an event that this program does not know.
   * @param earlier rows of the unit before: perhaps still being written, so the table is not asked for them
   * @param until nothing after this position
   */
  async fold(
    batch: DecodedBatch,
    unit: Unit,
    earlier: ReadonlyMap<string, Entry> | undefined,
    until = Number.POSITIVE_INFINITY,
  ): Promise<UnknownEvent | undefined> {
    const { projection, chunkWidth, load } = this.#options;
    const { decoded, category, stored, idTail } = batch;
    const touched: Entry[] = [];
    const touchedBy: number[] = [];
    const toLoad: Entry[] = [];
    let unknown: UnknownEvent | undefined;
    let end = Math.min(batch.checkpoint, until);
    let chunkEnd = -1;
    let receipt: Receipt = { offered: 0, handled: 0, idSum: 0 };

    for (let index = 0; index < stored.length; index += 1) {
      const from = stored[index] as StoredEvent;
      if (from.position > until) break;
      if (this.#wanted[category[index] as number] !== true) continue;
      const event = decoded[index] as Decoded;
      if ((event as UnknownEvent).unknown === true) {
        unknown = event as UnknownEvent;
        end = index === 0 ? batch.after : (stored[index - 1] as StoredEvent).position;
        break;
      }
      if (from.position > chunkEnd) {
        const chunk = chunkOf(from.position, chunkWidth);
        chunkEnd = (chunk + 1) * chunkWidth;
        receipt = unit.receipt(chunk);
      }
      receipt.offered += 1;
      receipt.handled += 1;
      receipt.idSum = (receipt.idSum + (idTail[index] as number)) % ID_SUM_MODULUS;
      unit.events += 1;
      let keys: readonly string[];
      try {
        if ((event as Undecodable).undecodable === true) throw (event as Undecodable).error;
        if (this.#counts && !this.#counts(event as RecordedEvent)) continue;
        if (this.#streamsParked && this.#parked.has(streamKey(from.stream))) keys = [streamKey(from.stream)];
        else keys = projection.keys(event as RecordedEvent);
      } catch (error) {
        this.#parkStream(unit, from, error);
        continue;
      }
      for (let at = 0; at < keys.length; at += 1) {
        const key = keys[at] as string;
        let entry = unit.entries.get(key);
        if (!entry) {
          const before = earlier?.get(key);
          if (this.#parked.size > 0 && this.#parked.has(key)) entry = new Entry(key, undefined, true);
          else if (before) entry = new Entry(key, before.row, before.parked);
          else {
            entry = new Entry(key, undefined, false);
            if (this.#careful || !projection.creates.has((event as RecordedEvent).type)) toLoad.push(entry);
          }
          unit.entries.set(key, entry);
        }
        touched.push(entry);
        touchedBy.push(index);
      }
    }

    if (toLoad.length > 0) {
      const rows = await load(toLoad.map((entry) => entry.key));
      for (const entry of toLoad) {
        entry.before = rows.get(entry.key);
        entry.row = entry.before;
      }
    }
    this.#apply(unit, batch, touched, touchedBy);

    const last = lastUpTo(stored, end);
    if (last) unit.last = last;
    unit.to = Math.max(unit.to, end);
    return unknown;
  }

  #apply(unit: Unit, { decoded, stored }: DecodedBatch, touched: readonly Entry[], touchedBy: readonly number[]): void {
    const { projection, skips } = this.#options;
    const { apply, table } = projection;
    for (let at = 0; at < touched.length; at += 1) {
      const entry = touched[at] as Entry;
      const index = touchedBy[at] as number;
      const event = decoded[index] as RecordedEvent;
      if (skips.size > 0 && skips.has(skipName((stored[index] as StoredEvent).position, entry.key))) {
        this.#unhandled(unit, stored[index] as StoredEvent);
        continue;
      }
      if (entry.parked) {
        this.#park(unit, entry.key, stored[index] as StoredEvent, null);
        continue;
      }
      try {
        const row = apply(entry.row, event, entry.key);
        if (this.#careful && row !== undefined) checkRow(table, this.#columns, entry.key, row, this.#careful.brokenSeals);
        entry.row = row;
      } catch (error) {
        entry.parked = true;
        this.#parked.add(entry.key);
        this.#park(unit, entry.key, stored[index] as StoredEvent, explain(error));
      }
    }
  }

  #parkStream(unit: Unit, event: StoredEvent, error: unknown): void {
    const key = streamKey(event.stream);
    if (this.#options.skips.has(skipName(event.position, key))) {
      this.#unhandled(unit, event);
      return;
    }
    const waits = this.#parked.has(key);
    this.#parked.add(key);
    this.#streamsParked = true;
    this.#park(unit, key, event, waits ? null : explain(error));
  }

  #park(unit: Unit, key: string, event: StoredEvent, error: string | null): void {
    unit.parked.push({ key, event, error });
    this.#unhandled(unit, event);
  }

  // Events come in order, so one that is held back for several keys is counted once.
  #unhandledAt = 0;
  #unhandled(unit: Unit, event: StoredEvent): void {
    if (this.#unhandledAt === event.position) return;
    this.#unhandledAt = event.position;
    unit.receipt(chunkOf(event.position, this.#options.chunkWidth)).handled -= 1;
  }
}

/** What is kept of a fold's error: an operator's hint, cut short. A fold never holds plain personal data, so neither does this. */
export function explain(error: unknown): string {
  // `Unexpected token 'x', "<the text>" is not valid JSON`.
  if (error instanceof SyntaxError) return 'SyntaxError: malformed JSON';
  return error instanceof Error ? `${error.name}: ${error.message}`.slice(0, 300) : 'thrown, but no Error';
}

function lastUpTo(stored: readonly StoredEvent[], end: number): StoredEvent | undefined {
  for (let index = stored.length - 1; index >= 0; index -= 1) {
    const event = stored[index] as StoredEvent;
    if (event.position <= end) return event;
  }
  return undefined;
}
