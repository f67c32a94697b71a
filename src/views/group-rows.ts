// Groups as they stood at one moment of both times, and which of their members a reader may see: only those count, in every list and sum.
import type { Pool } from 'pg';
import { LIVE_SCHEMA } from '../projections/engine/engine.ts';
import { type GroupRow, type GroupVersion, groupVersionsOf } from '../projections/groups/groups.ts';
import type { Moment } from './relation-graph.ts';
import type { Sees } from './relation-network.ts';

export interface GroupAt {
  readonly id: string;
  readonly kind: string;
  readonly head: string;
  readonly version: GroupVersion;
  /** All that was known of it, the oldest first. */
  readonly versions: readonly GroupVersion[];
  /** Those who belong to it on the day and whom the reader may see, in the order in which they joined. */
  readonly members: readonly { readonly customer: string; readonly from: string }[];
}

const columns = 'id, kind, head, versions';
const ofCustomer = {
  name: 'views/groups-of-customer',
  text: `select ${columns} from ${LIVE_SCHEMA}.groups where members @> array[$1::text] and first_position <= $2 order by id`,
};
const oneGroup = { name: 'views/group', text: `select ${columns} from ${LIVE_SCHEMA}.groups where id = $1 and first_position <= $2` };

/** Those that a customer belongs to on the day. */
export async function groupsOf(pool: Pool, customerId: string, moment: Moment, sees: Sees): Promise<readonly GroupAt[]> {
  const { rows } = await pool.query<GroupRow>({ ...ofCustomer, values: [customerId, moment.known] });
  const all = await Promise.all(rows.map((row) => groupAt(row, moment, sees)));
  return all.filter(({ version }) => version.members.some((member) => member.customer === customerId && belongsOn(member, moment.day)));
}

/** Undefined where there is none, or none of whom the reader sees belongs to it or ever did. */
export async function groupOf(pool: Pool, groupId: string, moment: Moment, sees: Sees): Promise<GroupAt | undefined> {
  const { rows } = await pool.query<GroupRow>({ ...oneGroup, values: [groupId, moment.known] });
  const [row] = rows;
  if (!row) return undefined;
  const group = await groupAt(row, moment, sees);
  if (group.members.length > 0) return group;
  const ever = [...new Set(group.version.members.map(({ customer }) => customer))];
  return (await sees(ever)).size > 0 ? group : undefined;
}

async function groupAt(row: GroupRow, { known, day }: Moment, sees: Sees): Promise<GroupAt> {
  const { id, kind, head } = row;
  const versions = groupVersionsOf(row).filter(({ position }) => position <= known);
  const version = versions.at(-1) as GroupVersion;
  const onDay = version.members.filter((member) => belongsOn(member, day));
  // Who came back as of a day before they left has two lines for the days between.
  const belonging = onDay.filter(({ customer }, index) => onDay.findIndex((other) => other.customer === customer) === index);
  const seen = await sees(belonging.map(({ customer }) => customer));
  const members = belonging.filter(({ customer }) => seen.has(customer)).map(({ customer, from }) => ({ customer, from }));
  return { id, kind, head, version, versions, members };
}

function belongsOn({ from, until }: { readonly from: string; readonly until: string | null }, day: string): boolean {
  return from <= day && (until === null || day < until);
}
