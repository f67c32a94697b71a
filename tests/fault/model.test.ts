// Random commands on tickets and customers at two command handlers on one journal, as two processes would run them: one after the other
// and at once, under keys used again and revisions long past. Whatever is answered, some order of a pure model explains it, and the
// journal holds what the model says.
import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, expect } from 'vitest';
import { PostgresClaims } from '../../src/claims/postgres-claims.ts';
import type { AnyCommand } from '../../src/commands/command.ts';
import { addContact, assignCustomer, registerCustomer, tagCustomer, untagCustomer, verifyContact } from '../../src/commands/customer.ts';
import { CommandHandler, type Outcome } from '../../src/commands/handler.ts';
import { assignTicket, closeTicket, openTicket, reopenTicket, resolveTicket, startTicket } from '../../src/commands/ticket.ts';
import { eventDefinitions } from '../../src/domain/events.ts';
import { EventCodec } from '../../src/journal/codec.ts';
import type { Journal } from '../../src/journal/journal.ts';
import { Keyring } from '../../src/journal/keyring.ts';
import { Opener } from '../../src/journal/sealing.ts';
import { createPool } from '../../src/postgres/pool.ts';
import { chaos, roundsOf, seed } from '../support/chaos.ts';
import { created, explained, type Modelled, type Said, type Step } from '../support/chaos-model.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { openPostgresJournal } from '../support/postgres-journal.ts';
import { flawsOf } from '../support/whole.ts';

const RUNS = 30 * roundsOf({ quick: 2, full: 100 });
const MOST_AT_ONCE = 4;

let database: TestDatabase;
let pool: pg.Pool;
let journals: Journal[];
let handlers: CommandHandler[];

beforeAll(async () => {
  database = await createTestDatabase();
  pool = createPool({ url: database.url, max: 4, applicationName: 'shiji-test', role: 'shiji_app' });
  const open = { url: database.url, now: () => Date.now() };
  journals = await Promise.all([openPostgresJournal(open), openPostgresJournal(open)]);
  const id = await (journals[0] as Journal).identity();
  const master = { version: 1, key: Buffer.alloc(32, 1) };
  handlers = journals.map((journal) => {
    const keyring = new Keyring(pool, [master]);
    const codec = new EventCodec(id, eventDefinitions);
    const claims = new PostgresClaims(pool, Buffer.alloc(32, 5));
    return new CommandHandler({ journal, codec, keyring, opener: new Opener(id, keyring), now: open.now, claims });
  });
}, 60_000);
afterAll(async () => {
  for (const journal of journals ?? []) await journal.close();
  await pool?.end();
  await database?.drop();
}, 60_000);

interface Place {
  readonly step: Step;
  readonly handler: number;
  /** By how much the named revision is off; absent where none is named. */
  readonly off?: number | undefined;
}

const value = fc.constantFrom('alice', 'bob');
const steps = {
  ticket: fc.record({ do: fc.constantFrom('assign', 'start', 'resolve', 'reopen', 'close'), value }),
  customer: fc.oneof(
    fc.record({ do: fc.constantFrom('tag', 'untag'), value }),
    fc.record({ do: fc.constant('move'), value: fc.constantFrom('3100', '3200') }),
    fc.record({ do: fc.constant('add-contact'), value: fc.constantFrom('13800138000', '13800138001') }),
    fc.record({ do: fc.constant('verify-contact'), value: fc.constantFrom('1', '2') }),
  ),
} as const;
const placeOf = (kind: Modelled['kind']): fc.Arbitrary<Place> =>
  fc
    .record({
      what: steps[kind] as fc.Arbitrary<Pick<Step, 'do' | 'value'>>,
      key: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'),
      handler: fc.nat(1),
      off: fc.option(fc.constantFrom(0, 0, 0, -1, 1), { nil: undefined, freq: 2 }),
    })
    .map(({ what, key, handler, off }) => ({ step: { ...what, value: bodyless(what), key }, handler, off }));
/** Of steps that take no value none counts. */
const bodyless = ({ do: action, value: given }: Pick<Step, 'do' | 'value'>): string => (/start|close|reopen|resolve/.test(action) ? '' : given);
const lifeOf = (kind: Modelled['kind']) =>
  fc.record({ kind: fc.constant(kind), rounds: fc.array(fc.array(placeOf(kind), { minLength: 1, maxLength: MOST_AT_ONCE }), { maxLength: 12 }) });
const lives = fc.array(fc.oneof(lifeOf('ticket'), lifeOf('customer')), { minLength: 1, maxLength: 3 });

const commands: Readonly<Record<Step['do'], (value: string) => { command: AnyCommand; body: unknown; params?: object }>> = {
  assign: (to) => ({ command: assignTicket, body: { to } }),
  start: () => ({ command: startTicket, body: {} }),
  resolve: () => ({ command: resolveTicket, body: { resolution: 'Sent' } }),
  reopen: () => ({ command: reopenTicket, body: {} }),
  close: () => ({ command: closeTicket, body: {} }),
  tag: (tag) => ({ command: tagCustomer, body: { tag } }),
  untag: (tag) => ({ command: untagCustomer, body: {}, params: { tag } }),
  move: (branch) => ({ command: assignCustomer, body: { branch } }),
  'add-contact': (phone) => ({ command: addContact, body: { kind: 'phone', value: phone } }),
  'verify-contact': (contactId) => ({ command: verifyContact, body: {}, params: { contactId } }),
};

const asked = { actor: { subject: 'ops', role: 'operations' }, channel: 'rest', correlationId: 'model' } as const;

function execute(handler: number, command: AnyCommand, params: object, body: unknown, key: string, expectedRevision?: number): Promise<Outcome> {
  const request = { ...asked, params: command.params.parse(params), body: command.body.parse(body), key, expectedRevision };
  return (handlers[handler] as CommandHandler).execute(command, request);
}

function sayingOf(outcome: Outcome): Said {
  switch (outcome.kind) {
    case 'accepted':
      return `200 ${outcome.revision}`;
    case 'refused':
      return outcome.rejection.rejected.endsWith('NotFound') ? '404' : '409';
    case 'moved':
      return '412';
    case 'key-reused':
      return '422';
    case 'not-found':
      return '404';
    case 'proposed':
      throw new Error('none of these commands waits for an approval');
  }
}

async function create(kind: Modelled['kind']): Promise<string> {
  const key = randomUUID();
  const ticket = { type: 'inquiry', priority: 'low', channel: 'web', summary: 'Where is my card' };
  const [command, body] = kind === 'ticket' ? [openTicket, ticket] : [registerCustomer, { kind: 'person', name: '王小明', branch: '3100' }];
  // Asked at both, at once, under one key.
  const outcomes = await Promise.all([0, 1, 0].map((handler) => execute(handler, command as AnyCommand, {}, body, key)));
  const ids = new Set(outcomes.map((outcome) => (outcome.kind === 'accepted' && outcome.revision === 0 ? outcome.id : outcome.kind)));
  expect(ids.size).toBe(1);
  return [...ids][0] as string;
}

/** Lives one after another round by round; every answer is explained by what the model may stand at. */
async function live({ kind, rounds }: { kind: Modelled['kind']; rounds: readonly (readonly Place[])[] }): Promise<number> {
  const id = await create(kind);
  let possible: readonly Modelled[] = [created(kind)];
  let count = 0;
  for (const round of rounds) {
    const revision = possible[0]?.revision ?? 0;
    const named = round.map(({ step, off }) => ({ ...step, ifMatch: off === undefined ? undefined : Math.max(0, revision + off) }));
    const outcomes = await Promise.all(
      named.map((step, at) => {
        const { command, body, params } = commands[step.do](step.value);
        return execute(round[at]?.handler ?? 0, command, { [`${kind}Id`]: id, ...params }, body, step.key, step.ifMatch);
      }),
    );
    const said = outcomes.map(sayingOf);
    const after = possible.flatMap((thing) => explained(thing, named, said));
    if (after.length === 0) expect({ said, after: named }).toBe(`explained by some order, from ${JSON.stringify(possible)}`);
    possible = after;
    count += round.length;
  }
  const events = await (journals[0] as Journal).readStream(`${kind}-${id}`);
  expect(possible.map(({ revision }) => revision)).toContain(events.length - 1);
  return count;
}

chaos('F5 F7 F9 random commands at two handlers, one by one and at once: a pure model explains each answer', RUNS * 1_000 + 60_000, async () => {
  let count = 0;
  await fc.assert(
    fc.asyncProperty(lives, async (all) => {
      for (const done of await Promise.all(all.map(live))) count += done;
    }),
    { numRuns: RUNS, seed, interruptAfterTimeLimit: RUNS * 1_000, markInterruptAsFailure: true },
  );
  process.stdout.write(`F7 ${count} commands in ${RUNS} runs, each answer explained\n`);
  expect(count).toBeGreaterThan(RUNS);
  const owner = new pg.Pool({ connectionString: database.ownerUrl, max: 1 });
  const flaws = await flawsOf(owner);
  await owner.end();
  expect(new Set(Object.values(flaws))).toStrictEqual(new Set([0]));
});
