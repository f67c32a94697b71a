// Personal values on their way out: all of an answer opened by one look-up of keys, then shown as the reader's role may see them.
import { isMasked, type MaskKind, masked } from '../domain/customer/masks.ts';
import { Erased, Sealed } from '../domain/kernel/personal.ts';
import type { Opener } from '../journal/sealing.ts';

/** Null where there is none, or where nothing of it is shown. */
export type ShownText = string | { readonly erased: true } | null;

const ERASED = { erased: true } as const;

/** Opened values by their sealed lines. */
export class OpenedValues {
  readonly #values: ReadonlyMap<string, unknown>;

  private constructor(values: ReadonlyMap<string, unknown>) {
    this.#values = values;
  }

  static async of(opener: Pick<Opener, 'openMany'>, lines: Iterable<string | null>): Promise<OpenedValues> {
    const wanted = [...new Set(lines)].filter((line) => line !== null);
    const values = wanted.length === 0 ? [] : await opener.openMany(wanted.map((line) => Sealed.parse(line)));
    return new OpenedValues(new Map(wanted.map((line, index) => [line, values[index]])));
  }

  text(line: string | null): ShownText {
    if (line === null) return null;
    const value = this.#values.get(line);
    if (value instanceof Erased) return ERASED;
    return typeof value === 'string' ? value : null;
  }
}

/** How one reader sees opened values, and which fields were masked for them. */
export class Showing {
  readonly #opened: OpenedValues;
  readonly #isMasked: boolean;
  readonly #masked = new Set<string>();
  readonly #plain = new Set<string>();

  constructor(opened: OpenedValues, role: string) {
    this.#opened = opened;
    this.#isMasked = isMasked(role);
  }

  /** @param field its name among those that `masked` tells, or that the record of reads keeps */
  text(field: string, kind: MaskKind, line: string | null): ShownText {
    const text = this.#opened.text(line);
    if (typeof text !== 'string' || kind === 'none') return text;
    if (!this.#isMasked) {
      this.#plain.add(field);
      return text;
    }
    this.#masked.add(field);
    return masked(kind, text);
  }

  /** Fields of which something was held back, sorted. */
  get masked(): string[] {
    return [...this.#masked].sort();
  }

  /** Fields shown plain, sorted. */
  get plain(): string[] {
    return [...this.#plain].sort();
  }
}
