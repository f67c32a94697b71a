// Sealing of personal values: AES-256-GCM under a subkey of the subject's data key, one subkey an event (HKDF-Expand, RFC 5869, whose
// extract step a uniformly random key does not need), bound to journal, stream, event, field and key version. Beside the ciphertext
// stands a hiding commitment (HMAC-SHA-256 under 32 random bytes kept inside): it proves a plaintext to whoever can open it, tells
// nothing to others, and stops one ciphertext from opening to two texts under two keys.
import { createCipheriv, createDecipheriv, createHmac, timingSafeEqual } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { Erased, Sealed } from '../domain/kernel/personal.ts';
import type { DataKey, Keyring } from './keyring.ts';
import { fillRandom, randomBytes } from './random.ts';

const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const BLIND_BYTES = 32;

/** A sealed value did not open under its own key: it was altered, or moved from elsewhere. */
export class SealBroken extends Error {
  override readonly name = 'SealBroken';
}

/** The subkey of one event. */
export function eventSubkey(key: DataKey, eventId: string): Buffer {
  return createHmac('sha256', key.key).update(eventId).update('\x01').digest();
}

/** Seals one JSON text; the answer is `Sealed.envelope`. */
export function seal(journalId: string, key: DataKey, subkey: Buffer, stream: string, eventId: string, field: string, json: string): string {
  const plain = Buffer.allocUnsafe(BLIND_BYTES + Buffer.byteLength(json));
  fillRandom(plain, 0, BLIND_BYTES);
  plain.write(json, BLIND_BYTES);
  const commitment = createHmac('sha256', plain.subarray(0, BLIND_BYTES)).update(plain.subarray(BLIND_BYTES)).digest('base64url');
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', subkey, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(associatedData(journalId, stream, eventId, field, key));
  const sealed = Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
  return `${key.id}.${key.version}.${sealed.toString('base64url')}.${commitment}`;
}

/**
 * A keyed and blinded hash of a text that is not kept: tells nothing without the key, and with it whether another text is the same.
 * `<key id>.<key version>.<base64url of the blind>.<base64url of the hash>`
 */
export function digest(key: DataKey, subkey: Buffer, json: string): string {
  const blind = randomBytes(NONCE_BYTES);
  return `${key.id}.${key.version}.${blind.toString('base64url')}.${digestOf(subkey, blind, json)}`;
}

function digestOf(subkey: Buffer, blind: Buffer, json: string): string {
  // Apart from whatever else is done under this subkey.
  return createHmac('sha256', subkey).update('digest\n').update(blind).update(json).digest('base64url');
}

/** What stands in a text's place: see `digest`. */
export class Digest {
  readonly eventId: string;
  readonly text: string;
  constructor(eventId: string, text: string) {
    this.eventId = eventId;
    this.text = text;
  }
}

/** The commitment beside a sealed value, or the hash in a text's place. */
export function commitmentOf(envelope: string): string {
  return envelope.slice(envelope.lastIndexOf('.') + 1);
}

/** Opens sealed values for whoever holds the keyring. */
export class Opener {
  readonly #journalId: string;
  readonly #keyring: Keyring;
  readonly #remembered: LRUCache<string, string> | undefined;

  /**
   * @param remembers characters of plain texts that are kept for who asks again, as a customer is looked at page by page. They are given
   * only where their key is still there, so an erasure is felt as soon as without.
   */
  constructor(journalId: string, keyring: Keyring, remembers = 0) {
    this.#journalId = journalId;
    this.#keyring = keyring;
    if (remembers > 0)
      this.#remembered = new LRUCache({ maxSize: remembers, sizeCalculation: (text, envelope) => text.length + envelope.length, ttl: 60_000 });
  }

  /** The values as JSON gives them, in order; `Erased` where the key was destroyed. @throws SealBroken */
  async openMany(values: readonly Sealed[]): Promise<readonly unknown[]> {
    const keyIds = values.map(keyIdOf);
    const keys = await this.#keyring.forOpening(keyIds);
    // Values of one event stand together: its subkey is derived once.
    let lastEvent = '';
    let lastKey: DataKey | undefined;
    let subkey: Buffer | undefined;
    return values.map((value, index) => {
      const key = keys.get(keyIds[index] ?? -1);
      if (!key) return new Erased();
      // With all that it is bound to: moved elsewhere, it does not open here either.
      const name = this.#remembered && value.toString();
      const known = name === undefined ? undefined : this.#remembered?.get(name);
      if (known !== undefined) return known;
      if (!subkey || lastEvent !== value.eventId || lastKey !== key) {
        subkey = eventSubkey(key, value.eventId);
        lastEvent = value.eventId;
        lastKey = key;
      }
      const opened = JSON.parse(open(this.#journalId, key, subkey, value)) as unknown;
      // Texts alone: an object could be changed by whom it was given to.
      if (name !== undefined && typeof opened === 'string') this.#remembered?.set(name, opened);
      return opened;
    });
  }

  /** Whether a digest is of this text; `Erased` where the key was destroyed. */
  async matches({ eventId, text }: Digest, json: string): Promise<boolean | Erased> {
    const [id = '', , blind = '', hash] = text.split('.');
    const key = (await this.#keyring.forOpening([Number(id)])).get(Number(id));
    if (!key) return new Erased();
    return digestOf(eventSubkey(key, eventId), Buffer.from(blind, 'base64url'), json) === hash;
  }

  /** One value, plain texts and erased ones passing through. */
  async open<Value>(value: Value | Sealed | Erased): Promise<Value | Erased> {
    if (!(value instanceof Sealed)) return value;
    return (await this.openMany([value]))[0] as Value | Erased;
  }
}

function keyIdOf({ envelope, field, eventId }: Sealed): number {
  const id = /^(\d{1,15})\./.exec(envelope)?.[1];
  if (id === undefined) throw new SealBroken(`the seal of ${field} in event ${eventId} is malformed`);
  return Number(id);
}

function open(journalId: string, key: DataKey, subkey: Buffer, value: Sealed): string {
  const [id, version, body = '', commitment = ''] = value.envelope.split('.');
  const sealed = Buffer.from(body, 'base64url');
  if (Number(id) !== key.id || Number(version) !== key.version || sealed.length < NONCE_BYTES + BLIND_BYTES + TAG_BYTES)
    throw new SealBroken(`the seal of ${value.field} in event ${value.eventId} is malformed`);
  const decipher = createDecipheriv('aes-256-gcm', subkey, sealed.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES });
  decipher.setAAD(associatedData(journalId, value.stream, value.eventId, value.field, key));
  decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES));
  let plain: Buffer;
  try {
    plain = Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES, sealed.length - TAG_BYTES)), decipher.final()]);
  } catch (cause) {
    throw new SealBroken(`the seal of ${value.field} in event ${value.eventId} does not open`, { cause });
  }
  const json = plain.subarray(BLIND_BYTES);
  const expected = createHmac('sha256', plain.subarray(0, BLIND_BYTES)).update(json).digest();
  const given = Buffer.from(commitment, 'base64url');
  if (given.length !== expected.length || !timingSafeEqual(given, expected))
    throw new SealBroken(`the commitment of ${value.field} in event ${value.eventId} does not match`);
  return json.toString();
}

function associatedData(journalId: string, stream: string, eventId: string, field: string, key: DataKey): Buffer {
  return Buffer.from(`${journalId}\n${stream}\n${eventId}\n${field}\n${key.id}.${key.version}`);
}
