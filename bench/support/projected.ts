// When the read models have taken in what was imported, and when nothing of it is left to do at all.
import { setTimeout as sleep } from 'node:timers/promises';
import { type Product, tokenOf } from './product.ts';

interface ProjectionAnswer {
  readonly name: string;
  readonly lagEvents: number;
  readonly position: number;
  readonly parkedKeys: number;
  readonly receipts: { readonly verified: number };
}

/** Positions that the auditor takes at once, in Postgres. */
const CHUNK = 10_000;
const POLL_MS = 100;
const WITHIN_MS = 20 * 60_000;

/** Each read model has got to the journal's end. */
export async function projected(product: Product): Promise<void> {
  await until(product, ({ lagEvents }) => lagEvents === 0);
}

/** And the auditor has compared every closed chunk: what the product still works at would be taken from whoever is measured next. */
export async function settled(product: Product): Promise<void> {
  await until(product, ({ lagEvents, position, receipts }) => lagEvents === 0 && receipts.verified >= Math.floor(position / CHUNK));
}

async function until({ url }: Product, isDone: (projection: ProjectionAnswer) => boolean): Promise<void> {
  const untilMs = performance.now() + WITHIN_MS;
  const headers = { authorization: `Bearer ${tokenOf('administrator')}` };
  for (let items: readonly ProjectionAnswer[] = []; performance.now() < untilMs; ) {
    const answer = await fetch(`${url}/v1/projections`, { headers });
    ({ items } = (await answer.json()) as { items: readonly ProjectionAnswer[] });
    const parked = items.find(({ parkedKeys }) => parkedKeys > 0);
    if (parked) throw new Error(`${parked.name} set rows aside`);
    if (items.every(isDone)) return;
    await sleep(POLL_MS);
  }
  throw new Error(`the read models did not catch up within ${WITHIN_MS / 60_000} minutes`);
}
