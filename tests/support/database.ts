// A database for one test file: a copy of the migrated template, made in some 30 ms. `drop` it in afterAll.
import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { inject } from 'vitest';
import type {} from './global-setup.ts';

export interface TestDatabase {
  readonly name: string;
  /** The app's login, which may only what shiji_app may: for pools as the server makes them. */
  readonly url: string;
  /** A superuser's, for migrations and for looking behind the scenes. */
  readonly ownerUrl: string;
  drop(): Promise<void>;
}

export interface TestDatabaseOptions {
  /** False for one without our tables. */
  readonly migrated?: boolean;
}

export async function createTestDatabase({ migrated = true }: TestDatabaseOptions = {}): Promise<TestDatabase> {
  const server = inject('testServer');
  const name = `test_${randomBytes(6).toString('hex')}`;
  await asAdmin(server.adminUrl, `create database ${name} template ${migrated ? server.template : 'template1'}`);
  const owner = new URL(server.adminUrl);
  owner.pathname = `/${name}`;
  const app = new URL(owner.href);
  app.username = server.appUser;
  app.password = server.appPassword;
  return {
    name,
    url: app.href,
    ownerUrl: owner.href,
    drop: () => asAdmin(server.adminUrl, `drop database if exists ${name} with (force)`),
  };
}

async function asAdmin(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
