// What only one customer may have: taken before the facts that say so are appended, kept by claims/postgres-claims.ts, rebuilt from the
// journal. A claim that a crash left behind is taken over only by closing its holder's stream, so that the late writer finds it closed.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Rejection } from '../domain/kernel/decider.ts';
import type { Claim } from './command.ts';

export interface Claims {
  /** Who holds each claim, in their order; undefined where nobody does. */
  holderOf(claims: readonly Claim[]): Promise<readonly (string | undefined)[]>;
  /** All or none. Asking again for what one has makes its time new. */
  take(holder: string, claims: readonly Claim[]): Promise<TakenClaims | HeldClaim>;
  /** Gives back what this taking got, unless it was taken anew since. */
  release(taken: TakenClaims): Promise<void>;
  /** When a holder last took something, by the database's clock; undefined where it holds nothing. */
  lastTaken(holder: string): Promise<LastTaken | undefined>;
  /** Frees what a holder had taken until then. */
  drop(holder: string, until: string): Promise<void>;
  /** Frees these of a holder's, whoever else has others. */
  free(holder: string, claims: readonly Claim[]): Promise<void>;
}

export interface TakenClaims {
  readonly holder: string;
  /** Those that were not the holder's before. */
  readonly fresh: readonly { readonly hash: Buffer; readonly takenAt: string }[];
}

export interface HeldClaim {
  readonly heldBy: string;
  /** Which of the claims asked for. */
  readonly index: number;
}

export interface LastTaken {
  readonly at: string;
  readonly ageMs: number;
}

/** How it is found out about, and put an end to, what a holder has begun. */
export interface Holders {
  /** Whether a holder's stream says more than that it was given up. */
  isThere(holder: string): Promise<boolean>;
  /** Closes the stream of a holder that never came; false where it came after all. */
  giveUp(holder: string): Promise<boolean>;
}

/** A registration that has not come after so long has crashed, or is fenced. */
const PATIENCE_MS = 3_000;
const POLL_MS = 20;
// Longer than any claim stays fresh: whoever waits for one that is taken again and again is told that it is taken.
const MOST_WAITS = 2;

export interface Taking {
  readonly claims: Claims;
  readonly holders: Holders;
  readonly patienceMs?: number | undefined;
}

/** The claims of one command, and what it took of them. */
export class Claiming {
  readonly #wanted: readonly Claim[];
  readonly #taken: TakenClaims[] = [];

  constructor(wanted: readonly Claim[]) {
    this.#wanted = wanted;
  }

  /** At each attempt anew, since another may have taken them over meanwhile; the refusal where another has one. */
  async take(taking: Taking, holder: string): Promise<Rejection | undefined> {
    const taken = await takeClaims(taking, holder, this.#wanted);
    if ('heldBy' in taken) return claimTaken(this.#wanted, taken);
    this.#taken.push(taken);
    return undefined;
  }

  async release(claims: Claims | undefined): Promise<void> {
    for (const taken of this.#taken) await claims?.release(taken);
  }
}

/** The refusal where another, who is there, has one of these; takes nothing. */
export async function refusedByAnother({ claims, holders }: Taking, holder: string, wanted: readonly Claim[]): Promise<Rejection | undefined> {
  const found = await claims.holderOf(wanted);
  for (const [index, heldBy] of found.entries())
    if (heldBy !== undefined && heldBy !== holder && (await holders.isThere(heldBy))) return claimTaken(wanted, { heldBy, index });
  return undefined;
}

/** Takes claims for a holder, over from a crashed one where it must be. Waits while another's are fresh and its facts not there yet. */
async function takeClaims(
  { claims, holders, patienceMs = PATIENCE_MS }: Taking,
  holder: string,
  wanted: readonly Claim[],
): Promise<TakenClaims | HeldClaim> {
  const startedMs = performance.now();
  for (;;) {
    const taking = await claims.take(holder, wanted);
    if ('fresh' in taking) return taking;
    const last = await claims.lastTaken(taking.heldBy);
    if (last === undefined) continue;
    if (await holders.isThere(taking.heldBy)) return taking;
    if (last.ageMs > patienceMs) {
      if (!(await holders.giveUp(taking.heldBy))) return taking;
      await claims.drop(taking.heldBy, last.at);
    } else if (performance.now() - startedMs > MOST_WAITS * patienceMs + POLL_MS) {
      return taking;
    } else {
      await sleep(POLL_MS);
    }
  }
}

/** The answer where a claim is another's. It never says whose. Documents are claimed in the order of the body's `documents`. */
function claimTaken(wanted: readonly Claim[], { index }: HeldClaim): Rejection {
  const { kind, pointer } = wanted[index] ?? {};
  if (kind !== 'document') return { rejected: 'ClaimTaken', detail: 'Another customer here stands for it already.' };
  const before = wanted.slice(0, index).filter(({ kind }) => kind === 'document').length;
  return {
    rejected: 'ClaimTaken',
    detail: 'The bank knows a customer with this document: ask operations.',
    pointer: pointer ?? `/documents/${before}/number`,
  };
}
