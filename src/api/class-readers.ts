// Whose business a dimension is: which roles read a customer's value of it, as its definition says.
import { ClassReader } from '../domain/classification/vocabulary.ts';
import type { Actor, RecordedEvent } from '../domain/kernel/event.ts';
import type { DimensionTables } from '../projections/dimensions/dimensions.ts';
import { dimensionsOf, type KnownDimension } from '../projections/dimensions/queries.ts';
import type { ReadModels } from './read-models.ts';

export function mayRead(dimension: KnownDimension | undefined, { role }: Actor): boolean {
  const reader = ClassReader.safeParse(role);
  return dimension !== undefined && reader.success && dimension.definition.readBy.includes(reader.data);
}

/** Which events of a customer an actor may read: all but those of dimensions that are not their role's. */
export async function readableClasses(readModels: ReadModels, actor: Actor): Promise<(event: RecordedEvent) => boolean> {
  const dimensions = await dimensionsOf(await readModels.of<DimensionTables>(undefined));
  return ({ stream, data }) => !stream.startsWith('classification-') || mayRead(dimensions.get((data as { dimension: string }).dimension), actor);
}
