// The main job, as a user does it: complaints in through the command line, interrupted, and shown, reported and replayed.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../src/postgres/embedded.ts';
import { callerOf, until } from '../support/client.ts';
import { complaintsCsv } from '../support/complaints.ts';
import { type ServerProcess, spawnServer } from '../support/server.ts';

const root = join(import.meta.dirname, '../..');

interface Run {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

describe('complaints, imported over the API', () => {
  const folder = mkdtempSync(join(tmpdir(), 'shiji-e2e-'));
  const dataDir = join(folder, 'data');
  const file = join(folder, 'complaints.csv.gz');
  const { csv, sums } = complaintsCsv(6_000);
  let server: ServerProcess;
  let port: number;
  let url: string;

  const start = async (): Promise<void> => {
    server = spawnServer({ dataDir, env: { PORT: String(port) } });
    url = await server.ready;
  };
  const cli = (name: 'import' | 'replay', ...args: string[]): { done: Promise<Run>; kill: () => void } => {
    const child = spawn(process.execPath, [join(root, 'src/cli', `${name}.ts`), ...args], {
      cwd: folder,
      env: { PATH: process.env.PATH, SHIJI_DATA: dataDir },
    });
    let out = '';
    let err = '';
    child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
    return { done: new Promise((resolve) => child.on('close', (code) => resolve({ code, out, err }))), kill: () => child.kill('SIGKILL') };
  };
  const lines = async (): Promise<number> => {
    const { body } = await callerOf(url, { dataDir }, 'integration', 'complaints-import').get<{ items: { lines: number }[] }>('/v1/feeds');
    return body.items.reduce((total, run) => total + run.lines, 0);
  };

  beforeAll(async () => {
    writeFileSync(file, gzipSync(csv));
    port = await freePort();
    await start();
  });
  afterAll(async () => {
    server.kill('SIGTERM');
    await server.ended;
    rmSync(folder, { recursive: true, force: true });
  });

  it('come in whole, though the client is killed and then the server is killed in the middle', async () => {
    const killed = cli('import', 'complaints', file);
    await until(async () => (await lines()) > 0);
    killed.kill();
    await killed.done;

    const again = cli('import', 'complaints', file);
    await until(async () => (await lines()) > 2_500);
    server.kill('SIGKILL');
    await server.ended;
    await start();
    const { code, out, err } = await again.done;
    expect(err).not.toContain('failed');
    expect({ code, out }).toMatchObject({ code: 0, out: expect.stringMatching(/^6000 rows: \d+ new, \d+ known already, 0 rejected\.\n$/) });
  }, 120_000);

  it('give the sums of the file, by the list and by the report, the source’s verdicts apart', async () => {
    const auditor = callerOf(url, { dataDir }, 'auditor', 'ann');
    const report = await auditor.get<{ totals: Record<string, number> }>('/v1/reports/sla-attainment');
    expect(report.body.totals).toMatchObject({
      tickets: sums.rows,
      open: sums.open,
      verdictTimely: sums.timely,
      verdictUntimely: sums.untimely,
      verdictNone: sums.open,
      firstResponseUnknown: sums.rows - sums.open,
      resolutionUnknown: sums.rows - sums.open,
    });
    const total = async (query: string): Promise<unknown> => (await auditor.get(`/v1/tickets?limit=1&count=true&${query}`)).body.total;
    expect([await total(''), await total('status=open'), await total('status=closed')]).toEqual([sums.rows, sums.open, sums.rows - sums.open]);
    expect([await total('verdict=timely'), await total('verdict=untimely')]).toEqual([sums.timely, sums.untimely]);
    const csvReport = await auditor.get<string>('/v1/reports/sla-attainment', { accept: 'text/csv' });
    expect(csvReport.headers.get('content-type')).toContain('text/csv');
    expect(csvReport.body.split('\r\n')[0]).toContain('product,channel,month,tickets');
  });

  it('have deadlines only where they are open, missed long ago, each told once at its true instant and muted', async () => {
    const auditor = callerOf(url, { dataDir }, 'auditor', 'ann');
    await until(async () => (await auditor.get<{ total: number }>('/v1/tickets?limit=1&count=true&clock=breached')).body.total === sums.open);
    await until(
      async () => (await auditor.get<{ totals: Record<string, number> }>('/v1/reports/sla-attainment')).body.totals.resolutionBreached === sums.open,
    );
    const { body } = await auditor.get<{ items: { id: string; openedAt: string }[] }>('/v1/tickets?status=open&limit=1');
    const { id } = body.items[0] as { id: string };
    const ticket = await auditor.get<{ history: { event: string; occurredAt: string; recordedAt: string; by: { role: string } }[] }>(
      `/v1/tickets/${id}`,
    );
    const reached = ticket.body.history.filter(({ event }) => event.startsWith('Sla'));
    expect(reached.map(({ event }) => event)).toEqual(['SlaWarned', 'SlaBreached', 'SlaWarned', 'SlaBreached']);
    for (const { occurredAt, recordedAt, by } of reached) {
      expect(occurredAt < recordedAt.slice(0, 4)).toBe(true);
      expect(by.role).toBe('system');
    }
    const events = await auditor.get<{ items: { type: string; data: { muted?: boolean } }[] }>(`/v1/streams/ticket-${id}`);
    expect(events.body.items.filter(({ type }) => type.startsWith('Sla')).every(({ data }) => data.muted === true)).toBe(true);
  }, 60_000);

  it('are all known when they are brought once more, which changes nothing', async () => {
    const before = await callerOf(url, { dataDir }, 'auditor', 'ann').get<{ items: { position: number }[] }>('/v1/projections');
    expect(await cli('import', 'complaints', file).done).toMatchObject({ code: 0, out: '6000 rows: 0 new, 6000 known already, 0 rejected.\n' });
    const after = await callerOf(url, { dataDir }, 'auditor', 'ann').get<{ items: { position: number }[] }>('/v1/projections');
    expect(after.body.items.map(({ position }) => position)).toEqual(before.body.items.map(({ position }) => position));
  }, 120_000);

  it('are replayed as of a past day into a schema of their own, which lists and reports answer from', async () => {
    const run = await cli('replay', '--until', '2020-06-30', '--name', 'mid-2020').done;
    expect(run).toMatchObject({ code: 0 });
    const auditor = callerOf(url, { dataDir }, 'auditor', 'ann');
    const rows = csv
      .trim()
      .split('\n')
      .slice(1)
      .filter((line) => (line.split(',')[3] ?? '') <= '2020-06-30').length;
    const past = await auditor.get<{ totals: { tickets: number } }>('/v1/reports/sla-attainment?replay=mid-2020');
    expect(past.body.totals.tickets).toBe(rows);
    const listed = await auditor.get<{ total: number; items: { openedAt: string }[] }>(
      '/v1/tickets?replay=mid-2020&count=true&limit=1&sort=-openedAt',
    );
    expect(listed.body.total).toBe(rows);
    // The end of the day in the source's zone.
    expect((listed.body.items[0]?.openedAt ?? '~') < '2020-07-01T04:00:00.000Z').toBe(true);
  }, 60_000);

  it('compare without a difference beside the running server, and with one where a row was altered', async () => {
    expect(await cli('replay', '--compare').done).toMatchObject({ code: 0 });
    const { user, password, port: postgresPort } = JSON.parse(readFileSync(join(dataDir, 'postgres.json'), 'utf8'));
    const client = new pg.Client({ host: '127.0.0.1', port: postgresPort, user, password, database: 'shiji' });
    await client.connect();
    const { rows } = await client.query(
      "update read.tickets set verdict = 'untimely' where id = (select min(id) from read.tickets where verdict = 'timely') returning id",
    );
    const found = await cli('replay', '--compare').done;
    await client.query("update read.tickets set verdict = 'timely' where id = $1", [rows[0].id]);
    await client.end();
    expect(found.code).toBe(1);
    expect(found.out + found.err).toContain(rows[0].id);
  }, 60_000);

  it('leave what can’t be read in a rejects file, by line and reason, and stop there with --strict', async () => {
    const bad = join(folder, 'bad.csv');
    const [header = '', ...rows] = complaintsCsv(5, 99).csv.trim().split('\n');
    rows[1] = (rows[1] ?? '').replace(/^\d+/, 'x12');
    rows[3] = (rows[3] ?? '').replace(/^(\d+),[^,]*,/, '$1,Pigeon,');
    writeFileSync(bad, `${[header, ...rows.map((row) => row.replace(/^2000/, '7000'))].join('\n')}\n`);
    expect(await cli('import', 'complaints', bad).done).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^5 rows: 3 new, 0 known already, 2 rejected/),
    });
    const rejects = readFileSync(join(folder, 'bad.csv.rejects.ndjson'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(rejects).toEqual([
      { line: 3, reasons: [expect.stringContaining('Complaint ID is "x12"')] },
      { line: 5, reasons: [expect.stringContaining('Submitted via is "Pigeon"')] },
    ]);
    const strict = await cli('import', 'complaints', bad, '--strict').done;
    expect(strict.code).toBe(1);
    expect(strict.err).toContain('Line 3:');
  }, 60_000);
});
