// What callers were told while something was broken: every try of every command, and the same command asked for once more afterwards.
import { expect } from 'vitest';
import type { Answer, Caller } from './client.ts';

export interface Told {
  readonly key: string;
  readonly path: string;
  /** Undefined where no answer came. */
  readonly status: number | undefined;
  readonly retryAfter: string | null;
  readonly tookMs: number;
}

interface Done {
  readonly answer: Answer;
  readonly again: () => Promise<Answer>;
}

export class Answers {
  readonly told: Told[] = [];
  readonly #done = new Map<string, Done>();

  /** The same caller, listened to. */
  watch(caller: Caller): Caller {
    const post = async <Body>(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer<Body>> => {
      const key = headers['idempotency-key'] ?? '';
      const askedMs = performance.now();
      const tell = (status: number | undefined, retryAfter: string | null): void =>
        void this.told.push({ key, path, status, retryAfter, tookMs: performance.now() - askedMs });
      try {
        const answer = await caller.post<Body>(path, body, headers);
        tell(answer.status, answer.headers.get('retry-after'));
        if (answer.status < 300) this.#done.set(key, { answer: answer as Answer, again: () => caller.post(path, body, headers) });
        return answer;
      } catch (error) {
        tell(undefined, null);
        throw error;
      }
    };
    return { get: caller.get, post };
  }

  get refused(): readonly Told[] {
    return this.told.filter(({ status }) => status === undefined || status >= 300);
  }

  get slowestMs(): number {
    return this.told.reduce((slowest, { tookMs }) => Math.max(slowest, tookMs), 0);
  }

  /** Whoever was not served was told to come back, by an answer. */
  expectOnlyLater(): void {
    const otherwise = this.refused.filter(({ status, retryAfter }) => status !== 503 || !/^\d+$/.test(retryAfter ?? ''));
    expect(otherwise.map(({ path, status, retryAfter }) => `${path}: ${status}, retry-after ${retryAfter}`)).toStrictEqual([]);
  }

  /** Every command whose answer was lost or refused at first, asked for under its key once more, gives the one result. */
  async expectOneResultEach(): Promise<number> {
    const lost = new Set(this.refused.map(({ key }) => key));
    let asked = 0;
    for (const key of lost) {
      const done = this.#done.get(key);
      // The load stopped before it was served.
      if (!done) continue;
      asked += 1;
      const { status, headers, body } = await done.again();
      expect({ status, etag: headers.get('etag'), body }).toStrictEqual({
        status: done.answer.status,
        etag: done.answer.headers.get('etag'),
        body: done.answer.body,
      });
    }
    return asked;
  }
}
