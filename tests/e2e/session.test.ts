// A day on an embedded server whose clock is moved by hand: a ticket's life, its deadlines, its past, and who looked at it.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Caller, callerOf, until } from '../support/client.ts';
import { type ServerProcess, spawnServer } from '../support/server.ts';

interface Ticket {
  readonly id: string;
  readonly revision: number;
  readonly status: string;
  readonly summary: unknown;
  readonly dueAt: string | null;
  readonly firstResponse: { readonly state: string };
  readonly resolution: { readonly state: string; readonly dueAt: string };
  readonly history: readonly { readonly event: string; readonly occurredAt: string; readonly recordedAt: string }[];
}

describe('a server with a manual clock', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'shiji-day-'));
  const canary = '罗密欧 Juliet-7781';
  let server: ServerProcess;
  let url: string;
  let agent: Caller;
  let auditor: Caller;
  let administrator: Caller;
  let ticket: string;

  const start = async (): Promise<void> => {
    server = spawnServer({ dataDir, env: { SHIJI_CLOCK: 'manual', LOG_LEVEL: 'trace' } });
    url = await server.ready;
    agent = callerOf(url, { dataDir }, 'agent', 'alice');
    auditor = callerOf(url, { dataDir }, 'auditor', 'ann');
    administrator = callerOf(url, { dataDir }, 'administrator', 'root');
  };
  const logs: string[] = [];
  const stop = async (): Promise<void> => {
    server.kill('SIGTERM');
    expect(await server.ended).toBe(0);
    logs.push(server.stderr());
  };
  const move = (to: string) => administrator.post('/v1/clock', { to });
  const events = async (): Promise<string[]> => (await agent.get<Ticket>(`/v1/tickets/${ticket}`)).body.history.map(({ event }) => event);

  beforeAll(start, 60_000);
  afterAll(async () => {
    await stop();
    rmSync(dataDir, { recursive: true, force: true });
  });

  it('moves forward only, and says in the journal that it was moved', async () => {
    // A Friday before a make-up working Sunday: the 2027 holidays are not published yet, so a year that is.
    expect((await move('2030-03-01T01:30:00Z')).body).toMatchObject({ now: '2030-03-01T01:30:00.000Z', manual: true });
    const back = await move('2029-01-01T00:00:00Z');
    expect(back).toMatchObject({ status: 409, body: { type: '/problems/ClockOnlyForward' } });
    expect((await move('tomorrow')).status).toBe(400);
    expect((await callerOf(url, { dataDir }, 'agent', 'alice').post('/v1/clock', { to: '2031-01-01T00:00:00Z' })).status).toBe(403);
    const { body } = await auditor.get<{ items: { type: string; data: { to: string } }[] }>('/v1/streams/clock-bank');
    expect(body.items.map(({ type, data }) => [type, data.to])).toEqual([['ClockMoved', '2030-03-01T01:30:00.000Z']]);
  });

  it('opens a ticket that is read back at once, with deadlines from that clock', async () => {
    const opened = await agent.post<{ id: string }>('/v1/tickets', {
      type: 'service-request',
      priority: 'high',
      channel: 'counter',
      product: 'Card',
      summary: `Card lost ${canary}`,
      description: canary,
    });
    expect(opened.status).toBe(201);
    ticket = opened.body.id;
    expect(opened.headers.get('location')).toBe(`/v1/tickets/${ticket}`);
    const list = await agent.get<{ items: Ticket[] }>('/v1/tickets', { 'shiji-after': opened.headers.get('shiji-position') ?? '' });
    expect(list.body.items).toMatchObject([{ id: ticket, summary: `Card lost ${canary}`, status: 'open', dueAt: '2030-03-01T02:30:00.000Z' }]);
    const found = await agent.get<{ items: Ticket[] }>(`/v1/tickets?q=${encodeURIComponent('罗密 lost')}`);
    expect(found.body.items.map(({ id }) => id)).toEqual([ticket]);
    expect((await agent.get<{ items: Ticket[] }>('/v1/tickets?q=sunshine')).body.items).toEqual([]);
  });

  it('warns at 80 % and records the breach, each at its true instant, however far the clock jumped', async () => {
    await move('2030-03-01T02:20:00Z');
    await until(async () => (await events()).includes('SlaWarned'));
    await move('2030-03-05T00:00:00Z');
    await until(async () => (await events()).filter((event) => event === 'SlaBreached').length === 2);
    const { body } = await agent.get<Ticket>(`/v1/tickets/${ticket}`);
    expect(body.history.slice(1).map(({ event, occurredAt }) => [event, occurredAt])).toEqual([
      ['SlaWarned', '2030-03-01T02:18:00.000Z'],
      ['SlaBreached', '2030-03-01T02:30:00.000Z'],
      ['SlaWarned', expect.stringMatching(/^2030-03-0[14]T/)],
      ['SlaBreached', body.resolution.dueAt],
    ]);
    expect(body.history.map(({ recordedAt }) => recordedAt)).toEqual([...body.history.map(({ recordedAt }) => recordedAt)].sort());
    expect(body).toMatchObject({ firstResponse: { state: 'breached' }, resolution: { state: 'breached' } });
  });

  it('goes on from where the clock stood after a restart', async () => {
    await stop();
    await start();
    expect((await agent.get('/v1/clock')).body).toEqual({ now: '2030-03-05T00:00:00.000Z', manual: true });
  });

  it('shows the ticket as of any instant, and as it was known then', async () => {
    await agent.post(`/v1/tickets/${ticket}/start`, {});
    await move('2030-03-06T00:00:00Z');
    await agent.post(`/v1/tickets/${ticket}/resolve`, { resolution: `Sent to ${canary}` });
    const at = async (query: string) => (await agent.get<Ticket>(`/v1/tickets/${ticket}?${query}`)).body;
    expect(await at('')).toMatchObject({ status: 'resolved' });
    expect(await at('asOf=2030-03-05')).toMatchObject({ status: 'in-progress', asOf: '2030-03-05', knownAt: null });
    expect(await at('asOf=2030-03-01T02:00:00Z')).toMatchObject({ status: 'open', firstResponse: { state: 'running' } });
    // The breach was so on 1 March, but known only when the clock had come to the 5th.
    expect(await at('asOf=2030-03-01T03:00:00Z')).toMatchObject({ firstResponse: { state: 'breached' } });
    expect(await at('asOf=2030-03-01T03:00:00Z&knownAt=2030-03-01T02:25:00Z')).toMatchObject({ firstResponse: { state: 'running' } });
    expect((await agent.get(`/v1/tickets/${ticket}?asOf=2030-02-01`)).status).toBe(404);
    expect((await agent.get(`/v1/tickets/${ticket}?asOf=soon`)).status).toBe(400);
  });

  it('recognises a retry after a restart, and another body under its key', async () => {
    const key = { 'idempotency-key': 'close-it-once' };
    const first = await agent.post(`/v1/tickets/${ticket}/close`, {}, key);
    await agent.post(`/v1/tickets/${ticket}/reopen`, { reason: 'Not yet' }, { 'idempotency-key': 'reopen-it' });
    await stop();
    await start();
    const again = await agent.post(`/v1/tickets/${ticket}/close`, {}, { ...key, 'if-match': '"0"' });
    expect([again.status, again.body, again.headers.get('etag')]).toEqual([first.status, first.body, first.headers.get('etag')]);
    expect((await agent.post(`/v1/tickets/${ticket}/reopen`, { reason: 'Another' }, { 'idempotency-key': 'reopen-it' })).status).toBe(422);
    expect((await agent.post(`/v1/tickets/${ticket}/start`, {}, { 'if-match': '"0"' })).status).toBe(412);
  });

  it('lets another relationship manager see nothing of it, and records that he asked', async () => {
    const other = callerOf(url, { dataDir }, 'rm', 'mallory');
    expect((await other.get(`/v1/tickets/${ticket}`)).status).toBe(404);
    expect((await other.get<{ items: unknown[]; total: number }>('/v1/tickets?count=true')).body).toMatchObject({ items: [], total: 0 });
    expect((await other.post(`/v1/tickets/${ticket}/start`, {})).status).toBe(404);
    const { body } = await auditor.get<{ items: { subject: string; outcome: string; ids: string[] }[] }>('/v1/accesses?subject=mallory');
    expect(body.items).toContainEqual(expect.objectContaining({ subject: 'mallory', outcome: 'denied', ids: [ticket] }));
  });

  it('shows operations the business and not the person', async () => {
    const { body } = await callerOf(url, { dataDir }, 'operations', 'olga').get<Ticket & { masked: string[] }>(`/v1/tickets/${ticket}`);
    expect(body).toMatchObject({ summary: null, masked: expect.arrayContaining(['summary', 'description']) });
    expect(JSON.stringify(body)).not.toContain('Juliet');
  });

  it('never has personal data in a log', async () => {
    await agent.post('/v1/tickets', { type: 'inquiry', priority: 'low', channel: 'web', summary: canary, nonsense: canary });
    await agent.get(`/v1/tickets?q=${encodeURIComponent(canary)}`);
    const all = [...logs, server.stderr()].join('\n');
    expect(all.length).toBeGreaterThan(1_000);
    for (const word of ['Juliet', '罗密欧', encodeURIComponent('罗密欧')]) expect(all).not.toContain(word);
  });
});
