// Journal positions as clients see them: opaque and bound to the subject, since plain ones would show how active others are.
// One AES-256 block: position (6 bytes), a MAC of the subject (6), random (4), so that a forged one opens for nobody (2^-48) and
// two tokens can't be compared. Whoever may see positions gets them plain: `p123`.
import { createCipheriv, createDecipheriv, createHmac } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Actor } from '../domain/kernel/event.ts';
import { fillRandom } from '../journal/random.ts';
import { derivedKey } from './derived-key.ts';

const PLAIN_ROLES: ReadonlySet<string> = new Set(['auditor', 'administrator']);
const PLAIN = /^p(0|[1-9][0-9]{0,14})$/;
const SEALED = /^[A-Za-z0-9_-]{22}$/;

export class PositionTokens {
  readonly #macKey: Buffer;
  readonly #cipher;
  readonly #decipher;
  readonly #block = Buffer.alloc(16);
  readonly #subjects = new LRUCache<string, Buffer>({ max: 10_000 });

  constructor(secret: Buffer) {
    const key = derivedKey(secret, 'position-token');
    this.#macKey = derivedKey(secret, 'position-token subject');
    // Without padding each update gives its block at once, so one object serves for ever: making one each time doubles the cost.
    this.#cipher = createCipheriv('aes-256-ecb', key, null).setAutoPadding(false);
    this.#decipher = createDecipheriv('aes-256-ecb', key, null).setAutoPadding(false);
  }

  seal(position: number, actor: Actor): string {
    if (PLAIN_ROLES.has(actor.role)) return `p${position}`;
    const block = this.#block;
    block.writeUIntBE(position, 0, 6);
    this.#macOf(actor.subject).copy(block, 6);
    fillRandom(block, 12, 4);
    return this.#cipher.update(block).toString('base64url');
  }

  /** Undefined where it was not given to this subject. */
  open(token: string, actor: Actor): number | undefined {
    if (PLAIN_ROLES.has(actor.role)) {
      const plain = PLAIN.exec(token);
      if (plain) return Number(plain[1]);
    }
    if (!SEALED.test(token)) return undefined;
    const block = this.#decipher.update(Buffer.from(token, 'base64url'));
    if (block.compare(this.#macOf(actor.subject), 0, 6, 6, 12) !== 0) return undefined;
    return block.readUIntBE(0, 6);
  }

  #macOf(subject: string): Buffer {
    let mac = this.#subjects.get(subject);
    if (mac === undefined) {
      mac = createHmac('sha256', this.#macKey).update(subject).digest().subarray(0, 6);
      this.#subjects.set(subject, mac);
    }
    return mac;
  }
}
