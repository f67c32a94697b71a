// The product as `npm start` runs it, as a process on a temporary folder or on a database of the bench's.
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { mintToken } from '../../src/api/auth.ts';
import type { Role } from '../../src/domain/kernel/roles.ts';
import { spawnServer } from '../../tests/support/server.ts';
import { postmasterOf, type Scope } from './scope.ts';

/** Tokens of both the product and the baseline are signed with it. */
export const jwtSecret = randomBytes(32).toString('base64');
export const masterKey = randomBytes(32).toString('base64');
const START_MS = 60_000;
const CATCH_UP_MS = 120_000;

export interface Product {
  readonly url: string;
  readonly pid: number;
  /** Spawned to ready: the banner is out and /health/ready says so. */
  readonly readyMs: number;
  stop(): Promise<void>;
}

export interface ProductOptions {
  readonly dataDir: string;
  /** Of a database of the bench's, instead of the folder's own Postgres. */
  readonly databaseUrl?: string;
  readonly role?: 'api' | 'projector';
  /** Beside those that every server of the bench has. */
  readonly env?: Readonly<Record<string, string>>;
}

export async function startProduct(scope: Scope, { dataDir, databaseUrl, role, env = {} }: ProductOptions): Promise<Product> {
  const startedMs = performance.now();
  const server = spawnServer({
    dataDir,
    env: {
      JWT_SECRET: jwtSecret,
      SHIJI_MASTER_KEY: masterKey,
      // One subject sends everything here.
      RATE_LIMIT_PER_MINUTE: '0',
      // Without a data folder it keeps a feed's results in the temporary one, which is to be gone afterwards.
      ...(databaseUrl === undefined ? {} : { DATABASE_URL: databaseUrl, TMPDIR: dataDir }),
      ...env,
      // For a profile: BENCH_NODE_OPTIONS='--cpu-prof --cpu-prof-dir=/tmp/profile' npm run bench commands.
      ...(process.env.BENCH_NODE_OPTIONS === undefined ? {} : { NODE_OPTIONS: process.env.BENCH_NODE_OPTIONS }),
    },
    args: role === undefined ? [] : ['--role', role],
  });
  const stop = async (): Promise<void> => {
    server.kill('SIGTERM');
    const timer = setTimeout(() => server.kill('SIGKILL'), 30_000);
    await server.ended;
    clearTimeout(timer);
  };
  scope.onEnd(stop);
  const late = setTimeout(() => server.kill('SIGKILL'), START_MS);
  const url = await server.ready;
  while (!(await isReady(url))) await sleep(5);
  clearTimeout(late);
  return { url, pid: server.pid, readyMs: performance.now() - startedMs, stop };
}

async function isReady(url: string): Promise<boolean> {
  const answer = await fetch(`${url}/health/ready`);
  await answer.arrayBuffer();
  return answer.status === 200;
}

export function tokenOf(role: Role): string {
  return mintToken({ secret: jwtSecret, issuer: 'shiji', audience: 'shiji', subject: 'bench', role, expiresIn: '12h' });
}

/** The body of every `POST /v1/tickets` of the bench: what a call centre would write down. */
export const ticketBody = {
  type: 'inquiry',
  priority: 'normal',
  channel: 'call-centre',
  product: '个人住房贷款',
  summary: '客户询问提前还款的手续、违约金及到账时间',
  description: '客户来电称计划下月提前归还部分房贷，询问预约方式、是否收取违约金、利息如何重算，并希望书面答复。',
} as const;

/**
 * When the read models have seen everything and the auditor has compared every closed chunk: what the product still works at would be
 * taken from whoever is measured next.
 */
export async function caughtUp({ url }: Product): Promise<void> {
  const untilMs = performance.now() + CATCH_UP_MS;
  const headers = { authorization: `Bearer ${tokenOf('administrator')}` };
  while (performance.now() < untilMs) {
    const answer = await fetch(`${url}/v1/projections`, { headers });
    const { items } = (await answer.json()) as { items?: ProjectionAnswer[] };
    if (items?.every(({ lagEvents, position, receipts }) => lagEvents === 0 && receipts.verified >= Math.floor(position / CHUNK))) return;
    await sleep(100);
  }
  throw new Error(`the read models did not catch up within ${CATCH_UP_MS / 1_000} s`);
}

interface ProjectionAnswer {
  readonly lagEvents: number;
  readonly position: number;
  readonly receipts: { readonly verified: number };
}

/** Positions that the auditor takes at once, in Postgres. */
const CHUNK = 10_000;

/** The owner's address of a folder's embedded Postgres, while it runs. */
export function databaseOf(dataDir: string): { readonly url: string; readonly postmaster: number } {
  const { user, password, port, database } = JSON.parse(readFileSync(join(dataDir, 'postgres.json'), 'utf8')) as Record<string, string>;
  const postmaster = postmasterOf(dataDir);
  if (postmaster === undefined) throw new Error(`no Postgres runs in ${dataDir}`);
  return { url: `postgres://${user}:${password}@127.0.0.1:${port}/${database}?sslmode=disable`, postmaster };
}
