// Ids that a retry finds again: a command's from what was asked under which key, and from it the created stream's and each event's
// (journal/codec.ts, eventIdOf). The key's time prefix is kept where the key is a UUIDv7, so that ids arrive in index order.
import { createHash } from 'node:crypto';
import { fillRandom } from '../journal/random.ts';

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i;

/** The id of a command: a UUIDv8 over who asked what of what under which idempotency key. */
export function commandIdOf(subject: string, command: string, target: string, key: string): string {
  const hex = createHash('sha256').update(`${subject}\n${command}\n${target}\n${key}`).digest('hex');
  const time = UUID_V7.test(key) ? key.replaceAll('-', '').slice(0, 12).toLowerCase() : hex.slice(0, 12);
  return uuidOf(time, hex.slice(12, 30));
}

/** A fresh command id, for a command without a key: like the id under a UUIDv7 key drawn now (epoch milliseconds). */
export function drawCommandId(nowMs: number): string {
  const random = Buffer.allocUnsafe(9);
  fillRandom(random, 0, 9);
  return uuidOf(Math.floor(nowMs).toString(16).padStart(12, '0').slice(-12), random.toString('hex'));
}

/** The id of the stream that a command creates. */
export function createdIdOf(commandId: string): string {
  // Another UUID than the command's own, told apart by its variant digits; the time prefix stays.
  const last = (Number.parseInt(commandId.slice(-4), 16) ^ 0x8000).toString(16).padStart(4, '0');
  return commandId.slice(0, -4) + last;
}

function uuidOf(time: string, rest: string): string {
  const variant = ((Number.parseInt(rest.slice(3, 4), 16) & 0x3) | 0x8).toString(16);
  return `${time.slice(0, 8)}-${time.slice(8, 12)}-8${rest.slice(0, 3)}-${variant}${rest.slice(4, 7)}-${rest.slice(7, 18).padEnd(12, '0')}`;
}

/**
 * The id here of what another system knows by its own: a UUIDv8 over kind, system and id, so that a fact may name a thing that has not
 * come yet.
 */
export function sourceIdOf(kind: string, system: string, id: string): string {
  const hex = createHash('sha256').update(`${kind}\n${system}\n${id}`).digest('hex');
  return uuidOf(hex.slice(0, 12), hex.slice(12, 30));
}

/** The id of the one enrolment that a customer can have in a campaign. */
export function enrolmentIdOf(campaignId: string, customerId: string): string {
  const hex = createHash('sha256').update(`enrolment\n${campaignId}\n${customerId}`).digest('hex');
  return uuidOf(hex.slice(0, 12), hex.slice(12, 30));
}

/** The id of the approval that a command waits for, and of the command that asks for it: a retry asks for the same. */
export function approvalIdOf(commandId: string): string {
  return derivedId('approval', commandId);
}

/** The id of a granted change's command: however often it is tried, it takes effect once. */
export function carryOutIdOf(approvalId: string): string {
  return derivedId('carried out', approvalId);
}

/** Another UUID of the same time. */
function derivedId(what: string, id: string): string {
  const hex = createHash('sha256').update(`${what}\n${id}`).digest('hex');
  return uuidOf(id.replaceAll('-', '').slice(0, 12), hex.slice(12, 30));
}
