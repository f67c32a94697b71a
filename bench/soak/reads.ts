// What is looked at in a day: customers now and in the past, lists, searches, queues, reports, and each time again what was just written.
import { allOpenOn } from '../support/bank-spec.ts';
import { type Draw, Weighted } from '../support/draw.ts';
import type { SoakBank } from './bank.ts';
import type { Answered } from './client.ts';
import type { CommandsOfTheDay } from './commands.ts';
import type { Step } from './day.ts';

const REPORTS = ['sla-attainment', 'customers-by-branch', 'holdings-summary', 'campaign-funnel'];
/** Looks at every transaction there is: seconds of a core, which nobody asks for all the time. */
const LONG_REPORT = 'balances-by-month';
const SOMEBODY = '"items":[{';

type Read = () => Step | undefined;

export class ReadsOfTheDay {
  readonly #bank: SoakBank;
  readonly #draw: Draw;
  readonly #written: CommandsOfTheDay;
  readonly #kinds: Weighted<Read>;
  readonly #days: number;

  constructor(bank: SoakBank, draw: Draw, written: CommandsOfTheDay) {
    this.#bank = bank;
    this.#draw = draw;
    this.#written = written;
    this.#days = Temporal.PlainDate.from(allOpenOn(bank.spec)).until(bank.spec.until).days;
    this.#kinds = new Weighted<Read>([
      [() => this.#customer('view 360', '/360'), 26],
      [() => this.#customer('view 360 as of', `/360?asOf=${this.#day()}`), 8],
      [() => this.#customer('customer', ''), 8],
      [() => this.#customer('transactions', '/transactions?limit=20'), 10],
      [() => this.#customer('history', '/history?limit=20'), 4],
      [() => this.#search(), 10],
      [() => get('customers of a branch', 'operations', `/v1/customers?branch=${draw.of(bank.branches)}&limit=20`), 4],
      [() => get('tickets', 'agent', '/v1/tickets?status=open,assigned,in-progress&sort=dueAt&limit=20'), 6],
      [() => get('queue', 'agent', '/v1/queues/bench?limit=20'), 4],
      [() => get('queues', 'operations', '/v1/queues'), 2],
      [() => this.#ticket(), 8],
      [() => this.#readBack(), 6],
      [() => this.#report(draw.of(REPORTS)), 1],
      [() => this.#report(LONG_REPORT), 0.1],
      [() => get('campaign', 'management', `/v1/campaigns/${written.campaign}`), 1],
      [() => get('who viewed', 'auditor', `/v1/accesses?id=${draw.of(bank.customers)}&limit=20`), 1],
    ]);
  }

  next(): Step {
    // Where nothing was written yet there is none to look at: another one.
    for (;;) {
      const step = this.#kinds.draw(this.#draw)();
      if (step !== undefined) return step;
    }
  }

  #customer(kind: string, suffix: string): Step {
    return get(kind, 'risk', `/v1/customers/${this.#draw.of(this.#bank.customers)}${suffix}`);
  }

  #search(): Step {
    const { name, document, phone } = this.#draw.of(this.#bank.people);
    const query = this.#draw.of([{ q: name }, { document }, { phone }]);
    const step = get('search', 'risk', `/v1/customers?${new URLSearchParams(query as Record<string, string>).toString()}&limit=20`);
    return { ...step, done: ({ text }: Answered) => (text.includes(SOMEBODY) ? undefined : 'somebody who is there was not found') };
  }

  #report(name: string): Step {
    return get(`report ${name}`, 'management', `/v1/reports/${name}`);
  }

  #ticket(): Step | undefined {
    const id = this.#written.anyTicket();
    return id === undefined ? undefined : get('ticket', 'agent', `/v1/tickets/${id}`);
  }

  /** By the position that the command's answer gave: anything older than it would be a lie. */
  #readBack(): Step | undefined {
    const last = this.#written.lastWritten();
    if (last === undefined) return undefined;
    const step = get('ticket just written', 'operations', `/v1/tickets/${last.id}`);
    return {
      ...step,
      headers: { 'shiji-after': last.position },
      done: ({ headers }) => (Number(/\d+/.exec(String(headers.etag))?.[0] ?? -1) >= last.revision ? undefined : 'older than what was written'),
    };
  }

  #day(): string {
    return Temporal.PlainDate.from(this.#bank.spec.until)
      .subtract({ days: this.#draw.below(this.#days) })
      .toString();
  }
}

function get(kind: string, role: Step['role'], path: string): Step {
  return { kind, method: 'GET', path, role };
}
