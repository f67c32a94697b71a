// Keys of the API's own tokens, each for one use, derived from the master secret: all processes with one secret take each other's.
import { hkdfSync } from 'node:crypto';

/** 32 bytes. */
export function derivedKey(secret: Buffer, use: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, 'shiji', `shiji api ${use}`, 32));
}
