// A data folder that has been lived in: a first start, some tickets, a clean end. What comes then is the second start.
import { startChild } from './child.ts';
import type { HttpLoad, HttpLoadResult } from './http-load.ts';
import { caughtUp, startProduct, ticketBody, tokenOf } from './product.ts';
import type { Scope } from './scope.ts';

export const TICKETS = 2_000;

export async function usedDataFolder(scope: Scope): Promise<string> {
  const dataDir = scope.folder();
  const product = await startProduct(scope, { dataDir });
  const load = startChild<HttpLoad, HttpLoadResult>(scope, 'http-load.ts');
  await load.ask({ url: `${product.url}/v1/tickets`, token: tokenOf('agent'), body: ticketBody, connections: 8, requests: TICKETS });
  await load.end();
  await caughtUp(product);
  await product.stop();
  return dataDir;
}
