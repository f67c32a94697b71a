// A sight: whoever has a customer in front of them, or on the line, sees that one for a quarter of an hour. It is given by a search that
// named them exactly, and opens for the same subject and role alone. Real time, as tokens keep: the bank's clock may be moved by hand.
import { createCipheriv, createDecipheriv } from 'node:crypto';
import type { Actor } from '../domain/kernel/event.ts';
import { randomBytes } from '../journal/random.ts';
import { derivedKey } from './derived-key.ts';
import { Problem } from './problems.ts';

export const SIGHT_HEADER = 'shiji-sight';
const LIFE_MS = 15 * 60_000;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

export class Sights {
  readonly #key: Buffer;
  readonly #nowMs: () => number;

  constructor(secret: Buffer, nowMs: () => number = Date.now) {
    this.#key = derivedKey(secret, 'sight');
    this.#nowMs = nowMs;
  }

  seal(customerId: string, actor: Actor): string {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonce, { authTagLength: TAG_BYTES });
    cipher.setAAD(bound(actor));
    const text = JSON.stringify([this.#nowMs() + LIFE_MS, customerId]);
    return Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]).toString('base64url');
  }

  /** The customer that it opens to. @throws Problem SightInvalid */
  open(sight: string, actor: Actor): string {
    const bytes = Buffer.from(/^[A-Za-z0-9_-]{1,300}$/.test(sight) ? sight : '', 'base64url');
    if (bytes.length <= NONCE_BYTES + TAG_BYTES) throw new Problem('SightInvalid');
    const decipher = createDecipheriv('aes-256-gcm', this.#key, bytes.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES });
    decipher.setAAD(bound(actor));
    decipher.setAuthTag(bytes.subarray(bytes.length - TAG_BYTES));
    let text: string;
    try {
      text = decipher.update(bytes.subarray(NONCE_BYTES, bytes.length - TAG_BYTES), undefined, 'utf8') + decipher.final('utf8');
    } catch {
      throw new Problem('SightInvalid');
    }
    const [expiresAtMs, customerId] = JSON.parse(text) as [number, string];
    if (expiresAtMs < this.#nowMs()) throw new Problem('SightInvalid');
    return customerId;
  }
}

function bound({ subject, role, onBehalfOf }: Actor): Buffer {
  return Buffer.from(JSON.stringify([subject, role, onBehalfOf ?? null]));
}
