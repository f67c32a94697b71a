import { BaseResolver, createConfig, lintDocument, makeDocumentFromString } from '@redocly/openapi-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { problems } from '../../src/api/problems.ts';
import { Role } from '../../src/domain/kernel/roles.ts';
import { createTestApi, noteCommands, type TestApi } from '../support/api-server.ts';

let api: TestApi;
beforeAll(async () => {
  api = await createTestApi(undefined, { contexts: true });
});
afterAll(() => api.close());

const get = (url: string, headers: Record<string, string> = {}) => api.app.inject({ method: 'GET', url, headers });

interface Document {
  readonly openapi: string;
  readonly paths: Record<
    string,
    Record<string, { operationId: string; 'x-roles'?: string[]; security?: unknown[]; responses: Record<string, unknown> }>
  >;
}

describe('the OpenAPI document', () => {
  it('is valid by the linter, without a warning', async () => {
    const { body } = await get('/openapi.json');
    const config = await createConfig({ extends: ['recommended'], rules: { 'no-server-example.com': 'off' } });
    const problemsFound = await lintDocument({
      document: makeDocumentFromString(body, 'openapi.json'),
      externalRefResolver: new BaseResolver(),
      config,
    });
    expect(problemsFound.map(({ ruleId, message, location }) => `${ruleId}: ${message} at ${location[0]?.pointer}`)).toStrictEqual([]);
  });

  it('tells each route’s roles, and which need none', async () => {
    const { paths, openapi } = (await get('/openapi.json')).json<Document>();
    expect(openapi).toBe('3.1.0');
    expect(paths['/v1/notes']?.post?.['x-roles']).toStrictEqual(['agent', 'operations']);
    for (const [path, operations] of Object.entries(paths)) {
      for (const operation of Object.values(operations)) {
        const roles = operation['x-roles'];
        if (roles === undefined) expect(operation.security, path).toStrictEqual([]);
        else for (const role of roles) expect(Role.options).toContain(role);
      }
    }
    expect(
      Object.entries(paths)
        .filter(([, operations]) => Object.values(operations).some((operation) => operation['x-roles'] === undefined))
        .map(([path]) => path),
    ).toStrictEqual(['/health/live', '/health/ready', '/metrics', '/openapi.json', '/problems/{code}', '/v1/clock']);
  });

  it('has every status of the catalogue, and for each command its refusals', async () => {
    const { body } = await get('/openapi.json');
    // 405 is the answer of no operation.
    for (const { status } of Object.values(problems)) if (status !== 405) expect(body).toContain(`"Problem${status}":{`);
    const { paths } = (await get('/openapi.json')).json<Document>();
    for (const command of noteCommands) {
      const operation = Object.values(paths)
        .flatMap((operations) => Object.values(operations))
        .find(({ operationId }) => operationId === command.name);
      for (const status of Object.values(command.rejections)) expect(Object.keys(operation?.responses ?? {})).toContain(String(status));
    }
  });

  it('is compressed for who takes gzip and not sent again to who has it', async () => {
    const plain = await get('/openapi.json');
    const compressed = await get('/openapi.json', { 'accept-encoding': 'gzip' });
    expect(compressed.headers['content-encoding']).toBe('gzip');
    expect(compressed.rawPayload.length).toBeLessThan(plain.rawPayload.length / 3);
    const again = await get('/openapi.json', { 'if-none-match': String(plain.headers.etag) });
    expect(again.statusCode).toBe(304);
    expect(again.body).toBe('');
  });
});

describe('the reference for people', () => {
  it('comes whole from this server, and its policy forbids all else', async () => {
    const page = await get('/docs');
    expect(page.statusCode).toBe(200);
    const policy = String(page.headers['content-security-policy']);
    expect(policy).not.toMatch(/https?:|\*/);
    expect(policy).toContain("script-src 'self';");
    const assets = [...page.body.matchAll(/(?:href|src)="([^"]+)"/g)].map(([, url]) => url ?? '');
    expect(assets.length).toBeGreaterThanOrEqual(6);
    for (const url of assets) {
      expect(url).toMatch(/^\/docs\/static\//);
      const asset = await get(url);
      expect(asset.statusCode, url).toBe(200);
      // Nothing is fetched from elsewhere: no @import, no font, no image by a full address.
      if (url.endsWith('.css')) expect(asset.body).not.toMatch(/@import|url\(\s*["']?(https?:)?\/\//);
    }
    // No inline script: the policy would stop it.
    expect(page.body).not.toMatch(/<script(?![^>]*\bsrc=)/);
  });

  it('shows the same document', async () => {
    expect((await get('/docs/json')).json()).toStrictEqual((await get('/openapi.json')).json());
  });
});

describe('a problem’s type', () => {
  it('leads to what it means', async () => {
    expect((await get('/problems/KeyReused')).json()).toMatchObject({ code: 'KeyReused', statuses: [422] });
    expect((await get('/problems/NoteStruckAlready')).json()).toMatchObject({ title: 'Note struck already', commands: ['WriteNote', 'StrikeNote'] });
    expect((await get('/problems/Nonsense')).statusCode).toBe(404);
  });
});
