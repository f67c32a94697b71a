// One Postgres for the whole run: the embedded one in a temporary folder, or the server that TEST_DATABASE_URL names (as a superuser).
// Tests get databases of their own from it by database.ts.
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import type { TestProject } from 'vitest/node';
import { openDataFolder } from '../../src/data-folder.ts';
import { createLogger } from '../../src/logging.ts';
import { startEmbeddedPostgres } from '../../src/postgres/embedded.ts';
import { migrate } from '../../src/postgres/migrate.ts';

/** What database.ts needs: the server, and the migrated database that it copies. */
export interface TestServer {
  /** A superuser's URL on the maintenance database. */
  readonly adminUrl: string;
  readonly template: string;
  /** The login that the app's pools use in tests; it may only what shiji_app may. */
  readonly appUser: string;
  readonly appPassword: string;
}

declare module 'vitest' {
  interface ProvidedContext {
    testServer: TestServer;
  }
}

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await startServer();
  const unique = randomBytes(4).toString('hex');
  const testServer: TestServer = {
    adminUrl: server.url,
    template: `shiji_template_${unique}`,
    appUser: `shiji_test_${unique}`,
    appPassword: randomBytes(12).toString('hex'),
  };
  const admin = new pg.Client({ connectionString: server.url });
  await admin.connect();
  const stop = async (): Promise<void> => {
    if (server.shared) {
      await admin.query(`drop database if exists ${testServer.template} with (force)`);
      await admin.query(`drop role if exists ${testServer.appUser}`);
    }
    await admin.end();
    await server.stop();
  };
  try {
    await admin.query(`create role ${testServer.appUser} login password '${testServer.appPassword}'`);
    await admin.query(`create database ${testServer.template}`);
    const url = new URL(server.url);
    url.pathname = `/${testServer.template}`;
    await migrate({ url: url.href, grantTo: [testServer.appUser] });
  } catch (error) {
    await stop();
    throw error;
  }
  project.provide('testServer', testServer);
  return stop;
}

interface Server {
  readonly url: string;
  readonly shared: boolean;
  stop(): Promise<void>;
}

async function startServer(): Promise<Server> {
  const given = process.env.TEST_DATABASE_URL;
  if (given) return { url: given, shared: true, stop: async () => {} };
  const folder = mkdtempSync(join(tmpdir(), 'shiji-test-'));
  const postgres = await startEmbeddedPostgres({ dataDir: openDataFolder(folder).path, log: createLogger({ level: 'warn' }) }).catch(
    (error: unknown) => {
      rmSync(folder, { recursive: true, force: true });
      throw error;
    },
  );
  const guard = stopWithUs(postgres.pid, folder);
  return {
    url: postgres.url,
    shared: false,
    stop: async () => {
      await postgres.stop();
      rmSync(folder, { recursive: true, force: true });
      guard.kill('SIGKILL');
    },
  };
}

// Postgres has a session of its own, so a run that is killed would leave it: this one waits for our end of the pipe to close.
function stopWithUs(pid: number, folder: string): ChildProcess {
  const guard = spawn('sh', ['-c', 'cat > /dev/null; kill -INT "$0" && sleep 3; rm -rf "$1"', String(pid), folder], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  // A machine without sh has no guard.
  guard.on('error', () => {});
  guard.unref();
  return guard;
}
