// A bit that flips in a file of Postgres is noticed by its checksum and never served; a page put back to what it was an hour ago passes the
// checksum and is named by a comparison with the journal, as is a row that someone changed by hand.
import { closeSync, openSync, readFileSync, readSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runCli } from '../../support/cli.ts';
import { type NodeMember, PgNode } from '../../support/pg-node.ts';
import { caughtUp, expectWhole, flawsOf } from '../../support/whole.ts';

const TICKETS = 60;
const PAGE = 8_192;
const ticket = { type: 'inquiry', priority: 'normal', channel: 'wechat', summary: 'Where is my card' };

let node: PgNode;
let member: NodeMember;
const ids: string[] = [];

beforeAll(async () => {
  node = await PgNode.open();
  member = await node.start();
  await openTickets(TICKETS);
}, 60_000);
afterAll(async () => {
  await node?.close();
}, 60_000);

async function openTickets(count: number): Promise<void> {
  for (let n = 0; n < count; n += 1) {
    const { body } = await member.as('agent', 'alice').post<{ id: string }>('/v1/tickets', ticket);
    ids.push(body.id);
  }
  await caughtUp(node.pool);
}

/** Where a ticket's row, or its first event, lies. */
async function placeOf(of: 'row' | 'event', id: string | undefined): Promise<{ path: string; page: number }> {
  const query =
    of === 'row'
      ? 'select tableoid, ctid from read.tickets where id = $1'
      : "select tableoid, ctid from journal.events where stream = 'ticket-' || $1 and revision = 0";
  const { rows } = await node.pool.query<{ path: string; page: number }>(
    `select pg_relation_filepath(tableoid) as path, split_part(trim(both '()' from ctid::text), ',', 1)::int as page from (${query}) found`,
    [id],
  );
  const { path, page } = rows[0] as { path: string; page: number };
  return { path: join(node.dataFolder, path), page };
}

/** One bit, among the rows. */
function flip({ path, page }: { path: string; page: number }): void {
  const at = (page + 1) * PAGE - 40;
  const file = openSync(path, 'r+');
  const byte = Buffer.alloc(1);
  readSync(file, byte, 0, 1, at);
  writeSync(file, Buffer.from([(byte[0] ?? 0) ^ 1]), 0, 1, at);
  closeSync(file);
}

async function stopOurs(): Promise<void> {
  member.server.kill('SIGTERM');
  await member.server.ended;
}

const compare = () => runCli('replay', ['--compare'], { cwd: node.folder, dataDir: node.folder, env: node.settings }).done;

it('F21 bit flip in a table: what stands on the page is refused and not served, and on a damaged journal nothing starts or is replayed', async () => {
  const [row, event] = [await placeOf('row', ids[0]), await placeOf('event', ids[0])];
  await stopOurs();
  await node.restart(() => flip(row));
  member = await node.start();
  const reader = member.as('operations', 'olga');
  const answer = await reader.get('/v1/tickets');
  expect(answer.status).toBe(500);
  expect(JSON.stringify(answer.body)).not.toMatch(/page|card|wechat/i);
  // From its events.
  expect((await reader.get(`/v1/tickets/${ids[0]}`)).status).toBe(200);

  await stopOurs();
  await node.restart(() => {
    flip(row);
    flip(event);
  });
  await expect(node.start()).rejects.toThrow(/could not start: invalid page in block 0 of relation/);
  const { code, err } = await compare();
  expect({ code, err }).toStrictEqual({ code: 1, err: expect.stringContaining('invalid page in block 0') });

  await node.restart(() => flip(event));
  member = await node.start();
  expect((await member.as('agent', 'alice').post(`/v1/tickets/${ids[0]}/assign`, { to: 'alice' })).status).toBe(200);
  await expectWhole(node, []);
}, 120_000);

it('F22 stale page put back: a read model that differs is named by row, as one changed by hand is (F58), and an older journal is refused', async () => {
  const [row, event] = [await placeOf('row', ids[1]), await placeOf('event', ids[1])];
  await stopOurs();
  let old: readonly Buffer[] = [];
  await node.restart(() => {
    old = [row, event].map(({ path }) => readFileSync(path));
  });
  member = await node.start();
  expect((await member.as('agent', 'alice').post(`/v1/tickets/${ids[1]}/assign`, { to: 'bob' })).status).toBe(200);
  await caughtUp(node.pool);
  await stopOurs();

  await node.restart(() => writeFileSync(row.path, old[0] as Buffer, { flag: 'r+' }));
  await node.pool.query('update read.tickets set priority = $2 where id = $1', [ids[2], 'low']);
  const { code, out } = await compare();
  expect(code).toBe(1);
  expect(out).toContain(ids[1]);
  expect(out).toContain(ids[2]);
  expect(out).toContain('priority');

  await node.restart(() => writeFileSync(event.path, old[1] as Buffer, { flag: 'r+' }));
  await expect(node.start()).rejects.toThrow(/saw event .+, and this journal has another there/);
  expect((await flawsOf(node.pool)).holes).toBeGreaterThan(0);
}, 120_000);
