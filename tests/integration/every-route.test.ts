// What holds for every route there is, those of tomorrow included: they are taken from the OpenAPI document of the whole server.
import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Role } from '../../src/domain/kernel/roles.ts';
import { createTestApi, type TestApi } from '../support/api-server.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import exceptions from './every-route.exceptions.json' with { type: 'json' };

interface Schema {
  readonly type?: string | readonly string[];
  readonly format?: string;
  readonly pattern?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly examples?: readonly unknown[];
  readonly minimum?: number;
  readonly minLength?: number;
  readonly additionalProperties?: unknown;
  readonly anyOf?: readonly Schema[];
}
interface Operation {
  readonly operationId: string;
  readonly 'x-roles'?: readonly Role[];
  readonly 'x-personal'?: boolean;
  readonly parameters?: readonly { readonly $ref?: string; readonly name: string; readonly in: string; readonly schema: Schema }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> };
}
interface Route extends Operation {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  readonly name: string;
}

let database: TestDatabase;
let owner: pg.Client;
let api: TestApi;
let routes: readonly Route[] = [];
beforeAll(async () => {
  database = await createTestDatabase();
  owner = new pg.Client({ connectionString: database.ownerUrl });
  await owner.connect();
  await owner.query('create table public.numbers (id int primary key, note text); grant select on public.numbers to shiji_app');
  api = await createTestApi(database, { contexts: true });
  const document = (await api.app.inject({ method: 'GET', url: '/openapi.json' })).json<{ paths: Record<string, Record<string, Operation>> }>();
  routes = Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) => ({
      ...operation,
      path,
      method: method.toUpperCase() as Route['method'],
      name: `${method.toUpperCase()} ${path}`,
    })),
  );
});
afterAll(async () => {
  await owner.end();
  await api.close();
  await database.drop();
});

const excused = (route: Route, rule: keyof typeof exceptions): boolean => route.name in exceptions[rule];

/** The path with values that its schemas let through. */
function urlOf({ path, parameters = [] }: Route): string {
  const values = new Map(parameters.filter((parameter) => parameter.in === 'path').map(({ name, schema }) => [name, sampleOf(schema)]));
  return path.replace(/\{([^}]+)\}/g, (_, name: string) => encodeURIComponent(String(values.get(name))));
}

function sampleOf({ format, pattern, enum: values, const: only, examples, type, minimum, anyOf }: Schema): unknown {
  if (examples?.[0] !== undefined) return examples[0];
  if (values?.[0] !== undefined) return values[0];
  if (only !== undefined) return only;
  if (anyOf?.[0] !== undefined) return sampleOf(anyOf[0]);
  if (type === 'integer' || type === 'number') return minimum ?? 1;
  const candidates = ['01990f7c-5f00-8aaa-8bbb-0123456789ab', 'ticket-01990f7c-5f00-8aaa-8bbb-0123456789ab', 'none', 'None', '1', '2020-06-30'];
  if (format === 'uuid') return candidates[0];
  if (pattern !== undefined) return candidates.find((candidate) => new RegExp(pattern).test(candidate)) ?? 'none';
  return 'none';
}

const bodyOf = (route: Route): [type: string, schema: Schema] | undefined =>
  Object.entries(route.requestBody?.content ?? {})[0] as [string, Schema] | undefined;

function send(
  route: Route,
  { role, url = urlOf(route), body, headers = {} }: { role?: Role; url?: string; body?: unknown; headers?: Record<string, string> },
) {
  const type = bodyOf(route)?.[0] ?? 'application/json';
  return api.app.inject({
    method: route.method,
    url,
    headers: { ...(role === undefined ? {} : api.as(role)), ...(route.method === 'GET' ? {} : { 'content-type': type }), ...headers },
    ...(body === undefined || route.method === 'GET' ? {} : { payload: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
}

const guarded = () => routes.filter((route) => route['x-roles'] !== undefined);

describe('every route', () => {
  it('is there: the walk is not over nothing', () => {
    expect(routes.length).toBeGreaterThan(25);
    expect(routes.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['POST /v1/tickets', 'GET /v1/tickets/{ticketId}', 'GET /v1/events', 'GET /v1/accesses']),
    );
  });

  it('says who may ask it, or the server does not start', async () => {
    const silent = createTestApi(undefined, { routes: [(app) => void app.get('/v1/silent', () => 'x')] });
    await expect(silent).rejects.toThrow('GET /v1/silent must say its roles or that it is public');
  });

  it('answers 401 to nobody and to a token that is none, before it looks at anything else', async () => {
    for (const route of guarded()) {
      const nobody = await send(route, { body: '{' });
      expect([route.name, nobody.statusCode]).toStrictEqual([route.name, 401]);
      expect((await send(route, { headers: { authorization: 'Bearer a.b.c' } })).statusCode, route.name).toBe(401);
    }
  });

  it('answers 403 or 404 to a role that it is not for', async () => {
    for (const route of guarded()) {
      for (const role of Role.options.filter((one) => !route['x-roles']?.includes(one))) {
        const { statusCode } = await send(route, { role, body: {} });
        expect([403, 404], `${route.name} as ${role}`).toContain(statusCode);
      }
    }
  });

  it('that takes JSON refuses an unknown property by name (F88)', async () => {
    const taking = guarded().filter((route) => bodyOf(route)?.[0] === 'application/json');
    expect(taking.length).toBeGreaterThan(5);
    for (const route of taking.filter((one) => !excused(one, 'unknownProperty'))) {
      const answer = await send(route, { role: route['x-roles']?.[0] as Role, body: { isAdmin: true, id: 'x'.repeat(3) } });
      expect(answer.statusCode, route.name).toBe(400);
      expect(
        answer.json<{ errors?: { pointer: string }[] }>().errors?.map(({ pointer }) => pointer),
        route.name,
      ).toContain('/isAdmin');
    }
  });

  it('refuses an unknown parameter by name, where it takes parameters', async () => {
    for (const route of guarded().filter((one) => one.method === 'GET' && !excused(one, 'unknownParameter'))) {
      const answer = await send(route, { role: route['x-roles']?.[0] as Role, url: `${urlOf(route)}?isAdmin=true` });
      expect([route.name, answer.statusCode]).toStrictEqual([route.name, 400]);
      expect(
        answer.json<{ errors?: { pointer: string }[] }>().errors?.map(({ pointer }) => pointer),
        route.name,
      ).toContain('isAdmin');
    }
  });

  /** What a role that sees one at a time must say. */
  const needed: Readonly<Record<string, string>> = {
    'GET /v1/customers': '?document=E12345678',
    'GET /v1/customers/{customerId}/paths': '?to=01990f7c-5f00-8aaa-8bbb-0123456789ab',
  };

  it('that shows personal data leaves a record of each read, and its answer in no cache', async () => {
    const personal = guarded().filter((route) => route['x-personal'] === true);
    expect(personal.length).toBeGreaterThan(3);
    for (const route of personal) {
      for (const role of route['x-roles'] ?? []) {
        const { rows: before } = await owner.query<{ n: number }>('select count(*)::int as n from access.reads');
        const answer = await send(route, { role, url: urlOf(route) + (needed[route.name] ?? '') });
        const { rows: after } = await owner.query<{ n: number }>('select count(*)::int as n from access.reads');
        expect([200, 404], `${route.name} as ${role}: ${answer.body}`).toContain(answer.statusCode);
        expect(answer.headers['cache-control'], route.name).toBe('no-store');
        expect((after[0]?.n ?? 0) - (before[0]?.n ?? 0), `${route.name} as ${role}`).toBe(1);
      }
    }
  });

  it('answers no 5xx to a NUL, and to a day at either end of the calendar, in any parameter', async () => {
    for (const route of guarded().filter(({ method }) => method === 'GET')) {
      for (const { name, in: place, schema } of route.parameters?.filter((parameter) => parameter.schema?.type === 'string') ?? []) {
        for (const value of [
          '\0',
          'a\0',
          '0000-01-01',
          '0001-01-01',
          '9999-12-31',
          '0000-01-01T00:00:00Z',
          '9999-12-31T23:59:59Z',
          '-009999-01-01',
        ]) {
          const set = encodeURIComponent(value);
          const url = place === 'path' ? urlOf({ ...route, path: route.path.replace(`{${name}}`, set) }) : `${urlOf(route)}?${name}=${set}`;
          const { statusCode, body } = await send(route, { role: route['x-roles']?.[0] as Role, url });
          expect(statusCode, `${url} ${JSON.stringify(schema)}: ${body}`).toBeLessThan(500);
          if (value.includes('\0')) expect(statusCode, url).toBe(400);
        }
      }
    }
  });

  it('answers no 5xx to whatever is sent (F94 F99 F103 F106)', async () => {
    const nasty = fc.constantFrom(
      "'; select pg_sleep(5) --",
      '%00',
      '../../etc/passwd',
      '%c0%af',
      '\u202e\u200b',
      '(a+)+$',
      'a%b%c%',
      '💥',
      '-1',
      '1e400',
      '9007199254740993',
      'null',
      '[]',
      '{}',
      ' ',
      '0x10',
      '2020-02-30',
      '٣',
    );
    const text = fc.oneof(nasty, fc.string({ unit: 'binary', maxLength: 40 }));
    const header = fc.string({ unit: fc.constantFrom(...'abcXYZ019"*,;=/-_ %\t~'), maxLength: 30 });
    const attempts = fc.record({
      path: text,
      query: fc.dictionary(
        fc.oneof(
          fc.constantFrom('limit', 'cursor', 'after', 'sort', 'q', 'asOf', 'knownAt', 'status', 'from', 'to', 'replay', '__proto__', 'note', 'id'),
          text,
        ),
        text,
        { maxKeys: 4 },
      ),
      body: fc.oneof(fc.json({ maxDepth: 4 }), text),
      known: fc.dictionary(
        fc.constantFrom('type', 'priority', 'channel', 'summary', 'to', 'resolution', 'reason', 'text', 'about'),
        fc.oneof(text, fc.constantFrom('complaint', 'high', 'web', 'money'), fc.jsonValue()),
        { maxKeys: 6 },
      ),
      headers: fc.dictionary(
        fc.constantFrom(
          'idempotency-key',
          'if-match',
          'shiji-after',
          'shiji-purpose',
          'accept',
          'if-none-match',
          'x-request-id',
          'x-correlation-id',
          'accept-encoding',
        ),
        header,
        { maxKeys: 4 },
      ),
    });
    const runs = fc.sample(attempts, { numRuns: 25, seed: Number(process.env.SEED ?? 20_260_301) });
    for (const route of routes.filter((one) => !excused(one, 'noServerError'))) {
      const role = route['x-roles']?.[0];
      for (const [index, { path, query, body, known, headers }] of runs.entries()) {
        const base = index % 2 === 0 ? urlOf(route) : route.path.replace(/\{[^}]+\}/g, encodeURIComponent(path.isWellFormed() ? path : 'x'));
        const parameters = Object.entries(query).filter(([name, value]) => (name + value).isWellFormed());
        const url = `${base}?${new URLSearchParams(parameters)}`;
        const answer = await send(route, { ...(role === undefined ? {} : { role }), url, body: index % 3 === 0 ? known : body, headers });
        // A wait that ends is what was asked for.
        if (answer.statusCode === 503 && headers['shiji-after'] !== undefined) continue;
        expect(
          answer.statusCode,
          `${route.method} ${url} ${JSON.stringify(headers)} ${JSON.stringify(index % 3 === 0 ? known : body)}: ${answer.body.slice(0, 300)}\n${api.lines.at(-1)}`,
        ).toBeLessThan(500);
      }
    }
  }, 120_000);
});

describe('the exceptions', () => {
  it('only become fewer, and each names a route that is there', () => {
    const counts = Object.fromEntries(Object.entries(exceptions).map(([rule, names]) => [rule, Object.keys(names).length]));
    // Lower a number when one goes; none is ever raised.
    expect(counts.unknownProperty).toBeLessThanOrEqual(0);
    expect(counts.unknownParameter).toBeLessThanOrEqual(0);
    expect(counts.noServerError).toBeLessThanOrEqual(0);
    for (const names of Object.values(exceptions)) for (const name of Object.keys(names)) expect(routes.map((route) => route.name)).toContain(name);
  });
});
