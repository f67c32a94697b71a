// The customer's commands as clients send them, and what other commands say of a customer whom they name.
import { randomInt, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { customerCommands } from '../../src/commands/customer.ts';
import { CommandHandler } from '../../src/commands/handler.ts';
import { openTicket } from '../../src/commands/ticket.ts';
import { eventDefinitions } from '../../src/domain/events.ts';
import type { RecordedEvent } from '../../src/domain/kernel/event.ts';
import { Sealed } from '../../src/domain/kernel/personal.ts';
import { EventCodec } from '../../src/journal/codec.ts';
import { Keyring } from '../../src/journal/keyring.ts';
import { Opener } from '../../src/journal/sealing.ts';
import { createTestApi, noteCommands, type TestApi } from '../support/api-server.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

let database: TestDatabase;
let api: TestApi;
beforeAll(async () => {
  database = await createTestDatabase();
  api = await createTestApi(database, { commands: [...noteCommands, ...customerCommands, openTicket] });
});
afterAll(async () => {
  await api.close();
  await database.drop();
});

type Role = Parameters<TestApi['as']>[0];

const send = (method: 'POST' | 'DELETE', url: string, body: unknown, role: Role = 'operations', subject?: string, headers: object = {}) =>
  api.app.inject({
    method,
    url,
    headers: { ...api.as(role, subject), ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(body === undefined ? {} : { payload: JSON.stringify(body) }),
  });
const passport = () => ({ type: 'passport', number: `E${randomInt(1e9, 1e10)}` });
const registered = async (body: object = {}, role: Role = 'operations', subject?: string): Promise<string> => {
  const answer = await send('POST', '/v1/customers', { kind: 'person', name: '王小明', ...body }, role, subject);
  expect(answer.statusCode, answer.body).toBe(201);
  return answer.json<{ id: string }>().id;
};
const codec = () => new EventCodec('journal of the tests', eventDefinitions);
const eventsOf = async (stream: string): Promise<RecordedEvent[]> =>
  (await api.journal.readStream(stream)).map((stored) => codec().decode(stored) as RecordedEvent);

describe('a customer', () => {
  it('is registered, maintained, tagged and assigned; each change answers the next revision', async () => {
    const id = await registered({ contacts: [{ kind: 'phone', value: '138 0013 8000' }], branch: '3100' });
    const at = `/v1/customers/${id}`;
    const answers = [
      await send('POST', `${at}/contacts`, { kind: 'e-mail', value: 'wang@example.com' }),
      await send('POST', `${at}/contacts/2/verify`, undefined),
      await send('DELETE', `${at}/contacts/1`, undefined),
      await send('POST', `${at}/preferences`, { channel: 'e-mail', language: 'zh-CN' }),
      await send('POST', `${at}/tags`, { tag: ' VIP  Gold' }),
      await send('POST', `${at}/assign`, { manager: 'rm-7', reason: '调岗' }),
      await send('DELETE', `${at}/tags/${encodeURIComponent('vip GOLD')}`, undefined),
    ];
    expect(answers.map(({ statusCode, headers }) => [statusCode, headers.etag])).toStrictEqual(
      [1, 2, 3, 4, 5, 6, 7].map((revision) => [200, `"${revision}"`]),
    );
    expect((await eventsOf(`customer-${id}`)).map(({ type }) => type)).toStrictEqual([
      'CustomerRegistered',
      'ContactAdded',
      'ContactVerified',
      'ContactRemoved',
      'PreferencesChanged',
      'CustomerTagged',
      'CustomerAssigned',
      'CustomerUntagged',
    ]);
    // Done already: the same answer, and nothing written.
    expect((await send('DELETE', `${at}/tags/vip%20gold`, undefined)).headers.etag).toBe('"7"');
    expect((await send('POST', `${at}/assign`, { manager: null }, 'operations', undefined, { 'if-match': '"3"' })).statusCode).toBe(412);
  });

  it('stands in the journal without a word of who it is', async () => {
    const { number } = passport();
    const id = await registered({ name: '欧阳娜娜', documents: [{ type: 'passport', number }], contacts: [{ kind: 'address', value: '南京路1号' }] });
    const [stored] = await api.journal.readStream(`customer-${id}`);
    for (const word of ['欧阳', number, '南京路']) expect(`${stored?.data}${stored?.metadata}`).not.toContain(word);
  });

  it('is kept with who registered it, not with how far they see', async () => {
    const id = await registered({}, 'rm', 'rm-1');
    expect((await eventsOf(`customer-${id}`))[0]?.actor).toStrictEqual({ subject: 'rm-1', role: 'rm' });
    const token = api.token('operations', { subject: 'ops', scope: 'branch:3100' });
    const answer = await api.app.inject({
      method: 'POST',
      url: '/v1/customers',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      payload: JSON.stringify({ kind: 'person', name: '王小明' }),
    });
    expect((await eventsOf(`customer-${answer.json<{ id: string }>().id}`))[0]?.actor).toStrictEqual({ subject: 'ops', role: 'operations' });
  });

  it('with a document that another has is refused at that document, and not told whose it is', async () => {
    const document = passport();
    const id = await registered({ documents: [document] }, 'rm', 'rm-1');
    const answer = await send('POST', '/v1/customers', { kind: 'person', name: '李四', documents: [passport(), document] }, 'rm', 'rm-2');
    expect(answer.statusCode).toBe(409);
    expect(answer.json()).toMatchObject({
      type: '/problems/ClaimTaken',
      errors: [{ pointer: '/documents/1/number', detail: 'The bank knows a customer with this document: ask operations.' }],
    });
    for (const word of [id, 'rm-1', '王小明', document.number]) expect(answer.body).not.toContain(word);
  });

  it('is given to whomever a token can name', async () => {
    const manager = 'auth0|zoe@bank+sso/1=';
    const id = await registered();
    expect((await send('POST', `/v1/customers/${id}/assign`, { manager })).statusCode).toBe(200);
    expect((await send('POST', `/v1/customers/${id}/tags`, { tag: 'x' }, 'rm', manager)).statusCode).toBe(200);
    const refused = await send('POST', `/v1/customers/${id}/assign`, { manager: 'a b' });
    expect(refused.json().errors).toMatchObject([{ pointer: '/manager', detail: expect.stringContaining('a subject as in tokens') }]);
  });

  it('is the same by however its document is spelt, and has each once', async () => {
    const { number } = passport();
    await registered({ documents: [{ type: 'passport', number }] });
    const wide = [...number].map((character) => String.fromCharCode(character.charCodeAt(0) + 0xfee0)).join('');
    const spellings = [
      number.toLowerCase(),
      wide,
      number.split('').join('-'),
      `${number.slice(0, 3)}\u200b${number.slice(3)}`,
      `\u202e${number}\u2060`,
    ];
    for (const spelling of spellings) {
      const answer = await send('POST', '/v1/customers', { kind: 'person', name: '李四', documents: [{ type: 'passport', number: spelling }] });
      expect(answer.statusCode, JSON.stringify(spelling)).toBe(409);
    }
    const twice = [passport()].flatMap((document) => [document, { ...document, country: 'CN', number: `${document.number} ` }]);
    for (const documents of [twice, [{ type: 'passport', number: '\u200b' }]]) {
      const answer = await send('POST', '/v1/customers', { kind: 'person', name: '李四', documents });
      expect(answer.json()).toMatchObject({ status: 400, errors: [{ pointer: `/documents/${documents.length - 1}/number` }] });
    }
  });

  it('has a name and tags that are seen, read as they are kept, and can be named in an address', async () => {
    const id = await registered();
    for (const name of ['\u200b', '\u200d\u200d', '王\u202e小明', '王\u2066小明'])
      expect((await send('POST', '/v1/customers', { kind: 'person', name })).json().errors, name).toMatchObject([{ pointer: '/name' }]);
    const long = await send('POST', '/v1/customers', { kind: 'person', name: '王'.repeat(2_001) });
    expect(long.json().errors).toStrictEqual([{ pointer: '/name', detail: 'a name of at most 100 characters' }]);
    for (const tag of ['.', '．．', '\u200b', 'a\u202eb'])
      expect((await send('POST', `/v1/customers/${id}/tags`, { tag })).json().errors, tag).toMatchObject([{ pointer: '/tag' }]);
    for (const tag of ['a/b', '100%', '?#&', '👨‍👩‍👧', '国'.repeat(64), '...'])
      for (const answer of [
        await send('POST', `/v1/customers/${id}/tags`, { tag }),
        await send('DELETE', `/v1/customers/${id}/tags/${encodeURIComponent(tag)}`, undefined),
      ])
        expect([tag, answer.statusCode]).toStrictEqual([tag, 200]);
  });

  it('is refused field by field, without what was entered', async () => {
    const answer = await send('POST', '/v1/customers', {
      kind: 'person',
      name: '  ',
      documents: [{ type: 'identity-card', number: '110105194912310021' }],
      contacts: [{ kind: 'phone', value: 'call me maybe' }],
    });
    expect(answer.statusCode).toBe(400);
    expect(answer.json<{ errors: { pointer: string }[] }>().errors.map(({ pointer }) => pointer)).toStrictEqual([
      '/name',
      '/documents/0/number',
      '/contacts/0/value',
    ]);
    for (const word of ['110105194912310021', 'maybe']) expect(answer.body).not.toContain(word);
  });

  it('of another manager, and nobody at all, are the same 404', async () => {
    const id = await registered({}, 'rm', 'rm-1');
    for (const [method, path, body] of [
      ['POST', 'tags', { tag: 'vip' }],
      ['DELETE', 'tags/vip', undefined],
      ['POST', 'contacts', { kind: 'wechat', value: 'w' }],
      ['DELETE', 'contacts/1', undefined],
      ['POST', 'preferences', { channel: 'phone' }],
    ] as const) {
      const answers = await Promise.all(
        [id, randomUUID()].map((each) => send(method, `/v1/customers/${each}/${path}`, body, 'rm', 'rm-2', { 'x-request-id': 'same' })),
      );
      expect(answers.map(({ statusCode }) => statusCode)).toStrictEqual([404, 404]);
      expect(new Set(answers.map(({ body: text }) => text)).size).toBe(1);
    }
    expect((await send('POST', `/v1/customers/${id}/tags`, { tag: 'vip' }, 'rm', 'rm-1')).statusCode).toBe(200);
    expect((await send('POST', `/v1/customers/${id}/assign`, { manager: 'rm-2' }, 'rm', 'rm-1')).statusCode).toBe(403);
  });
});

describe('a ticket about a customer', () => {
  const told = { type: 'complaint', priority: 'normal', channel: 'web', summary: 'Card swallowed' };

  it('is sealed with their key and stands in their history', async () => {
    const customer = await registered({}, 'rm', 'rm-1');
    const answer = await send('POST', '/v1/tickets', { ...told, customer }, 'rm', 'rm-1');
    expect(answer.statusCode).toBe(201);
    const [event] = await eventsOf(`ticket-${answer.json<{ id: string }>().id}`);
    expect(event).toMatchObject({ type: 'TicketOpened', subject: `customer-${customer}`, data: { customer, summary: expect.any(Sealed) } });
    const { summary } = (event as RecordedEvent<string, { summary: Sealed }>).data;
    const keyId = Number(summary.envelope.slice(0, summary.envelope.indexOf('.')));
    const { rows } = await api.pool.query<{ subject: string; retention: string }>('select subject, retention from keys.data_keys where id = $1', [
      keyId,
    ]);
    expect(rows).toStrictEqual([{ subject: `customer-${customer}`, retention: 'service' }]);
  });

  it('is refused at the field where the customer is not there, or not theirs', async () => {
    const customer = await registered({}, 'rm', 'rm-1');
    for (const each of [customer, randomUUID()]) {
      const answer = await send('POST', '/v1/tickets', { ...told, customer: each }, 'rm', 'rm-2');
      expect(answer.statusCode).toBe(422);
      expect(answer.json()).toMatchObject({ type: '/problems/CustomerUnknown', errors: [{ pointer: '/customer' }] });
    }
  });

  it('is answered again under its key also where the customer has been given to another since', async () => {
    const customer = await registered({}, 'rm', 'rm-1');
    const key = { 'idempotency-key': randomUUID() };
    const first = await send('POST', '/v1/tickets', { ...told, customer }, 'rm', 'rm-1', key);
    expect((await send('POST', `/v1/customers/${customer}/assign`, { manager: 'rm-2' })).statusCode).toBe(200);
    const again = await send('POST', '/v1/tickets', { ...told, customer }, 'rm', 'rm-1', key);
    expect([again.statusCode, again.json()]).toStrictEqual([201, first.json()]);
    expect((await send('POST', '/v1/tickets', { ...told, customer }, 'rm', 'rm-1')).statusCode).toBe(422);
  });

  it('is never refused by what a process remembers from before', async () => {
    const keyring = new Keyring(api.pool, [{ version: 1, key: Buffer.alloc(32, 1) }]);
    const opener = new Opener('journal of the tests', keyring);
    const elsewhere = new CommandHandler({ journal: api.journal, codec: codec(), keyring, opener, now: Date.now });
    const customer = await registered({}, 'rm', 'rm-1');
    const open = () =>
      elsewhere.execute(openTicket, {
        params: {},
        body: openTicket.body.parse({ ...told, customer }),
        actor: { subject: 'rm-2', role: 'rm' },
        channel: 'rest',
        correlationId: 'test',
      });
    expect(await open()).toMatchObject({ kind: 'refused', rejection: { rejected: 'CustomerUnknown', pointer: '/customer' } });
    expect((await send('POST', `/v1/customers/${customer}/assign`, { manager: 'rm-2' })).statusCode).toBe(200);
    expect(await open()).toMatchObject({ kind: 'accepted', events: 1 });
  });
});
