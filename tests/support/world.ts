// A small bank over the API for one relationship manager: what is hers is the same in every world, what is hidden from her is drawn by
// a seed. Every step happens at a set instant and under a set idempotency key, so that her own ids and times are equal in all worlds.
import { sourceIdOf } from '../../src/commands/command-id.ts';
import type { Role } from '../../src/domain/kernel/roles.ts';
import { createTestApi, type TestApi } from './api-server.ts';
import type { TestDatabase } from './database.ts';

export const OWN_RM = 'an';
const HIDDEN_RM = 'bo';
const NAMES = ['张伟', '王芳', '张伟强', '李娜', '欧阳娜娜', '赵磊', 'Jan Novák', '单雄信', '陈晨', '刘洋'];
/** In every world; some names are hidden customers' too. */
export const ownNames = ['张伟', '王芳', 'Anna Dvořák'];
export const ownDocument = 'E12345678';
export const hiddenDocument = 'G87654321';
const DAY_MS = 86_400_000;
const START_MS = Date.parse('2026-03-02T01:00:00.000Z');

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export class World {
  readonly api: TestApi;
  /** Customers that she sees, and one that she does not, whose id is real here alone. */
  readonly own: string[] = [];
  readonly hidden: string[] = [];
  readonly tickets: { own: string[]; hidden: string[] } = { own: [], hidden: [] };
  readonly campaigns: string[] = [];
  readonly relations: { own: string[]; hidden: string[] } = { own: [], hidden: [] };
  readonly groups: { own: string[]; hidden: string[] } = { own: [], hidden: [] };
  readonly approvals: { own: string[]; hidden: string[] } = { own: [], hidden: [] };
  readonly segments: string[] = [];
  readonly #nowMs: { value: number };

  private constructor(api: TestApi, nowMs: { value: number }) {
    this.api = api;
    this.#nowMs = nowMs;
  }

  static async open(database: TestDatabase, seed: number): Promise<World> {
    const nowMs = { value: START_MS };
    const api = await createTestApi(database, { contexts: true, clockMs: () => nowMs.value });
    const world = new World(api, nowMs);
    await world.#build(seed);
    return world;
  }

  close(): Promise<void> {
    return this.api.close();
  }

  /** All that follows happens at this many days after the start. */
  at(days: number): void {
    this.#nowMs.value = START_MS + days * DAY_MS;
  }

  async send(
    role: Role,
    subject: string,
    method: string,
    url: string,
    options: { body?: unknown; headers?: Record<string, string> } = {},
  ): Promise<Answer> {
    const { body, headers = {} } = options;
    const ndjson = url.startsWith('/v1/feeds/') && method === 'POST';
    const answer = await this.api.app.inject({
      method: method as 'GET',
      url,
      headers: {
        ...this.api.as(role, subject),
        ...(body === undefined ? {} : { 'content-type': ndjson ? 'application/x-ndjson' : 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { payload: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    return { status: answer.statusCode, headers: answer.headers as Record<string, string>, body: answer.body };
  }

  /** A step of the building: it must be taken. */
  async #do(role: Role, subject: string, url: string, key: string, body: unknown): Promise<Record<string, unknown>> {
    const answer = await this.send(role, subject, 'POST', url, { body, headers: { 'idempotency-key': key } });
    if (answer.status >= 300) throw new Error(`POST ${url} answered ${answer.status} ${answer.body}`);
    this.last = answer.headers['shiji-position'] ?? this.last;
    return JSON.parse(answer.body) as Record<string, unknown>;
  }
  last: string | undefined;

  async #build(seed: number): Promise<void> {
    const random = randomOf(seed);
    const pick = <Item>(items: readonly Item[]): Item => items[Math.floor(random() * items.length)] as Item;
    const hiddenCount = 2 + 2 * (seed % 4);
    const feed = async (lines: readonly unknown[]): Promise<void> => {
      const answer = await this.#do('integration', 'core', '/v1/feeds/core-banking', '', lines.map((line) => JSON.stringify(line)).join('\n'));
      if (answer.rejected !== 0) throw new Error(`the feed rejected ${JSON.stringify(answer)}`);
    };

    // Hidden things come before, between and after her own, so that no order or number of hers can be told from theirs.
    this.at(0);
    await this.#hidden(pick, hiddenCount, feed, `before-${seed}`);
    this.at(1);
    for (const [index, name] of ownNames.entries()) {
      const { id } = await this.#do('operations', 'ops', '/v1/customers', `own-${index}`, {
        kind: 'person',
        name,
        ...(index === 0 ? { documents: [{ type: 'passport', number: ownDocument, country: 'CN' }] } : {}),
        contacts: [{ kind: 'phone', value: `1380013800${index}` }],
        manager: OWN_RM,
        branch: '3100',
      });
      this.own.push(id as string);
    }
    this.at(2);
    await feed([
      customerLine('C1', { name: '孙悦', branch: '3100' }),
      accountLine('A1', '3100'),
      { kind: 'ownership', source: source('D1'), at: at('2026-01-05'), account: 'A1', customer: 'C1', role: 'owner' },
      // Who owns it with her customer is hidden, and another in each world.
      { kind: 'ownership', source: source('D2'), at: at('2026-01-05'), account: 'A1', customer: `H-co-${seed}`, role: 'joint-owner' },
      customerLine(`H-co-${seed}`, { name: pick(NAMES), branch: '3200' }),
      ...[1, 2, 3].map((day) => transactionLine(`T${day}`, 'A1', `2026-02-0${day}`, 1_000 * day, 5_000 + 1_000 * day)),
      { kind: 'loan', source: source('L1'), at: at('2026-01-10'), account: 'A1', currency: 'CNY', amount: 900_000, status: 'running' },
    ]);
    const reported = sourceIdOf('customer', 'core', 'C1');
    await this.#do('operations', 'ops', `/v1/customers/${reported}/assign`, 'own-assign', { manager: OWN_RM });
    this.own.push(reported);
    await this.#do('operations', 'ops', `/v1/customers/${this.own[0]}/tags`, 'own-tag', { tag: 'VIP' });
    for (const [index, value] of ['active', 'dormant'].entries())
      await this.#do('operations', 'ops', `/v1/customers/${this.own[index]}/classifications`, `own-class-${index}`, {
        dimension: 'life-cycle',
        value,
      });
    await this.#do('risk', 'ri', `/v1/customers/${reported}/classifications`, 'own-grade', { dimension: 'aml-grade', value: 'medium' });
    this.at(3);
    await this.#hidden(pick, hiddenCount, feed, `between-${seed}`);
    this.at(4);
    for (const name of ['Spring', 'Autumn']) {
      const { id } = await this.#do('operations', 'ops', '/v1/campaigns', `campaign-${name}`, { name, from: '2026-03-01', to: '2026-12-31' });
      this.campaigns.push(id as string);
    }
    const condition = { is: 'any', of: ['active', 'dormant'].map((value) => ({ is: 'classification', dimension: 'life-cycle', in: [value] })) };
    this.segments.push((await this.#do('operations', 'ops', '/v1/segments', 'segment', { name: 'Living', condition })).id as string);
    await this.#do('operations', 'ops', `/v1/campaigns/${this.campaigns[0]}/start`, 'campaign-start', {});
    await this.#do('operations', 'ops', `/v1/campaigns/${this.campaigns[0]}/enrolments`, 'enrol-own', { customers: this.own.slice(0, 2) });
    const hiddenOnes = this.hidden.filter(() => random() < 0.6);
    if (hiddenOnes.length > 0)
      await this.#do('operations', 'ops', `/v1/campaigns/${this.campaigns[0]}/enrolments`, 'enrol-hidden', { customers: hiddenOnes });
    for (const customer of hiddenOnes)
      await this.#do('operations', 'ops', `/v1/campaigns/${this.campaigns[0]}/responses`, `answer-${customer}`, {
        customer,
        response: pick(['interested', 'declined', 'accepted']),
      });
    for (const [index, customer] of this.own.slice(0, 2).entries()) {
      const { id } = await this.#do('operations', 'ops', '/v1/tickets', `own-ticket-${index}`, ticket(customer, `question ${index}`));
      this.tickets.own.push(id as string);
    }
    for (const [index, customer] of this.hidden.slice(0, 3).entries()) {
      const { id } = await this.#do('operations', 'ops', '/v1/tickets', `hidden-ticket-${seed}-${index}`, ticket(customer, pick(NAMES)));
      this.tickets.hidden.push(id as string);
    }
    await this.#relate(random, pick, seed);
    const correction = { name: '王晓明', reason: 'card seen' };
    const propose = async (subject: string, customer: string | undefined, key: string): Promise<string> =>
      (await this.#do('rm', subject, `/v1/customers/${customer}/name`, key, correction)).approval as string;
    this.approvals.own.push(await propose(OWN_RM, this.own[1], 'own-approval'), await propose(OWN_RM, this.own[2], 'own-approval-2'));
    await this.#do('risk', 'ria', `/v1/approvals/${this.approvals.own[1]}/reject`, 'own-rejected', { reason: 'no paper' });
    // Hers when she proposed it, and another's since.
    const lost = (await this.#do('operations', 'ops', '/v1/customers', `lost-${seed}`, { kind: 'person', name: pick(NAMES), manager: OWN_RM }))
      .id as string;
    this.approvals.hidden.push(await propose(OWN_RM, lost, `lost-approval-${seed}`));
    await this.#do('operations', 'ops', `/v1/customers/${lost}/assign`, `lost-assign-${seed}`, { manager: HIDDEN_RM });
    if (random() < 0.5) await this.#do('operations', 'ops', `/v1/approvals/${this.approvals.hidden[0]}/approve`, `lost-approved-${seed}`, {});
    this.hidden.push(lost);
    this.at(5);
    await this.#hidden(pick, hiddenCount, feed, `after-${seed}`);
    this.at(6);
    // A token is its asker's own: the last word is one of operations', and all read models wait for it.
    await this.#do('operations', 'ops', `/v1/customers/${this.own[1]}/tags`, 'own-last', { tag: 'quiet' });
    const headers = { 'shiji-after': this.last ?? '' };
    for (const url of [
      `/v1/customers/${this.own[0]}/360`,
      '/v1/tickets',
      '/v1/campaigns',
      '/v1/approvals',
      '/v1/reports/campaign-funnel',
      `/v1/customers/${this.own[0]}/relations`,
    ]) {
      const { status, body } = await this.send('operations', 'ops', 'GET', url, { headers });
      if (status !== 200) throw new Error(`GET ${url} answered ${status} ${body}`);
    }
  }

  /** Her firm and its parties, who are hers by file: two of them hidden, of the same name in every world, tied to whom the world likes. */
  async #relate(random: () => number, pick: <Item>(items: readonly Item[]) => Item, seed: number): Promise<void> {
    const tie = async (of: string, other: string, key: string, body: object, to: string[]): Promise<void> => {
      const source = { kind: 'registry' };
      const { id } = await this.#do('operations', 'ops', `/v1/customers/${of}/relations`, key, { other, source, ...body });
      to.push(id as string);
    };
    const register = async (name: string, kind: string, manager: string, key: string): Promise<string> => {
      const { id } = await this.#do('operations', 'ops', '/v1/customers', key, { kind, name, manager, branch: '3100' });
      return id as string;
    };
    const firm = await register('远大有限公司', 'organisation', OWN_RM, 'own-firm');
    this.own.push(firm);
    const behind = await register('钱多', 'person', HIDDEN_RM, `hidden-partner-${seed}`);
    const holding = await register('海外控股', 'organisation', 'cui', `hidden-holding-${seed}`);
    const share = (percent: string) => ({ type: 'shareholder', from: '2025-01-01', share: { percent, basis: 'equity' } });
    await tie(firm, this.own[0] ?? '', 'tie-1', share('30'), this.relations.own);
    await tie(firm, behind, 'tie-2', share('30'), this.relations.own);
    await tie(firm, holding, 'tie-3', share('40'), this.relations.own);
    await tie(this.own[1] ?? '', behind, 'tie-4', { type: 'guarantor' }, this.relations.own);
    await tie(this.own[0] ?? '', this.own[1] ?? '', 'tie-5', { type: 'spouse' }, this.relations.own);
    // What lies behind: who holds the holding, and whether the partner knows it as well.
    for (const [index, customer] of this.hidden.slice(0, 2 + (seed % 2)).entries())
      await tie(holding, customer, `tie-${seed}-${index}`, share(pick(['10', '20', '30'])), this.relations.hidden);
    if (random() < 0.5) await tie(holding, behind, `tie-${seed}-behind`, { type: 'director' }, this.relations.hidden);
    this.hidden.push(behind, holding);
    // A group of hers and of whom the world likes, and one of others alone.
    const persons = [behind];
    for (const [index, name] of ownNames.entries())
      persons.push(await register(`${name}之友`, 'person', HIDDEN_RM, `hidden-friend-${seed}-${index}`));
    const grouped = async (members: readonly (string | undefined)[], key: string, to: string[]): Promise<string> => {
      const { id } = await this.#do('operations', 'ops', '/v1/groups', key, { kind: 'family', name: '一家', members, reason: 'told' });
      to.push(id as string);
      return id as string;
    };
    const family = await grouped([this.own[0], this.own[1]], 'own-group', this.groups.own);
    for (const [index, customer] of persons.slice(0, 1 + (seed % 3)).entries())
      await this.#do('operations', 'ops', `/v1/groups/${family}/members`, `own-group-${seed}-${index}`, { customer, reason: 'told' });
    const others = await grouped(persons.slice(0, 2), `hidden-group-${seed}`, this.groups.hidden);
    await this.#do('operations', 'ops', `/v1/groups/${others}/dissolve`, `hidden-group-end-${seed}`, { reason: 'over' });
  }

  async #hidden(
    pick: <Item>(items: readonly Item[]) => Item,
    count: number,
    feed: (lines: readonly unknown[]) => Promise<void>,
    when: string,
  ): Promise<void> {
    for (let index = 0; index < count; index += 1) {
      const { id } = await this.#do('operations', 'ops', '/v1/customers', `${when}-${index}-${count}-${this.hidden.length}`, {
        kind: pick(['person', 'organisation']),
        name: pick(NAMES),
        ...(when.startsWith('before') && index === 0 ? { documents: [{ type: 'passport', number: hiddenDocument, country: 'CN' }] } : {}),
        contacts: [{ kind: 'phone', value: `1390000${pick(['1111', '2222', '3333'])}` }],
        // Drawn from few names and phones, some are alike.
        confirmNotDuplicate: { reason: 'drawn so' },
        manager: pick([HIDDEN_RM, 'cui']),
        branch: pick(['3100', '3200']),
      });
      this.hidden.push(id as string);
      await this.#do('operations', 'ops', `/v1/customers/${id}/tags`, `${when}-tag-${index}`, { tag: pick(['VIP', 'risk', 'new']) });
      const value = pick(['active', 'dormant', 'lost']);
      await this.#do('operations', 'ops', `/v1/customers/${id}/classifications`, `${when}-class-${index}`, { dimension: 'life-cycle', value });
    }
    const account = `${when}-${count}`;
    await feed([
      customerLine(`H-${account}`, { name: pick(NAMES), branch: pick(['3100', '3200']) }),
      accountLine(account, pick(['3100', '3200'])),
      { kind: 'ownership', source: source(`D-${account}`), at: at('2026-01-05'), account, customer: `H-${account}`, role: 'owner' },
      ...Array.from({ length: count }, (_, index) => transactionLine(`T-${account}-${index}`, account, '2026-02-10', pick([100, 200, 300]), 10_000)),
    ]);
    this.hidden.push(sourceIdOf('customer', 'core', `H-${account}`));
  }
}

const source = (id: string) => ({ system: 'core', id });
const at = (date: string) => `${date}[Asia/Shanghai]`;
const customerLine = (id: string, more: object) => ({ kind: 'customer', source: source(id), at: at('2026-01-05'), type: 'person', ...more });
const accountLine = (id: string, branch: string) => ({ kind: 'account', source: source(id), at: at('2026-01-05'), currency: 'CNY', branch });
const transactionLine = (id: string, account: string, date: string, amount: number, balance: number) => ({
  kind: 'transaction',
  source: source(id),
  at: at(date),
  account,
  currency: 'CNY',
  direction: 'credit',
  amount,
  balance,
});
const ticket = (customer: string, summary: string) => ({ customer, type: 'inquiry', priority: 'normal', channel: 'counter', summary });

/** mulberry32 */
function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
