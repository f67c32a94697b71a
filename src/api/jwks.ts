// The issuer's public keys by JWKS (RFC 7517), from one configured address and never from a token. One fetch gives all keys, so a
// withdrawn key is gone with the next one; while the issuer does not answer, the last ones serve. Not get-jwks: that fetches per
// key, has no pause between fetches for unknown ones, and answers from its stale copy also where the issuer withdrew the key.
import { createPublicKey } from 'node:crypto';
import { z } from 'zod';
import { Problem, RETRY_SOON } from './problems.ts';

export type JwksAlgorithm = 'RS256' | 'ES256';

export interface JwksOptions {
  readonly algorithm: JwksAlgorithm;
  readonly jwksUrl: string;
  /** Keys older than this are fetched anew, while they go on serving. */
  readonly fetchedAfterMs?: number;
  /** At most one fetch in this time, however many unknown keys are asked for. */
  readonly cooldownMs?: number;
  /** Keys went or changed: what was checked with them must be checked again. */
  readonly onChange: () => void;
}

const TIMEOUT_MS = 5_000;
const MAX_BYTES = 256 * 1024;
const KeySet = z.object({
  keys: z.array(z.looseObject({ kid: z.string().min(1), kty: z.string(), use: z.string().optional(), alg: z.string().optional() })),
});

export class Jwks {
  readonly #options: JwksOptions;
  readonly #fetchedAfterMs: number;
  readonly #cooldownMs: number;
  /** PEM by kid; undefined until the first fetch that succeeded. */
  #keys: ReadonlyMap<string, string> | undefined;
  #triedAtMs = Number.NEGATIVE_INFINITY;
  #fetching: Promise<void> | undefined;
  readonly #closing = new AbortController();

  constructor(options: JwksOptions) {
    this.#options = options;
    this.#fetchedAfterMs = options.fetchedAfterMs ?? 300_000;
    this.#cooldownMs = options.cooldownMs ?? 30_000;
  }

  /** The key of an id; a promise where it may come by a fetch. Rejects with a Problem where no key was ever fetched. */
  key(kid: string | undefined): string | undefined | Promise<string | undefined> {
    if (kid === undefined) return undefined;
    const known = this.#keys?.get(kid);
    if (known !== undefined) return known;
    if (this.#fetching === undefined && !this.#mayFetch()) {
      if (this.#keys === undefined) return Promise.reject(unavailable());
      return undefined;
    }
    return this.#fetch().then(() => {
      if (this.#keys === undefined) throw unavailable();
      return this.#keys.get(kid);
    });
  }

  /** Starts a fetch where the keys have served their time; nobody waits for it. */
  freshen(): void {
    if (this.#keys === undefined || performance.now() - this.#triedAtMs < this.#fetchedAfterMs) return;
    if (this.#mayFetch()) void this.#fetch();
  }

  close(): void {
    this.#closing.abort();
  }

  #mayFetch(): boolean {
    // Nobody can be let in before the first keys are there, so those are tried for more often.
    return performance.now() - this.#triedAtMs >= (this.#keys === undefined ? this.#cooldownMs / 10 : this.#cooldownMs);
  }

  #fetch(): Promise<void> {
    this.#fetching ??= this.#refresh().finally(() => {
      this.#fetching = undefined;
    });
    return this.#fetching;
  }

  async #refresh(): Promise<void> {
    this.#triedAtMs = performance.now();
    let keys: ReadonlyMap<string, string>;
    try {
      const signal = AbortSignal.any([AbortSignal.timeout(TIMEOUT_MS), this.#closing.signal]);
      const answer = await fetch(this.#options.jwksUrl, { signal, redirect: 'error', headers: { accept: 'application/json' } });
      if (!answer.ok) return;
      const text = await answer.text();
      if (text.length > MAX_BYTES) return;
      keys = this.#read(KeySet.parse(JSON.parse(text)).keys);
    } catch {
      // The issuer does not answer, or answers nonsense: what is known goes on serving.
      return;
    }
    const before = this.#keys;
    this.#keys = keys;
    if (before !== undefined && [...before].some(([kid, pem]) => keys.get(kid) !== pem)) this.#options.onChange();
  }

  #read(keys: z.output<typeof KeySet>['keys']): ReadonlyMap<string, string> {
    const byId = new Map<string, string>();
    for (const { kid, use, alg, ...jwk } of keys) {
      if ((use !== undefined && use !== 'sig') || (alg !== undefined && alg !== this.#options.algorithm)) continue;
      const pem = this.#pemOf(jwk);
      if (pem !== undefined) byId.set(kid, pem);
    }
    return byId;
  }

  #pemOf(jwk: Record<string, unknown>): string | undefined {
    try {
      const key = createPublicKey({ key: jwk, format: 'jwk' });
      const fits =
        this.#options.algorithm === 'RS256'
          ? key.asymmetricKeyType === 'rsa' && (key.asymmetricKeyDetails?.modulusLength ?? 0) >= 2048
          : key.asymmetricKeyDetails?.namedCurve === 'prime256v1';
      return fits ? key.export({ type: 'spki', format: 'pem' }).toString() : undefined;
    } catch {
      return undefined;
    }
  }
}

function unavailable(): Problem {
  return new Problem('TokenKeysUnavailable', undefined, { headers: RETRY_SOON });
}
