// Nothing is acknowledged before it is durable, seen from the system's calls; an fsync that fails; and the record of reads where each
// fsync is slow. Needs strace.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Answer, until } from '../../support/client.ts';
import { isFull } from '../../support/cluster.ts';
import { canRun } from '../../support/not-run.ts';
import { type NodeMember, PgNode } from '../../support/pg-node.ts';
import { type Call, Strace, withoutStrace } from '../../support/strace.ts';
import { expectWhole } from '../../support/whole.ts';

const COMMANDS = isFull ? 2_000 : 120;
const READS = isFull ? 20_000 : 600;
const SIDE_BY_SIDE = 16;
const SLOW_US = 20_000;
const ticket = { type: 'inquiry', priority: 'normal', channel: 'wechat', summary: 'Where is my card' };

interface Written {
  readonly stream: string;
  readonly revision: number;
}

const reason = withoutStrace();
let node: PgNode | undefined;
let member: NodeMember;
const acknowledged: Written[] = [];

beforeAll(async () => {
  if (reason !== undefined) return;
  node = await PgNode.open();
  member = await node.start();
}, 60_000);
afterAll(async () => {
  await node?.close();
}, 60_000);

/** Several at a time, each number once. */
async function sideBySide(count: number, one: (n: number) => Promise<void>): Promise<void> {
  let next = 0;
  const loop = async (): Promise<void> => {
    for (let n = next++; n < count; n = next++) await one(n);
  };
  await Promise.all(Array.from({ length: SIDE_BY_SIDE }, loop));
}

async function open(key: string = randomUUID()): Promise<Answer<{ id: string; revision: number }>> {
  return member.as('agent', 'alice').post('/v1/tickets', ticket, { 'idempotency-key': key });
}

function acknowledge({ body: { id, revision } }: Answer<{ id: string; revision: number }>): string {
  acknowledged.push({ stream: `ticket-${id}`, revision });
  return id;
}

/** Of the tickets, those answered before their bytes were written and flushed; strace's order is that of the calls. */
function answeredEarly(calls: readonly Call[], ids: readonly string[]): string[] {
  const flushes = calls.filter(({ name, result }) => name === 'fdatasync' && result === 0);
  const written = firstBy(
    calls.filter(({ name }) => name === 'pwrite64' || name === 'pwritev'),
    /ticket-([0-9a-f-]{36})/g,
  );
  const answered = firstBy(
    calls.filter(({ args }) => args.includes('HTTP/1.1 201')),
    /\\"id\\":\\"([0-9a-f-]{36})\\"/g,
  );
  return ids.filter((id) => {
    const [write, answer] = [written.get(id), answered.get(id)];
    if (!answer) throw new Error(`the answer of ticket ${id} was not seen`);
    return !(write && flushes.some(({ startedAt, endedAt }) => startedAt > write.endedAt && endedAt < answer.startedAt));
  });
}

/** The first call that names each. */
function firstBy(calls: readonly Call[], pattern: RegExp): ReadonlyMap<string, Call> {
  const first = new Map<string, Call>();
  for (const call of calls) for (const [, id = ''] of call.args.matchAll(pattern)) if (!first.has(id)) first.set(id, call);
  return first;
}

/** Opens tickets under strace; gives those that were answered early. */
async function watchTickets(at: PgNode, count: number): Promise<string[]> {
  const trace = 'trace=pwrite64,pwritev,fdatasync,write,writev';
  const strace = await Strace.attach([...at.processes, member.server.pid], ['-f', '-s', '100000', '-e', trace, '-e', 'signal=none']);
  const ids: string[] = [];
  let calls: readonly Call[] = [];
  try {
    await sideBySide(count, async () => {
      const answer = await open();
      expect(answer.status).toBe(201);
      ids.push(acknowledge(answer));
    });
  } finally {
    calls = await strace.detach();
  }
  return answeredEarly(calls, ids);
}

it('F3 acknowledged before durable: no answer leaves before the flush of its WAL has ended, and one that does is seen', async () => {
  if (!(canRun('F3', reason) && node)) return;
  expect(await watchTickets(node, COMMANDS)).toStrictEqual([]);
  // The same look at a server that does not wait for its disk.
  await node.pool.query('alter system set synchronous_commit = off');
  await node.pool.query('select pg_reload_conf()');
  expect((await watchTickets(node, 40)).length).toBeGreaterThan(0);
  await node.pool.query('alter system reset synchronous_commit');
  await node.pool.query('select pg_reload_conf()');
}, 300_000);

it('F2 F4 fdatasync returns EIO: no false answer, Postgres recovers, a retry under its key is done once, and nothing acknowledged is lost', async () => {
  if (!(canRun('F2 F4', reason) && node)) return;
  const { pool } = node;
  const lost: string[] = [];
  // The first flush of each process that is there now fails; those that Postgres starts anew are not touched.
  const strace = await Strace.attach(node.processes.slice(1), ['-e', 'trace=fdatasync', '-e', 'inject=fdatasync:error=EIO:when=1']);
  const refusals: number[] = [];
  let calls: readonly Call[] = [];
  try {
    await sideBySide(40, async () => {
      const key = randomUUID();
      const answer = await open(key);
      if (answer.status === 201) acknowledge(answer);
      else {
        lost.push(key);
        refusals.push(answer.status);
        expect(answer.headers.get('retry-after')).not.toBeNull();
      }
    });
  } finally {
    calls = await strace.detach();
  }
  expect(calls.filter(({ result }) => result === -1).length).toBeGreaterThan(0);
  expect(new Set(refusals)).toStrictEqual(new Set([503]));
  const again = await Promise.all(
    lost.map((key) =>
      until(async () => {
        const answer = await open(key);
        return answer.status === 201 && answer;
      }),
    ),
  );
  for (const answer of again) acknowledge(answer);
  expect((await Promise.all(lost.map((key) => open(key)))).map(({ body }) => body.id)).toStrictEqual(again.map(({ body }) => body.id));
  const { rows } = await until(() => pool.query<{ n: number }>('select count(*)::int as n from journal.events').catch(() => undefined));
  expect(rows).toStrictEqual([{ n: acknowledged.length }]);
  await expectWhole(node, acknowledged);
}, 300_000);

it('F30 record of reads where each fsync takes 20 ms: no read without its record, and many share a flush', async () => {
  if (!(canRun('F30', reason) && node)) return;
  const { pool } = node;
  const ids = acknowledged.slice(0, 40).map(({ stream }) => stream.slice('ticket-'.length));
  const before = await records(pool);
  expect(ids.length).toBe(40);
  const tookMs: number[] = [];
  const inject = `inject=fdatasync:delay_exit=${SLOW_US}`;
  const strace = await Strace.attach(node.processes, ['-f', '-e', 'trace=fdatasync', '-e', inject, '-e', 'signal=none']);
  let shown = 0;
  try {
    await sideBySide(READS, async (n) => {
      const startedMs = performance.now();
      const answer = await member.as('operations', 'olga').get(`/v1/tickets/${ids[n % ids.length]}`);
      tookMs.push(performance.now() - startedMs);
      if (answer.status === 200) shown += 1;
    });
  } finally {
    await strace.detach();
  }
  const after = await records(pool);
  expect({ shown, records: after.reads - before.reads }).toStrictEqual({ shown: READS, records: READS });
  expect(after.commits - before.commits).toBeLessThan(READS / 4);
  tookMs.sort((one, other) => one - other);
  const p99 = Math.round(tookMs[Math.floor(tookMs.length * 0.99)] ?? 0);
  process.stdout.write(`F30 ${READS} reads under fsyncs of 20 ms: ${after.commits - before.commits} commits, p99 ${p99} ms\n`);
}, 300_000);

/** How many reads are recorded, and by how many transactions. */
async function records(pool: PgNode['pool']): Promise<{ reads: number; commits: number }> {
  const { rows } = await pool.query<{ reads: number; commits: number }>(
    'select count(*)::int as reads, count(distinct xmin::text)::int as commits from access.reads',
  );
  return rows[0] as { reads: number; commits: number };
}
