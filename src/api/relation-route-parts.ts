// What the routes of relations share: how one is opened at a moment for a reader, and how parties and relations are shown.
import { z } from 'zod';
import { isMasked } from '../domain/customer/masks.ts';
import type { Actor } from '../domain/kernel/event.ts';
import type { Progress } from '../projections/engine/progress.ts';
import { holdsOn, type Moment, momentOf, partiesAt, type RelationEdge, RelationGraph } from '../views/relation-graph.ts';
import type { NetworkEdge, NetworkNode, Sees } from '../views/relation-network.ts';
import { OpenedValues, Showing } from '../views/shown.ts';
import type { CustomerAccess } from './customer-access.ts';
import type { CustomerRouteParts } from './customer-route-parts.ts';
import { PersonalValue } from './customer-view.ts';
import { asProblem, timesParameters } from './times.ts';

export interface RelationRouteParts extends CustomerRouteParts {
  readonly progress: Pick<Progress, 'waitUntil' | 'describeProjections'>;
}

export const momentParameters = { asOf: timesParameters.asOf, knownAt: timesParameters.knownAt } as const;
export const momentAnswer = {
  asOf: z.string().nullable(),
  knownAt: z.string().nullable(),
  position: z.string().meta({ description: 'All of it as known at this one place in the journal, as `Shiji-Position`' }),
} as const;

export const Party = z.strictObject({
  key: z.string().meta({ description: 'By which this answer names them: the customer’s id where you may see them' }),
  customer: z.string().nullable().meta({ description: 'Null of whom you may not see, or who is no customer: they are in the file by name' }),
  name: PersonalValue,
  kind: z.string(),
});
export const ShownShare = z.strictObject({ percent: z.string(), basis: z.string() }).nullable();

export const NetworkNodeItem = Party.extend({ depth: z.int().meta({ description: 'Relations away from the customer asked about' }) });
export const NetworkEdgeItem = z.strictObject({
  relation: z.string(),
  type: z.string().meta({ description: '`party` is this of `of`' }),
  inverse: z.string().meta({ description: '`of` is this of `party`' }),
  party: z.string(),
  of: z.string(),
  from: z.string().nullable(),
  until: z.string().nullable(),
  share: ShownShare,
  verified: z.boolean(),
});

export interface Opened {
  readonly moment: Moment;
  readonly graph: RelationGraph;
  readonly root: { readonly id: string; readonly kind: string };
  readonly sees: Sees;
}

/**
 * A customer's relations at a moment, for who may see that customer now. Undefined where they may not, or nobody knew the customer then.
 * @throws Problem where the moment can't be answered
 */
export async function openAt(
  parts: RelationRouteParts,
  access: CustomerAccess,
  customerId: string,
  times: { readonly asOf?: string | undefined; readonly knownAt?: string | undefined },
  actor: Actor,
): Promise<Opened | undefined> {
  // The right is needed now, whichever past is asked for, and before its cost.
  if (!(await access.seesId(customerId, actor))) return undefined;
  try {
    const moment = await momentOf(parts, times);
    const found = (await partiesAt(parts, [customerId], moment)).get(customerId);
    if (found === undefined) return undefined;
    return { moment, graph: new RelationGraph(parts.pool, moment), root: { id: customerId, kind: found.kind }, sees: sightOf(access, actor) };
  } catch (error) {
    throw asProblem(error);
  }
}

/** Whom of some parties a reader may see; who sees the whole bank need not be looked up. */
export function sightOf(access: CustomerAccess, actor: Actor): Sees {
  return seesWholeBank(actor) ? async (ids) => new Set(ids) : (ids) => access.seen(ids, actor);
}

/** Names of some parties as the reader sees them, with other sealed lines that the answer shows. */
export async function showingFor(
  parts: RelationRouteParts,
  ids: readonly string[],
  moment: Moment,
  actor: Actor,
  lines: Iterable<string | null> = [],
): Promise<{ readonly showing: Showing; readonly nameOf: (id: string) => z.output<typeof PersonalValue> }> {
  const names = await partiesAt(parts, [...new Set(ids)], moment).catch((error: unknown) => {
    throw asProblem(error);
  });
  const sealed = [...names.values()].map(({ name }) => name);
  const showing = new Showing(await OpenedValues.of(parts.opener, [...sealed, ...lines]), actor.role);
  return { showing, nameOf: (id) => showing.text('name', 'name', names.get(id)?.name ?? null) };
}

/** Personal fields of an answer, for the record of who saw them. */
export function fieldsFor(actor: Actor, fields: readonly string[]): readonly string[] {
  return isMasked(actor.role) ? [] : fields;
}

export function partyShown({ key, party, isSeen, kind }: NetworkNode, nameOf: (id: string) => z.output<typeof PersonalValue>) {
  return { key, customer: isSeen ? party : null, name: nameOf(party), kind };
}

export function edgeShown({ edge, party, of }: NetworkEdge): z.output<typeof NetworkEdgeItem> {
  const { id, type, inverse, version } = edge;
  const { from, until, share, verified } = version;
  return { relation: id, type, inverse, party, of, from, until, share, verified: verified !== null };
}

export function statusOn({ version }: RelationEdge, day: string): 'current' | 'ended' | 'future' | 'void' {
  if (version.void) return 'void';
  if (holdsOn(version, day)) return 'current';
  return version.until !== null && version.until <= day ? 'ended' : 'future';
}

/** Whether nothing is hidden from a reader: what they are told covers the whole bank, by their right and not by what there is. */
export function seesWholeBank({ role, scope = 'bank' }: Actor): boolean {
  return scope === 'bank' && (role === 'risk' || role === 'auditor' || role === 'operations');
}
