// kill -9 of the server in the middle of an import, with or without its Postgres, as a power cut takes both: the next start adopts the
// Postgres that was left behind or recovers it by itself, and the import goes on to its end.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect } from 'vitest';
import { chaos, roundsOf } from '../support/chaos.ts';
import { EmbeddedServer, kill } from '../support/chaos-server.ts';
import { runCli } from '../support/cli.ts';
import { until } from '../support/client.ts';
import { complaintsCsv } from '../support/complaints.ts';
import { expectWhole } from '../support/whole.ts';

const KILLS = roundsOf({ quick: 3, full: 20 });
const ROWS = 4_000;

let server: EmbeddedServer;

beforeAll(async () => {
  server = await EmbeddedServer.open();
}, 60_000);
afterAll(async () => {
  await server?.close();
}, 60_000);

chaos('F28 server killed during imports: each goes on after the restart, and every row is a ticket once', KILLS * 30_000 + 60_000, async (draw) => {
  let rows = 0;
  let kills = 0;
  while (kills < KILLS) {
    const batch = rows / ROWS;
    const { csv } = complaintsCsv(ROWS, draw.between(1, 1_000_000));
    const file = join(server.base, `complaints-${batch}.csv`);
    // Numbers of its own for each file.
    writeFileSync(
      file,
      csv.replaceAll(/^2(\d{6}),/gm, (_, rest: string) => `${2 + batch}${rest},`),
    );
    rows += ROWS;
    const importing = runCli('import', ['complaints', file], { cwd: server.base, dataDir: server.folder, env: { SHIJI_URL: server.url } });
    let isOver = false;
    const ended = importing.done.finally(() => {
      isOver = true;
    });
    while (kills < KILLS) {
      await sleep(draw.between(200, 1_500));
      if (isOver) break;
      await server.kill();
      if (draw.next() < 0.4) kill(server.postmaster);
      kills += 1;
      await server.start();
    }
    const { code, out, err } = await ended;
    expect({ code, out, err: code === 0 ? '' : err }).toStrictEqual({
      code: 0,
      out: expect.stringMatching(new RegExp(`^${ROWS} rows: \\d+ new, \\d+ known already, 0 rejected`)),
      err: '',
    });
  }
  const { rows: found } = await server.pool.query<{ tickets: number }>(
    "select count(*)::int as tickets from journal.streams where stream like 'ticket-%'",
  );
  expect(found[0]?.tickets).toBe(rows);
  process.stdout.write(`F28 ${kills} kills of the server during imports of ${rows} rows\n`);
  // The deadlines of tickets that are open were long past when they came: they are told, each once, and no timer is left.
  await until(async () => (await server.pool.query('select from read.timers where fires_at < now()')).rowCount === 0);
  await expectWhole(server, []);
});
