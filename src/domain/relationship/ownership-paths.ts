// The ways by which someone comes to own or control a firm, for people to read: the shortest first, each firm once, and no more than are
// read. The sums are made elsewhere and miss none.

export interface Link {
  /** Of its relation. */
  readonly id: string;
  readonly from: string;
  readonly to: string;
}

export interface Paths<L extends Link> {
  readonly paths: readonly (readonly L[])[];
  /** There are more than these. */
  readonly more: boolean;
}

// Partial ways looked at: enough for any firm that a person could draw, and milliseconds.
const LOOKED_AT = 3_000;

/** @param links in any order: each way is found in the order of their ids */
export function pathsBetween<L extends Link>(start: string, target: string, links: readonly L[], most: number): Paths<L> {
  const onward = Map.groupBy(
    links.toSorted((one, other) => (one.id < other.id ? -1 : 1)),
    ({ from }) => from,
  );
  const found: L[][] = [];
  const waiting: { readonly at: string; readonly path: L[] }[] = [{ at: start, path: [] }];
  for (let next = 0; next < waiting.length; next += 1) {
    const { at, path } = waiting[next] as (typeof waiting)[number];
    for (const link of onward.get(at) ?? []) {
      if (link.to === start || path.some(({ to }) => to === link.to)) continue;
      if (link.to !== target) {
        if (waiting.length >= LOOKED_AT) return { paths: found, more: true };
        waiting.push({ at: link.to, path: [...path, link] });
      } else if (found.length === most) return { paths: found, more: true };
      else found.push([...path, link]);
    }
  }
  return { paths: found, more: false };
}
