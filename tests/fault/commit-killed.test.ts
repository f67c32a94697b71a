// A Postgres process dies by KILL at one of the writes and flushes of a group commit: 50 commands at once, 3 of which decide on a past
// that another API has moved. Each is done whole or not at all, and none takes another with it. Needs strace and root.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect } from 'vitest';
import { chaos, roundsOf } from '../support/chaos.ts';
import { type Answer, until } from '../support/client.ts';
import { canRun } from '../support/not-run.ts';
import { type NodeMember, PgNode } from '../support/pg-node.ts';
import { Strace, withoutStrace } from '../support/strace.ts';
import { type Acknowledged, expectWhole } from '../support/whole.ts';

const COMMANDS = 50;
const STALE = 3;
/** Quick: of the calls that a batch makes, the first and others at random; full: each in turn, three times. */
const MOST_CALL = 12;
const ROUNDS = roundsOf({ quick: 3, full: 3 * MOST_CALL });
const ticket = { type: 'inquiry', priority: 'normal', channel: 'wechat', summary: 'Where is my card' };

const reason = withoutStrace();
let node: PgNode | undefined;
let here: NodeMember;
let there: NodeMember;
const acknowledged: Acknowledged[] = [];

beforeAll(async () => {
  if (reason !== undefined) return;
  node = await PgNode.open();
  here = await node.start();
  there = await node.start('api');
}, 90_000);
afterAll(async () => {
  await node?.close();
}, 60_000);

type Told = Answer<{ id: string; revision: number; type?: string }>;

interface Asked {
  readonly path: string;
  readonly body: unknown;
  readonly key: string;
  readonly isStale: boolean;
}

async function ask({ path, body, key }: Asked, at = here): Promise<Told | undefined> {
  return at
    .as('agent', 'alice')
    .post<Told['body']>(path, body, { 'idempotency-key': key })
    .catch(() => undefined);
}

/** A ticket that this API remembers to be in progress, resolved at the other. */
async function movedElsewhere(): Promise<Asked> {
  let path = '/v1/tickets';
  for (const [step, body] of [
    ['open', ticket],
    ['assign', { to: 'alice' }],
    ['start', {}],
    ['resolve', { resolution: 'Sent' }],
  ] as const) {
    const asked = { path: step === 'open' ? path : `${path}/${step}`, body, key: randomUUID(), isStale: false };
    const answer = await ask(asked, step === 'resolve' ? there : here);
    expect(answer?.status).toBeLessThan(300);
    if (step === 'open') path = `/v1/tickets/${answer?.body.id}`;
    acknowledged.push({ stream: `ticket-${path.slice('/v1/tickets/'.length)}`, revision: answer?.body.revision ?? -1 });
  }
  return { path: `${path}/resolve`, body: { resolution: 'Sent again' }, key: randomUUID(), isStale: true };
}

const isLater = (told: Told | undefined): boolean => told === undefined || told.status === 503;

chaos(
  'F1 torn group commit: KILL at a write or flush of a batch of 50 with 3 refused; each is whole or not there',
  ROUNDS * 45_000 + 60_000,
  async (draw) => {
    if (!(canRun('F1', reason) && node)) return;
    let killed = 0;
    let lost = 0;
    for (let round = 0; round < ROUNDS; round += 1) {
      const when = round === 0 ? 1 : ROUNDS < MOST_CALL ? draw.between(1, 5) : 1 + (round % MOST_CALL);
      const asked: Asked[] = [];
      while (asked.length < STALE) asked.push(await movedElsewhere());
      while (asked.length < COMMANDS) asked.push({ path: '/v1/tickets', body: ticket, key: randomUUID(), isStale: false });
      const inject = `inject=pwrite64,pwritev,fdatasync:signal=KILL:when=${when}`;
      const strace = await Strace.attach(node.processes.slice(1), ['-e', 'trace=pwrite64,pwritev,fdatasync', '-e', inject]);
      let first: (Told | undefined)[] = [];
      try {
        first = await Promise.all(draw.shuffled(asked).map((one) => ask(one).then((told) => ({ one, told })))).then((all) =>
          asked.map((one) => all.find((answered) => answered.one === one)?.told),
        );
      } finally {
        await strace.detach();
      }
      const later = first.filter(isLater).length;
      lost += later;
      if (later > 0) killed += 1;
      const told = await Promise.all(asked.map((one) => until(async () => ask(one).then((answer) => !isLater(answer) && answer), 40_000)));
      for (const [at, answer] of told.entries()) {
        const one = asked[at] as Asked;
        if (one.isStale) {
          expect([answer?.status, `${answer?.body.type}`]).toStrictEqual([409, expect.stringContaining('TicketTransitionIllegal')]);
          continue;
        }
        expect(answer?.status).toBe(201);
        // Who had an answer at first has the same again.
        if (!isLater(first[at])) expect(answer?.body).toStrictEqual(first[at]?.body);
        acknowledged.push({ stream: `ticket-${answer?.body.id}`, revision: answer?.body.revision ?? -1 });
      }
      process.stdout.write(`F1 KILL at call ${when}: ${later} of ${COMMANDS} told to come back\n`);
    }
    expect(killed).toBeGreaterThan(0);
    expect(lost).toBeGreaterThan(0);
    await expectWhole(node, acknowledged);
    const { rows } = await node.pool.query<{ n: number }>('select count(*)::int as n from journal.events');
    expect(rows[0]?.n).toBe(acknowledged.length);
  },
);
