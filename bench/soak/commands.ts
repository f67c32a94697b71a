// What is written in a day: tickets opened and led through their lives by the ETag of the step before, tags put on and taken off,
// contacts, enrolments. Each under a key of its own; what was acknowledged is kept for the check at the end.
import { randomUUID } from 'node:crypto';
import { TicketChannel, TicketPriority, TicketType } from '../../src/domain/ticket/vocabulary.ts';
import { type Draw, Weighted } from '../support/draw.ts';
import { ticketBody } from '../support/product.ts';
import type { SoakBank } from './bank.ts';
import type { Answered, Asked, SoakClient } from './client.ts';
import type { Step } from './day.ts';

interface Ticket {
  readonly id: string;
  etag: string;
  /** Of the next step in `course`. */
  next: number;
}

interface Written {
  readonly id: string;
  readonly revision: number;
  readonly position: string;
}

const course: readonly { readonly step: string; readonly body: object }[] = [
  { step: 'assign', body: { to: 'bench' } },
  { step: 'start', body: {} },
  { step: 'resolve', body: { resolution: '已向客户说明并得到认可。' } },
  { step: 'close', body: {} },
];
const TAGS = ['VIP', '房贷', '代发工资', '老年客户', '小微企业主', '理财意向'];
/** Kept to be looked at again. */
const REMEMBERED = 2_000;

export class CommandsOfTheDay {
  /** The highest acknowledged revision of each stream. */
  readonly acknowledged = new Map<string, number>();
  readonly campaign: string;
  readonly #bank: SoakBank;
  readonly #draw: Draw;
  readonly #kinds: Weighted<() => Step>;
  /** Those that nobody works on at the moment. */
  readonly #waiting: Ticket[] = [];
  readonly #tickets: string[] = [];
  readonly #tagged: { readonly customer: string; readonly tag: string }[] = [];
  #last: Written | undefined;

  private constructor(bank: SoakBank, draw: Draw, campaign: string) {
    this.#bank = bank;
    this.#draw = draw;
    this.campaign = campaign;
    this.#kinds = new Weighted<() => Step>([
      [() => this.#open(), 22],
      [() => this.#goOn(), 48],
      [() => this.#tag(), 10],
      [() => this.#untag(), 6],
      [() => this.#contact(), 7],
      [() => this.#enrol(), 7],
    ]);
  }

  /** With a campaign that runs. */
  static async begin(bank: SoakBank, draw: Draw, client: SoakClient): Promise<CommandsOfTheDay> {
    const today = Temporal.Now.plainDateISO('Asia/Shanghai');
    const body = { name: '春季存款活动', from: today.toString(), to: today.add({ days: 30 }).toString() };
    const planned = await expectDone(client, { method: 'POST', path: '/v1/campaigns', role: 'operations', body });
    const { id } = JSON.parse(planned.text) as { id: string };
    await expectDone(client, { method: 'POST', path: `/v1/campaigns/${id}/start`, role: 'operations', body: {} });
    return new CommandsOfTheDay(bank, draw, id);
  }

  next(): Step {
    return this.#kinds.draw(this.#draw)();
  }

  anyTicket(): string | undefined {
    return this.#tickets.length === 0 ? undefined : this.#draw.of(this.#tickets);
  }

  lastWritten(): Written | undefined {
    return this.#last;
  }

  #open(): Step {
    const { type, priority, channel, ...text } = ticketBody;
    const body = {
      ...text,
      type: this.#draw.of([type, ...TicketType.options]),
      priority: this.#draw.of([priority, ...TicketPriority.options]),
      channel: this.#draw.of([channel, ...TicketChannel.options]),
      ...(this.#draw.share() < 0.7 ? { customer: this.#draw.of(this.#bank.customers) } : {}),
    };
    return this.#command('open a ticket', 'POST', '/v1/tickets', body, (answer) => {
      const { id } = JSON.parse(answer.text) as { id: string };
      this.#written(`ticket-${id}`, answer);
      this.#tickets[this.#tickets.length < REMEMBERED ? this.#tickets.length : this.#draw.below(REMEMBERED)] = id;
      this.#waiting.push({ id, etag: String(answer.headers.etag), next: 0 });
    });
  }

  /** Of any ticket that waits, the oldest as likely as the newest. */
  #goOn(): Step {
    if (this.#waiting.length === 0) return this.#open();
    const at = this.#draw.below(this.#waiting.length);
    const ticket = this.#waiting[at] as Ticket;
    this.#waiting[at] = this.#waiting.at(-1) as Ticket;
    this.#waiting.pop();
    const { step, body } = course[ticket.next] as (typeof course)[number];
    const command = this.#command('go on with a ticket', 'POST', `/v1/tickets/${ticket.id}/${step}`, body, (answer) => {
      this.#written(`ticket-${ticket.id}`, answer);
      ticket.etag = String(answer.headers.etag);
      ticket.next += 1;
      if (ticket.next < course.length) this.#waiting.push(ticket);
    });
    return {
      ...command,
      headers: { ...command.headers, 'if-match': ticket.etag },
      moved: ({ headers }) => {
        ticket.etag = String(headers.etag);
        this.#waiting.push(ticket);
      },
    };
  }

  #tag(): Step {
    const customer = this.#draw.of(this.#bank.customers);
    const tag = this.#draw.of(TAGS);
    return this.#command('tag', 'POST', `/v1/customers/${customer}/tags`, { tag }, (answer) => {
      this.#written(`customer-${customer}`, answer);
      this.#tagged.push({ customer, tag });
    });
  }

  #untag(): Step {
    const tagged = this.#tagged.pop();
    if (tagged === undefined) return this.#tag();
    const { customer, tag } = tagged;
    const path = `/v1/customers/${customer}/tags/${encodeURIComponent(tag)}`;
    return this.#command('untag', 'DELETE', path, undefined, (answer) => this.#written(`customer-${customer}`, answer));
  }

  #contact(): Step {
    const customer = this.#draw.of(this.#bank.customers);
    const body = { kind: 'e-mail', value: `kehu${this.#draw.below(1_000_000_000)}@example.com` };
    return this.#command('add a contact', 'POST', `/v1/customers/${customer}/contacts`, body, (answer) =>
      this.#written(`customer-${customer}`, answer),
    );
  }

  #enrol(): Step {
    const customers = this.#draw.some(this.#bank.customers.slice(0, 500), 1).concat(this.#draw.of(this.#bank.customers));
    return this.#command('enrol two', 'POST', `/v1/campaigns/${this.campaign}/enrolments`, { customers: [...new Set(customers)] }, () => {});
  }

  #command(kind: string, method: 'POST' | 'DELETE', path: string, body: object | undefined, done: (answer: Answered) => void): Step {
    return {
      kind,
      method,
      path,
      role: 'operations',
      ...(body === undefined ? {} : { body }),
      headers: { 'idempotency-key': randomUUID() },
      done: (answer) => {
        done(answer);
        return undefined;
      },
    };
  }

  #written(stream: string, answer: Answered): void {
    const { id, revision } = JSON.parse(answer.text) as { id: string; revision: number };
    this.acknowledged.set(stream, Math.max(revision, this.acknowledged.get(stream) ?? -1));
    const position = answer.headers['shiji-position'];
    if (stream.startsWith('ticket-') && typeof position === 'string') this.#last = { id, revision, position };
  }
}

async function expectDone(client: SoakClient, asked: Asked): Promise<Answered> {
  const answer = await client.send(asked);
  if (answer.status >= 300) throw new Error(`${asked.method} ${asked.path}: ${answer.status} ${answer.text}`);
  return answer;
}
