// Whose customers a reader may see, now, whichever past is asked about. Beside the rule of domain/customer/visibility.ts, an agent sees
// the customers of own tickets that wait for them.
import type { Pool } from 'pg';
import { type CustomerSeen, customerVisibleTo } from '../domain/customer/visibility.ts';
import type { Actor } from '../domain/kernel/event.ts';
import { textArrayLiteral } from '../projections/engine/columns.ts';
import { LIVE_SCHEMA } from '../projections/engine/engine.ts';

const standing = {
  name: 'api/customers-seen',
  text: `select id, manager, branch from ${LIVE_SCHEMA}.customers where id = any($1::text[])`,
};
const ownTicket = {
  name: 'api/customer-of-own-ticket',
  text: `select 1 from ${LIVE_SCHEMA}.tickets
          where customer_id = $1 and assignee = $2 and status in ('open', 'assigned', 'in-progress') limit 1`,
};

export class CustomerAccess {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  /** Whether one customer may be seen, by how they stand now. */
  async sees(customer: CustomerSeen, actor: Actor): Promise<boolean> {
    if (customerVisibleTo(customer, actor)) return true;
    if (actor.role !== 'agent') return false;
    const { rowCount } = await this.#pool.query({ ...ownTicket, values: [customer.id, actor.subject] });
    return rowCount === 1;
  }

  /** The same by id; false also where there is none. */
  async seesId(customerId: string, actor: Actor): Promise<boolean> {
    const customer = (await this.#now([customerId])).get(customerId);
    return customer !== undefined && this.sees(customer, actor);
  }

  /** Of some customers those that may be seen. An open ticket opens one customer, not those around them. */
  async seen(ids: readonly string[], actor: Actor): Promise<ReadonlySet<string>> {
    if (ids.length === 0) return new Set();
    return seenOf([...(await this.#now(ids)).values()], actor);
  }

  async #now(ids: readonly string[]): Promise<ReadonlyMap<string, CustomerSeen>> {
    const { rows } = await this.#pool.query<CustomerSeen>({ ...standing, values: [textArrayLiteral(ids)] });
    return new Map(rows.map((row) => [row.id, row]));
  }
}

/** Of customers as they stand now those that may be seen. */
export function seenOf(customers: readonly CustomerSeen[], actor: Actor): ReadonlySet<string> {
  return new Set(customers.filter((customer) => customerVisibleTo(customer, actor)).map(({ id }) => id));
}
