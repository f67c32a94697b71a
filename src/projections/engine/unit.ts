// What is written together: the rows that a stretch of events touched, the receipts for it and what it parked. Filled by fold.ts,
// written by runner.ts with the checkpoint, or dropped whole when that fails.
import type { StoredEvent } from '../../journal/journal.ts';
import type { Row } from './projection.ts';

/** A row that the unit touches. */
export class Entry {
  readonly key: string;
  /** As the table has it; undefined where it has none. */
  before: Row | undefined;
  row: Row | undefined;
  /** Held back: the row stays as it is. */
  parked: boolean;

  constructor(key: string, row: Row | undefined, parked: boolean) {
    this.key = key;
    this.before = row;
    this.row = row;
    this.parked = parked;
  }
}

export interface Receipt {
  offered: number;
  handled: number;
  idSum: number;
}

export interface ParkedEvent {
  readonly key: string;
  readonly event: StoredEvent;
  /** Why the first of its key is parked; null for those that only wait behind it. */
  readonly error: string | null;
}

/** Of the receipts' sums: the last 12 hex digits of an event id are below it. */
export const ID_SUM_MODULUS = 2 ** 48;

export class Unit {
  readonly from: number;
  /** How far it goes; the checkpoint once it is written. */
  to: number;
  events = 0;
  last: StoredEvent | undefined;
  readonly entries = new Map<string, Entry>();
  readonly receipts = new Map<number, Receipt>();
  readonly parked: ParkedEvent[] = [];

  constructor(from: number) {
    this.from = from;
    this.to = from;
  }

  receipt(chunk: number): Receipt {
    let receipt = this.receipts.get(chunk);
    if (!receipt) {
      receipt = { offered: 0, handled: 0, idSum: 0 };
      this.receipts.set(chunk, receipt);
    }
    return receipt;
  }
}

/** Chunk 0 holds the positions 1 to the chunk width. */
export function chunkOf(position: number, chunkWidth: number): number {
  return Math.floor((position - 1) / chunkWidth);
}
