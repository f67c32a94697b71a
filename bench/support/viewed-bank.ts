// What the rows about one customer's view share: a server as npm start runs it and a bank brought over its feed.

import type { BankSpec } from './bank-spec.ts';
import { viewBank } from './bench-bank.ts';
import { bringBank } from './imported-bank.ts';
import { databaseOf, type Product, startProduct } from './product.ts';
import type { GroupBench } from './row.ts';

export interface ViewedBank {
  readonly product: Product;
  /** The product's own Postgres. */
  readonly own: ReturnType<typeof databaseOf>;
  readonly bank: BankSpec;
  /** Of its customers. */
  readonly ids: readonly string[];
}

export function viewedBank({ shared, quick, say }: GroupBench): Promise<ViewedBank> {
  return shared.once('viewed bank', async (scope) => {
    const dataDir = scope.folder();
    const product = await startProduct(scope, { dataDir });
    const bank = viewBank(quick);
    const ids = await bringBank({ scope, quick, say }, product, bank);
    return { product, own: databaseOf(dataDir), bank, ids };
  });
}
