// What may go wrong between the journal and its node. The stand-in is the node, because it can be stopped in the middle.
import { fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { openEventStoreDbJournal } from '../../src/journal/eventstoredb/eventstoredb-journal.ts';
import { JournalUnavailable } from '../../src/journal/journal.ts';
import { startStandInServer } from '../support/eventstoredb-stand-in/server.ts';

const urlOf = (port: number): string => `esdb://127.0.0.1:${port}?tls=false`;
const event = () => ({ id: randomUUID(), type: 'Tested', data: '{"a":1}', metadata: '{}' });
const newStream = (): string => `connection-${randomUUID()}`;

describe('the journal in EventStoreDB, when things go wrong', () => {
  it('is unavailable at once where no node listens', async () => {
    await expect(openEventStoreDbJournal({ url: urlOf(1), now: Date.now })).rejects.toThrow(JournalUnavailable);
  });

  it('is unavailable within its deadline where a node takes the call and says nothing', async () => {
    const sockets: Socket[] = [];
    const silent = createServer((socket) => sockets.push(socket)).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const address = silent.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    const startedAt = performance.now();
    await expect(openEventStoreDbJournal({ url: urlOf(port), now: Date.now, deadlineMs: 300 })).rejects.toThrow(JournalUnavailable);
    expect(performance.now() - startedAt).toBeLessThan(5_000);
    for (const socket of sockets) socket.destroy();
    silent.close();
  });

  it('loses no append of one journal when the node of another goes', async () => {
    const [stays, goes] = [await startStandInServer(), await startStandInServer()];
    const [here, there] = [
      await openEventStoreDbJournal({ url: urlOf(stays.port), now: Date.now }),
      await openEventStoreDbJournal({ url: urlOf(goes.port), now: Date.now }),
    ];
    const stopWatching = there.watch(() => {});
    const doomed = Array.from({ length: 50 }, () => there.append(newStream(), 'no-stream', [event()]));
    const appended = Array.from({ length: 50 }, () => here.append(newStream(), 'no-stream', [event()]));
    const settled = Promise.allSettled(doomed);
    await goes.stop();
    expect((await Promise.all(appended)).every((result) => result.appended)).toBe(true);
    for (const result of await settled) if (result.status === 'rejected') expect(result.reason).toBeInstanceOf(JournalUnavailable);
    await expect(there.head()).rejects.toThrow(JournalUnavailable);
    expect((await here.append(newStream(), 'no-stream', [event()])).appended).toBe(true);
    stopWatching();
    await there.close();
    await here.close();
    await stays.stop();
  });

  it('gives the first time of recording to the retry of an append whose answer was lost', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'shiji-stand-in-'));
    const before = await startStandInServer({ folder });
    let now = 1_000;
    const journal = await openEventStoreDbJournal({ url: urlOf(before.port), now: () => now });
    const [stream, one] = [newStream(), event()];
    const lost = journal.append(stream, 'no-stream', [one]).then(
      (result) => result,
      (error: unknown) => error,
    );
    await sleep(0);
    await before.stop();
    const first = await lost;
    const after = await startStandInServer({ folder, port: before.port });
    now = 2_000;
    await sleep(300);
    const retried = await journal.append(stream, 'no-stream', [one]).catch(() => journal.append(stream, 'no-stream', [one]));
    const [stored] = await journal.readStream(stream);
    expect(retried).toMatchObject({ appended: true, position: stored?.position, recordedAtMs: stored?.recordedAtMs });
    if (!(first instanceof Error)) expect(retried).toMatchObject({ recordedAtMs: 1_000 });
    await journal.close();
    await after.stop();
  });

  it('refuses a position that is none of this journal, rather than asking again for ever', async () => {
    const node = await startStandInServer();
    const journal = await openEventStoreDbJournal({ url: urlOf(node.port), now: Date.now });
    await journal.append(newStream(), 'no-stream', [event(), event()]);
    const { position } = await journal.head();
    const reading = journal.readAll({ after: position - 1, limit: 10 });
    await expect(reading).rejects.toThrow(`reading from position ${position - 1} was refused`);
    await expect(reading).rejects.not.toThrow(JournalUnavailable);
    await journal.close();
    await expect(journal.head()).rejects.toThrow('the journal was closed');
    await node.stop();
  });

  it('lets its process end once it is closed', async () => {
    const node = await startStandInServer();
    const writer = fileURLToPath(new URL('../support/journal-writer.ts', import.meta.url));
    const module = fileURLToPath(new URL('../../src/journal/eventstoredb/eventstoredb-journal.ts', import.meta.url));
    const task = { module, open: 'openEventStoreDbJournal', options: { url: urlOf(node.port) }, load: { category: 'ends', writers: 2, appends: 2 } };
    const child = fork(writer, [JSON.stringify(task)], { execArgv: [] });
    const [code] = (await once(child, 'exit')) as [number];
    expect(code).toBe(0);
    await node.stop();
  }, 20_000);
});
