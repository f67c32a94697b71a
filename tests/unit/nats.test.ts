// What the publisher makes of NATS_URL and of a batch, without a server.
import { describe, expect, it } from 'vitest';
import type { StoredEvent } from '../../src/journal/journal.ts';
import { optionsOf } from '../../src/processes/nats-connection.ts';
import { windowsOf } from '../../src/processes/nats-window.ts';

describe('NATS_URL', () => {
  it.each([
    ['nats://one:4222,nats://two:4222', { servers: ['one:4222', 'two:4222'] }],
    ['nats://one, two:4223', { servers: ['one', 'two:4223'] }],
    ['nats://[::1]:4222', { servers: ['[::1]:4222'] }],
    ['nats://user:p%4012%3A3@one:4222,two', { servers: ['one:4222', 'two'], user: 'user', pass: 'p@12:3' }],
    ['nats://token@one', { servers: ['one'], token: 'token' }],
    ['tls://one', { servers: ['one'], tls: {} }],
    ['wss://user:secret@one/path', { servers: ['wss://one/path'], user: 'user', pass: 'secret' }],
  ])('%s names servers and credentials', (url, expected) => {
    const { servers, user, pass, token, tls } = optionsOf(url);
    expect({ servers, user, pass, token, tls }).toEqual(expected);
  });
});

describe('windows', () => {
  const events = (count: number, characters: number): StoredEvent[] =>
    Array.from({ length: count }, (_, index) => ({ position: index + 1, data: 'x'.repeat(characters), metadata: '' }) as StoredEvent);
  const sizes = (of: readonly StoredEvent[]): number[] => [...windowsOf(of)].map(({ length }) => length);

  it('hold 100 events, or fewer that are large, or one that is larger than a window, in their order', () => {
    expect(sizes([])).toStrictEqual([]);
    expect(sizes(events(250, 10))).toStrictEqual([100, 100, 50]);
    expect(sizes(events(9, 1_000_000))).toStrictEqual([4, 4, 1]);
    expect(sizes(events(3, 5_000_000))).toStrictEqual([1, 1, 1]);
    const all = events(250, 100_000);
    expect([...windowsOf(all)].flat()).toStrictEqual(all);
  });
});
