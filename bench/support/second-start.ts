// A data folder that has been lived in: a first start, some tickets, a clean end. What comes then is the second start.
import { startChild } from './child.ts';
import type { HttpLoad, LoadResult } from './http-load.ts';
import { caughtUp, startProduct, ticketBody, tokenOf } from './product.ts';
import type { Shared } from './shared.ts';

export const TICKETS = 2_000;

/** The same for all who ask: they start on it one after the other. */
export function usedDataFolder(shared: Shared): Promise<string> {
  return shared.once('used data folder', async (scope) => {
    const dataDir = scope.folder();
    const product = await startProduct(scope, { dataDir });
    const load = startChild<HttpLoad, LoadResult>(scope, 'http-load.ts');
    await load.ask({ url: `${product.url}/v1/tickets`, token: tokenOf('agent'), body: ticketBody, connections: 8, requests: TICKETS });
    await load.end();
    await caughtUp(product);
    await product.stop();
    return dataDir;
  });
}
