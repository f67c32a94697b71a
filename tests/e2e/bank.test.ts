// The main job, as a user does it: a bank's data in through the command line, the server killed in the middle, its customers shown now
// and as of a past day, which is what the replay of everything to that day shows.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sourceIdOf } from '../../src/commands/command-id.ts';
import { freePort } from '../../src/postgres/embedded.ts';
import { berkaBank } from '../support/berka-bank.ts';
import { type Run, runCli } from '../support/cli.ts';
import { callerOf, until } from '../support/client.ts';
import { type ServerProcess, spawnServer } from '../support/server.ts';

const DAY = '1997-06-30';

describe('a bank, imported over the API', () => {
  const folder = mkdtempSync(join(tmpdir(), 'shiji-e2e-bank-'));
  const dataDir = join(folder, 'data');
  const bank = berkaBank(150);
  const { sums, movers } = bank;
  let server: ServerProcess;
  let port: number;
  let url: string;

  const start = async (): Promise<void> => {
    server = spawnServer({ dataDir, env: { PORT: String(port) } });
    url = await server.ready;
  };
  const cli = (name: 'import' | 'replay', ...args: string[]) => runCli(name, args, { cwd: folder, dataDir });
  const auditor = () => callerOf(url, { dataDir }, 'auditor', 'ann');

  beforeAll(async () => {
    port = await freePort();
    await start();
  });
  afterAll(async () => {
    server.kill('SIGTERM');
    await server.ended;
    rmSync(folder, { recursive: true, force: true });
    rmSync(bank.folder, { recursive: true, force: true });
  });

  it('comes in whole, though the server is killed in the middle', async () => {
    const importer = callerOf(url, { dataDir }, 'integration', 'berka-import');
    const running = cli('import', 'berka', bank.folder);
    await until(async () => {
      const { body } = await importer.get<{ items: { lines: number }[] }>('/v1/feeds');
      return body.items.reduce((total, run) => total + run.lines, 0) > sums.accounts + sums.clients;
    });
    server.kill('SIGKILL');
    await server.ended;
    await start();
    const { code, out, err } = await running.done;
    expect(err).not.toContain('failed');
    expect(code).toBe(0);
    expect(out).toContain(' 0 rejected');
  }, 120_000);

  it('gives the sums of its files, from the API', async () => {
    const summary = await auditor().get<{
      items: { kind: string; count: number; amount: { amount: number } | null }[];
      totals: Record<string, number>;
    }>('/v1/reports/holdings-summary');
    const of = (kind: string) => summary.body.items.filter((item) => item.kind === kind);
    const count = (kind: string): number => of(kind).reduce((total, item) => total + item.count, 0);
    expect({
      accounts: count('account'),
      loans: count('loan'),
      cards: count('card'),
      orders: count('order'),
      transactions: count('transaction'),
      loanSum: of('loan').reduce((total, item) => total + (item.amount?.amount ?? 0), 0),
    }).toEqual({
      accounts: sums.accounts,
      loans: sums.loans,
      cards: sums.cards,
      orders: sums.orders,
      transactions: sums.transactions,
      loanSum: sums.loanSum,
    });
    const branches = await auditor().get<{ totals: Record<string, number> }>('/v1/reports/customers-by-branch');
    expect(branches.body.totals).toMatchObject({ customers: sums.clients, prospects: 0, incomplete: sums.clients });
    expect((await auditor().get('/v1/customers?count=true&limit=1')).body.total).toBe(sums.clients);
    const months = await auditor().get<{ items: { month: string; accounts: number; known: number }[] }>('/v1/reports/balances-by-month');
    const last = months.body.items.at(-1);
    expect(last).toMatchObject({ accounts: sums.accounts, known: sums.accounts - sums.silent });
  }, 60_000);

  it('is known already when it is brought once more', async () => {
    const { code, out } = (await cli('import', 'berka', bank.folder).done) as Run;
    expect({ code, out }).toMatchObject({ code: 0, out: expect.stringMatching(/ 0 new, \d+ known already, 0 rejected\.\n$/) });
  }, 120_000);

  it('shows ten customers as of a past day just as the replay to that day shows them', async () => {
    expect(await cli('replay', '--until', DAY).done).toMatchObject({ code: 0 });
    expect(movers.length).toBeGreaterThanOrEqual(10);
    for (const client of movers.slice(0, 10)) {
      const view = `/v1/customers/${sourceIdOf('customer', 'berka', client)}/360`;
      const [past, replayed, now] = await Promise.all([
        auditor().get(`${view}?asOf=${DAY}`),
        auditor().get(`${view}?replay=${DAY}`),
        auditor().get(view),
      ]);
      expect([past.status, replayed.status]).toEqual([200, 200]);
      const { position: _p, asOf: _a, ...own } = past.body;
      const { position: _q, asOf: _b, ...whole } = replayed.body;
      expect(own).toEqual(whole);
      expect(own.transactions).not.toEqual(now.body.transactions);
      // What the loan came to is known since the end of 1998 only.
      expect((own.loans as { status: unknown }[]).map(({ status }) => status)).toEqual((own.loans as unknown[]).map(() => null));
      expect(own.orders).toEqual([]);
    }
  }, 120_000);

  it('compares without a difference', async () => {
    const { code, out } = await cli('replay', '--compare').done;
    expect({ code, out }).toMatchObject({ code: 0, out: expect.stringContaining('transactions:') });
  }, 60_000);
});
