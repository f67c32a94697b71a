// Brings generated records to the product over its own feed, as a source would, and waits until nothing of it is left to do.
import { sourceIdOf } from '../../src/commands/command-id.ts';
import { bankRecords, customersOf } from './bank.ts';
import type { BankSpec } from './bank-spec.ts';
import { startChild } from './child.ts';
import { writeFeedFiles } from './feed-files.ts';
import type { FeedLoad, FeedLoadResult } from './feed-load.ts';
import { shown } from './measurement.ts';
import { type Product, tokenOf } from './product.ts';
import { settled } from './projected.ts';
import type { Bench } from './row.ts';

const LINES_A_REQUEST = 50_000;

/** @returns the ids that its customers have here */
export async function bringBank(bench: Bench, product: Product, spec: BankSpec): Promise<readonly string[]> {
  await bringRecords(bench, product, spec.system, bankRecords(spec));
  return Array.from({ length: customersOf(spec) }, (_, index) => sourceIdOf('customer', spec.system, String(index + 1)));
}

export async function bringRecords({ scope, say }: Bench, product: Product, name: string, records: Iterable<object>): Promise<void> {
  const { paths, lines } = await writeFeedFiles(scope.folder(), name, records, LINES_A_REQUEST);
  const load = startChild<FeedLoad, FeedLoadResult>(scope, 'feed-load.ts');
  const { created, seconds } = await load.ask({ url: `${product.url}/v1/feeds/core-banking`, token: tokenOf('integration'), paths });
  await load.end();
  if (created !== lines) throw new Error(`of ${lines} lines ${created} were taken`);
  await settled(product);
  say(`${name}: ${lines.toLocaleString('en-US')} lines brought, ${shown(lines / seconds)}/s`);
}
