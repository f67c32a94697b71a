// Keyset cursors: where a page ended, sealed (AES-256-GCM, as sort values may be personal) and bound to the subject and role, the
// route, its filter and sort. They live for 24 hours by real time: the bank's clock may be moved by hand.
import { createCipheriv, createDecipheriv } from 'node:crypto';
import type { Actor } from '../domain/kernel/event.ts';
import { randomBytes } from '../journal/random.ts';
import { derivedKey } from './derived-key.ts';
import { Problem } from './problems.ts';

/** Sort values of a page's last row, as Postgres prints them. */
export type SortValues = readonly (string | null)[];

/** What a cursor continues: with any of it changed, it is no continuation. */
export interface CursorBinding {
  readonly actor: Actor;
  readonly route: string;
  /** Canonical text of the filter's parameters. */
  readonly filter: string;
  /** Canonical text of the sort. */
  readonly sort: string;
}

const LIFE_MS = 24 * 3_600_000;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const MAX_CHARS = 4_096;

export class Cursors {
  readonly #key: Buffer;
  readonly #nowMs: () => number;

  constructor(secret: Buffer, nowMs: () => number = Date.now) {
    this.#key = derivedKey(secret, 'cursor');
    this.#nowMs = nowMs;
  }

  seal(values: SortValues, binding: CursorBinding): string {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonce, { authTagLength: TAG_BYTES });
    cipher.setAAD(bound(binding));
    const text = JSON.stringify([this.#nowMs() + LIFE_MS, ...values]);
    return Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]).toString('base64url');
  }

  /** @throws Problem InvalidCursor */
  open(cursor: string, binding: CursorBinding): SortValues {
    const [expiresAtMs, ...values] = this.#opened(cursor, binding);
    if (typeof expiresAtMs !== 'number' || expiresAtMs < this.#nowMs())
      throw new Problem('InvalidCursor', 'The cursor is older than 24 hours: start the list anew.');
    return values as (string | null)[];
  }

  #opened(cursor: string, binding: CursorBinding): unknown[] {
    const bytes = Buffer.from(cursor.length <= MAX_CHARS && /^[A-Za-z0-9_-]+$/.test(cursor) ? cursor : '', 'base64url');
    if (bytes.length <= NONCE_BYTES + TAG_BYTES) throw new Problem('InvalidCursor');
    const decipher = createDecipheriv('aes-256-gcm', this.#key, bytes.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES });
    decipher.setAAD(bound(binding));
    decipher.setAuthTag(bytes.subarray(bytes.length - TAG_BYTES));
    let text: string;
    try {
      text = decipher.update(bytes.subarray(NONCE_BYTES, bytes.length - TAG_BYTES), undefined, 'utf8') + decipher.final('utf8');
    } catch {
      throw new Problem('InvalidCursor');
    }
    return JSON.parse(text) as unknown[];
  }
}

function bound({ actor, route, filter, sort }: CursorBinding): Buffer {
  return Buffer.from(JSON.stringify([actor.subject, actor.role, actor.onBehalfOf ?? null, route, filter, sort]));
}
