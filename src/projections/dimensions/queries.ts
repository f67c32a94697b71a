// The dimensions there are: those defined here, and those built in that were not. They are the bank's own, so every reader sees every one.
import type { Kysely } from 'kysely';
import { builtInDimensions } from '../../domain/classification/dimensions.ts';
import type { Definition } from '../../domain/classification/events.ts';
import type { DimensionTables } from './dimensions.ts';

export interface KnownDimension {
  readonly code: string;
  /** 0 for one as it is built in. */
  readonly version: number;
  readonly definition: Definition;
  readonly definedBy: string | null;
  readonly definedAt: string | null;
  /** Of its stream; null before it was defined here. */
  readonly revision: number | null;
}

/** By code, in its order. */
export async function dimensionsOf(db: Kysely<DimensionTables>): Promise<ReadonlyMap<string, KnownDimension>> {
  const rows = await db.selectFrom('dimensions').selectAll().execute();
  const defined = rows.map(
    ({ code, version, definition, defined_by, defined_at, revision }): KnownDimension => ({
      code,
      version,
      definition: JSON.parse(definition) as Definition,
      definedBy: defined_by,
      definedAt: defined_at,
      revision,
    }),
  );
  const builtIn = [...builtInDimensions].map(
    ([code, definition]): KnownDimension => ({ code, version: 0, definition, definedBy: null, definedAt: null, revision: null }),
  );
  const known = new Map([...builtIn, ...defined].map((dimension) => [dimension.code, dimension]));
  return new Map([...known].sort(([one], [other]) => (one < other ? -1 : 1)));
}
