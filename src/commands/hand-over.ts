// A document that was entered by mistake and given up goes to who has it by a core system's word: it could not be claimed for them while
// another had it, and nobody else may have it now.
import { type CustomerState, customer } from '../domain/customer/customer.ts';
import { type PairsState, possiblePairs } from '../domain/customer/pairs.ts';
import type { EventCodec } from '../journal/codec.ts';
import type { JournalReader } from '../journal/journal.ts';
import type { Opener } from '../journal/sealing.ts';
import type { Claims } from './claims.ts';
import type { Claim } from './command.ts';
import { claimedBy, numbersOf } from './customer-identity.ts';
import { plainOf } from './deciding.ts';
import { emptyStream, Streams } from './streams.ts';

export interface HandOverParts {
  readonly claims: Pick<Claims, 'take'>;
  readonly journal: Pick<JournalReader, 'readStream'>;
  readonly codec: EventCodec;
  readonly opener: Opener;
}

/** Whoever was reported with a document of another's stands with that one as a possible pair. */
export async function handOver({ claims, journal, codec, opener }: HandOverParts, from: string, freed: readonly Claim[]): Promise<void> {
  const streams = new Streams(journal, codec);
  const others = (await streams.load(possiblePairs, `pair-${from}`, emptyStream(possiblePairs))).state as PairsState;
  for (const other of others) {
    const state = (await streams.load(customer, `customer-${other}`, emptyStream(customer))).state as CustomerState;
    const theirs = new Set(claimedBy(state, await plainOf(opener, numbersOf(state))).map(({ value }) => value));
    for (const claim of freed) if (theirs.has(claim.value)) await claims.take(other, [claim]);
  }
}
