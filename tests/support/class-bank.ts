// A bank over the API whose clock is set by hand, with a second handler beside the server's for the workers, as another process has one.
import { sourceIdOf } from '../../src/commands/command-id.ts';
import { CommandHandler } from '../../src/commands/handler.ts';
import { eventDefinitions } from '../../src/domain/events.ts';
import type { Role } from '../../src/domain/kernel/roles.ts';
import { EventCodec } from '../../src/journal/codec.ts';
import { Keyring } from '../../src/journal/keyring.ts';
import { Opener } from '../../src/journal/sealing.ts';
import { createLogger } from '../../src/logging.ts';
import { projections } from '../../src/projections/all.ts';
import { createTestApi, type TestApi } from './api-server.ts';
import { until } from './client.ts';
import { createTestDatabase, type TestDatabase } from './database.ts';

const JOURNAL = 'journal of the tests';

export class ClassBank {
  readonly api: TestApi;
  readonly handler: CommandHandler;
  readonly codec = new EventCodec(JOURNAL, eventDefinitions);
  readonly log = createLogger({ level: 'fatal' });
  readonly #database: TestDatabase;
  readonly #clock: { ms: number };

  private constructor(database: TestDatabase, api: TestApi, clock: { ms: number }) {
    this.#database = database;
    this.#clock = clock;
    this.api = api;
    const keyring = new Keyring(api.pool, [{ version: 1, key: Buffer.alloc(32, 1) }]);
    const opener = new Opener(JOURNAL, keyring);
    this.handler = new CommandHandler({ journal: api.journal, codec: this.codec, keyring, opener, now: this.now });
  }

  static async open(at: string): Promise<ClassBank> {
    const clock = { ms: Date.parse(at) };
    const database = await createTestDatabase();
    return new ClassBank(database, await createTestApi(database, { contexts: true, clockMs: () => clock.ms }), clock);
  }

  async close(): Promise<void> {
    await this.api.close();
    await this.#database.drop();
  }

  now = (): number => this.#clock.ms;

  /** The clock is never set back. */
  at(instant: string): void {
    this.#clock.ms = Math.max(this.#clock.ms, Date.parse(instant));
  }

  async post(role: Role, path: string, body: unknown = {}, { subject, ...headers }: Record<string, string> = {}) {
    const ndjson = path.startsWith('feeds/');
    const answer = await this.api.app.inject({
      method: 'POST',
      url: `/v1/${path}`,
      headers: { ...this.api.as(role, subject), 'content-type': ndjson ? 'application/x-ndjson' : 'application/json', ...headers },
      payload: ndjson ? (body as readonly unknown[]).map((line) => JSON.stringify(line)).join('\n') : JSON.stringify(body),
    });
    return { status: answer.statusCode, headers: answer.headers as Record<string, string>, body: answer.json() };
  }

  async get(role: Role, path: string, { subject, ...headers }: Record<string, string> = {}) {
    const answer = await this.api.app.inject({ method: 'GET', url: `/v1/${path}`, headers: { ...this.api.as(role, subject), ...headers } });
    const isJson = /json/.test(String(answer.headers['content-type']));
    return { status: answer.statusCode, headers: answer.headers as Record<string, string>, text: answer.body, body: isJson ? answer.json() : {} };
  }

  /** Lines of core banking, each taken. */
  async feed(lines: readonly unknown[]): Promise<void> {
    const { status, body } = await this.post('integration', 'feeds/core-banking', lines);
    if (status !== 200 || body.rejected !== 0) throw new Error(`the feed answered ${status} ${JSON.stringify(body)}`);
  }

  /** Waits until every read model has all that stands in the journal. */
  async settled(): Promise<void> {
    const names = projections.map(({ name }) => name);
    const { position } = await this.api.journal.head();
    await until(async () => {
      const { rows } = await this.api.pool.query<{ position: string }>('select position from engine.checkpoints where projection = any($1)', [names]);
      return rows.length === names.length && rows.every((row) => Number(row.position) >= position);
    });
  }

  async typesOf(stream: string): Promise<string[]> {
    return (await this.api.journal.readStream(stream)).map(({ type }) => type);
  }
}

/** The id here of a customer of the core system. */
export const coreCustomer = (id: string): string => sourceIdOf('customer', 'core', id);
const source = (id: string) => ({ system: 'core', id });
const at = (date: string) => `${date}[Asia/Shanghai]`;

export const customerLine = (id: string, date: string, more: object = {}) => ({
  kind: 'customer',
  source: source(id),
  at: at(date),
  type: 'person',
  name: `客户${id}`,
  branch: '3100',
  ...more,
});
export const accountLines = (id: string, owner: string, date: string, more: object = {}) => [
  { kind: 'account', source: source(id), at: at(date), currency: 'CNY', branch: '3100', ...more },
  { kind: 'ownership', source: source(`D-${id}-${owner}`), at: at(date), account: id, customer: owner, role: 'owner' },
];
/** `balance` undefined: the source does not tell it. */
export const moveLine = (id: string, account: string, date: string, amount: number, balance?: number, currency = 'CNY') => ({
  kind: 'transaction',
  source: source(id),
  at: at(date),
  account,
  currency,
  direction: amount < 0 ? 'debit' : 'credit',
  amount: Math.abs(amount),
  ...(balance === undefined ? {} : { balance }),
});
