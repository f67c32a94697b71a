import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ConfigError, loadConfig, variables } from '../../src/config.ts';

const production = {
  DATABASE_URL: 'postgres://shiji:hush@db.internal:5432/shiji',
  JWT_SECRET: 'a secret of more than thirty-two bytes',
  SHIJI_MASTER_KEY: Buffer.alloc(32, 7).toString('base64'),
};

function problems(env: Record<string, string>): readonly string[] {
  try {
    loadConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

describe('the settings', () => {
  it('have a default for all that the embedded server needs', () => {
    expect(loadConfig({})).toStrictEqual({
      dataDir: '.shiji',
      host: '127.0.0.1',
      port: 8080,
      database: undefined,
      databasePool: 16,
      journal: { store: 'postgres' },
      natsUrl: undefined,
      clock: 'system',
      zone: 'Asia/Shanghai',
      jwt: { algorithm: 'HS256', issuer: 'shiji', audience: 'shiji', secret: undefined, jwksUrl: undefined },
      masterKey: { key: undefined, version: 1 },
      logLevel: 'info',
      rateLimitPerMinute: 60_000,
      client: { url: undefined, token: undefined },
    });
  });

  it('take what is given, and an empty variable for a missing one', () => {
    const config = loadConfig({
      ...production,
      DATABASE_OWNER_URL: 'postgres://owner@db.internal/shiji',
      PORT: '9000',
      HOST: '',
      SHIJI_ZONE: 'Europe/Berlin',
    });
    expect(config).toMatchObject({
      host: '127.0.0.1',
      port: 9000,
      zone: 'Europe/Berlin',
      database: { url: production.DATABASE_URL, ownerUrl: 'postgres://owner@db.internal/shiji' },
      masterKey: { key: production.SHIJI_MASTER_KEY, version: 1 },
    });
    expect(loadConfig(production).database?.ownerUrl).toBe(production.DATABASE_URL);
  });

  it('take a cluster by its hosts', () => {
    const eventstoredb = 'esdb://admin:changeit@one:2113,two:2113,three:2113?nodePreference=leader';
    expect(loadConfig({ JOURNAL: 'eventstoredb', EVENTSTOREDB_URL: eventstoredb }).journal).toStrictEqual({
      store: 'eventstoredb',
      url: eventstoredb,
    });
    expect(loadConfig({ NATS_URL: 'nats://one:4222,nats://two:4222' }).natsUrl).toBe('nats://one:4222,nats://two:4222');
  });

  it('accept one algorithm, RS256 where keys are fetched', () => {
    const { JWT_SECRET: _, ...rest } = production;
    const jwks = { ...rest, JWT_JWKS_URL: 'https://login.example.com/jwks.json' };
    expect(loadConfig(jwks).jwt.algorithm).toBe('RS256');
    expect(loadConfig({ ...jwks, JWT_ALGORITHM: 'ES256' }).jwt.algorithm).toBe('ES256');
    expect(problems({ ...jwks, JWT_ALGORITHM: 'HS256' })).toStrictEqual([
      'JWT_ALGORITHM=HS256 is not accepted with JWT_JWKS_URL: give RS256 or ES256',
    ]);
    expect(problems({ ...jwks, JWT_SECRET: production.JWT_SECRET })).toStrictEqual([
      'JWT_SECRET and JWT_JWKS_URL are both set: set one, since one algorithm is accepted',
    ]);
    expect(problems({ JWT_ALGORITHM: 'ES256' })).toStrictEqual([expect.stringMatching(/^JWT_ALGORITHM=ES256 needs JWT_JWKS_URL/)]);
  });

  it.each([
    [{ PORT: '70000' }, 'PORT=70000 is not accepted: give a whole number from 0 to 65535'],
    [{ PORT: '8080.5' }, 'PORT=8080.5 is not accepted: give a whole number from 0 to 65535'],
    [{ HOST: 'http://x' }, 'HOST=http://x is not accepted: give an IP address or a host name of this machine'],
    [{ JOURNAL: 'kafka' }, 'JOURNAL=kafka is not accepted: give postgres or eventstoredb'],
    [{ LOG_LEVEL: 'loud' }, 'LOG_LEVEL=loud is not accepted: give trace, debug, info, warn, error, fatal or silent'],
    [{ SHIJI_ZONE: 'Asia/Chungking2' }, 'SHIJI_ZONE=Asia/Chungking2 is not accepted: give an IANA time zone such as Asia/Shanghai'],
    [{ SHIJI_ZONE: '+08:00' }, 'SHIJI_ZONE=+08:00 is not accepted: give an IANA time zone such as Asia/Shanghai'],
    [{ SHIJI_DTAA: 'x' }, 'SHIJI_DTAA is not a setting of Shiji: did you mean SHIJI_DATA'],
    [{ SHIJI_MASTERKEY: 'x' }, 'SHIJI_MASTERKEY is not a setting of Shiji: did you mean SHIJI_MASTER_KEY'],
    [
      { JOURNAL: 'eventstoredb' },
      'EVENTSTOREDB_URL is missing and JOURNAL=eventstoredb needs it: give a URL such as esdb://127.0.0.1:2113?tls=false',
    ],
    [{ DATABASE_OWNER_URL: 'postgres://h/d' }, 'DATABASE_OWNER_URL is set and DATABASE_URL is not: set both or neither'],
    [{ ...production, SHIJI_CLOCK: 'manual' }, 'SHIJI_CLOCK=manual is for the embedded server only: give system, or leave DATABASE_URL out'],
    [
      { ...production, SHIJI_MASTER_KEY: '' },
      'SHIJI_MASTER_KEY is missing and DATABASE_URL needs it: give 32 bytes in base64, as openssl rand -base64 32 prints them',
    ],
    [{ ...production, JWT_SECRET: '' }, 'JWT_SECRET or JWT_JWKS_URL is missing and DATABASE_URL needs one: only the embedded server draws a secret'],
  ])('refuse %o', (env, problem) => {
    expect(problems(env)).toStrictEqual([problem]);
  });

  it('never show a secret', () => {
    const env = {
      JWT_SECRET: 'hush',
      SHIJI_MASTER_KEY: 'hush',
      SHIJI_TOKEN: 'hush hush',
      DATABASE_URL: 'mysql://user:hu@sh@host/db?password=hush',
      DATABASE_OWNER_URL: 'user:hush@host/db',
      NATS_URL: 'http://hush@host:4222',
    };
    expect(problems(env)).toHaveLength(6);
    expect(problems(env).join('\n')).not.toContain('hush');
    expect(problems(env).join('\n')).not.toContain('hu@sh');
    expect(problems(env)).toContain(
      'DATABASE_URL=mysql://***@host/db?password=*** is not accepted: give a URL such as postgres://user:password@host:5432/database',
    );
  });

  it('are all told at once', () => {
    expect(() => loadConfig({ PORT: 'x', LOG_LEVEL: 'y', SHIJI_TOKN: 'z' })).toThrow(
      /^3 settings are not accepted:\n {2}SHIJI_TOKN .*\n {2}PORT=x .*\n {2}LOG_LEVEL=y .*\.$/,
    );
  });

  it('stand in .env.example with their meaning and default, and nothing else does', () => {
    const text = readFileSync(join(import.meta.dirname, '../../.env.example'), 'utf8');
    const written = [...text.matchAll(/^# (.+)\.\n#([A-Z_]+)=(.*)$/gm)].map(([, meaning, name, value]) => [name, meaning, value]);
    expect(written).toStrictEqual(
      Object.entries(variables).map(([name, variable]) => [name, variable.meaning, 'default' in variable ? variable.default : '']),
    );
    expect(text.match(/^#?[A-Z_]+=/gm)).toHaveLength(written.length);
  });
});
