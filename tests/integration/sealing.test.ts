// Data keys in Postgres and what they seal: forgery, moving and loss are told apart from erasure. Numbers are those of the faults
// and attacks that each test stands for (F33: a key lost, F41: a cut tag, F42: a moved ciphertext, F43: two texts under two keys).
import { createCipheriv, createHmac, randomBytes, randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { Erased, Sealed } from '../../src/domain/kernel/personal.ts';
import { type DataKey, KeyDestroyed, Keyring, type MasterKey } from '../../src/journal/keyring.ts';
import { eventSubkey, Opener, SealBroken, seal } from '../../src/journal/sealing.ts';
import { createPool } from '../../src/postgres/pool.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

const journalId = '11111111-1111-4111-8111-111111111111';
const at = '2026-03-03T12:00:00.000Z';
const master = (version: number): MasterKey => ({ version, key: randomBytes(32) });
const firstMaster = master(1);

let database: TestDatabase;
let pool: pg.Pool;
let owner: pg.Pool;

beforeAll(async () => {
  database = await createTestDatabase();
  pool = createPool({ url: database.url, max: 8, applicationName: 'sealing-test', role: 'shiji_app' });
  owner = new pg.Pool({ connectionString: database.ownerUrl, max: 2 });
});
afterAll(async () => {
  await pool.end();
  await owner.end();
  await database.drop();
});
afterEach(() => {
  vi.restoreAllMocks();
});

/** As another process has it: nothing remembered. */
const newKeyring = (...masters: readonly MasterKey[]): Keyring => new Keyring(pool, [masters[0] ?? firstMaster, ...masters.slice(1)]);
const newSubject = (): string => `customer-${randomUUID()}`;
const opened = (value: Sealed, keyring = newKeyring()): Promise<unknown> => new Opener(journalId, keyring).open(value);

interface Place {
  readonly stream: string;
  readonly eventId: string;
  readonly field: string;
}
const newPlace = (over: Partial<Place> = {}): Place => ({ stream: `customer-${randomUUID()}`, eventId: randomUUID(), field: 'name', ...over });
const sealAt = (key: DataKey, { stream, eventId, field }: Place, value: unknown = '张三'): Sealed =>
  new Sealed(stream, eventId, field, seal(journalId, key, eventSubkey(key, eventId), stream, eventId, field, JSON.stringify(value)));
const put = ({ stream, eventId, field }: Place, envelope: string): Sealed => new Sealed(stream, eventId, field, envelope);

/** The envelope with its bytes changed. */
function changed({ stream, eventId, field, envelope }: Sealed, change: (bytes: Buffer) => Buffer): Sealed {
  const [id, version, body = '', commitment] = envelope.split('.');
  return new Sealed(stream, eventId, field, [id, version, change(Buffer.from(body, 'base64url')).toString('base64url'), commitment].join('.'));
}

describe('a sealed value', () => {
  it('opens to what was sealed, for whoever holds the keys, in the order asked', async () => {
    const keyring = newKeyring();
    const [one, two] = [await keyring.forSealing(newSubject(), 'service'), await keyring.forSealing(newSubject(), 'service')];
    const event = newPlace();
    const values = [
      sealAt(one, event, '张三'),
      sealAt(two, newPlace(), { year: 1980 }),
      sealAt(one, { ...event, field: 'tags.0' }, ''),
      sealAt(one, newPlace(), null),
    ];
    expect(await new Opener(journalId, newKeyring()).openMany(values)).toStrictEqual(['张三', { year: 1980 }, '', null]);
    expect(await new Opener(journalId, newKeyring()).open('plain')).toBe('plain');
  });

  it('F41 does not open with a cut or a longer tag', async () => {
    const keyring = newKeyring();
    const value = sealAt(await keyring.forSealing(newSubject(), 'service'), newPlace(), 'a text of some length, longer than any tag');
    for (let cut = 1; cut <= 15; cut += 1) {
      await expect(
        opened(
          changed(value, (bytes) => bytes.subarray(0, bytes.length - cut)),
          keyring,
        ),
      ).rejects.toThrow(SealBroken);
    }
    await expect(
      opened(
        changed(value, (bytes) => Buffer.concat([bytes, Buffer.alloc(1)])),
        keyring,
      ),
    ).rejects.toThrow(SealBroken);
  });

  it('F41 does not open where any of its bits is turned, its nonce and commitment among them', async () => {
    const keyring = newKeyring();
    const value = sealAt(await keyring.forSealing(newSubject(), 'service'), newPlace(), 'ab');
    const length = Buffer.from(value.envelope.split('.')[2] ?? '', 'base64url').length;
    for (let byte = 0; byte < length; byte += 1) {
      const turned = changed(value, (bytes) => {
        bytes[byte] = (bytes[byte] ?? 0) ^ (1 << (byte % 8));
        return bytes;
      });
      await expect(opened(turned, keyring)).rejects.toThrow(SealBroken);
    }
    const other = value.envelope.endsWith('A') ? 'E' : 'A';
    await expect(opened(put(value, value.envelope.slice(0, -1) + other), keyring)).rejects.toThrow('the commitment of name');
    await expect(opened(put(value, value.envelope.slice(0, value.envelope.lastIndexOf('.'))), keyring)).rejects.toThrow('the commitment of name');
  });

  it('F41 a wrapped key with a cut tag is refused in the same way', async () => {
    const subject = newSubject();
    await newKeyring().forSealing(subject, 'service');
    for (const cut of [1, 4, 12]) {
      await owner.query('update keys.data_keys set wrapped = substring(wrapped from 1 for octet_length(wrapped) - $2) where subject = $1', [
        subject,
        cut,
      ]);
      await expect(newKeyring().forSealing(subject, 'service')).rejects.toThrow(/^data key \d+ does not open/);
    }
  });

  it.each(['', 'x', '.', '1', '1.1', 'one.1.AAAA.BBBB', '1e3.1.AAAA.BBBB', '99999999999999999999.1.AAAA.BBBB', '-1.1.AAAA.BBBB'])(
    'that is no envelope is called malformed: %j',
    async (envelope) => {
      await newKeyring().forSealing(newSubject(), 'service');
      await expect(opened(put(newPlace(), envelope))).rejects.toThrow(/malformed|are missing/);
    },
  );
  it('is called malformed where its key is another version or its text too short', async () => {
    const key = await newKeyring().forSealing(newSubject(), 'service');
    const { envelope, ...place } = sealAt(key, newPlace());
    const [id, , body, commitment] = envelope.split('.');
    await expect(opened(put(place, `${id}.2.${body}.${commitment}`))).rejects.toThrow(
      new SealBroken(`the seal of name in event ${place.eventId} is malformed`),
    );
    await expect(opened(put(place, `${id}.1.${'A'.repeat(60)}.${commitment}`))).rejects.toThrow('malformed');
  });
});

describe('F42 a ciphertext that was moved', () => {
  it('opens at its own place alone: not in another stream, event or field, nor under another key, in any pair', async () => {
    const keyring = newKeyring();
    const keys = [await keyring.forSealing(newSubject(), 'service'), await keyring.forSealing(newSubject(), 'service')];
    const streams = [newPlace().stream, newPlace().stream];
    const events = [randomUUID(), randomUUID()];
    const fields = ['name', 'contacts.0.value'];
    const all = keys.flatMap((key) =>
      streams.flatMap((stream) => events.flatMap((eventId) => fields.map((field) => ({ key, place: { stream, eventId, field } })))),
    );
    const sealed = all.map(({ key, place }, index) => sealAt(key, place, `text ${index}`));
    expect(all).toHaveLength(16);
    const opener = new Opener(journalId, keyring);
    for (const [from, value] of sealed.entries()) {
      for (const [to, { place, key }] of all.entries()) {
        // Under its own name of the key, and as if it had been sealed with the other one.
        const renamed = [String(key.id), ...value.envelope.split('.').slice(1)].join('.');
        const [own, other] = [opener.open(put(place, value.envelope)), opener.open(put(place, renamed))];
        if (from === to) expect([await own, await other]).toStrictEqual([`text ${from}`, `text ${from}`]);
        else {
          // What differs in the key alone stands at its own place: there its own key's name opens it.
          const samePlace = from % 8 === to % 8;
          if (samePlace) expect(await own).toBe(`text ${from}`);
          else await expect(own).rejects.toThrow(SealBroken);
          await expect(other).rejects.toThrow(SealBroken);
        }
      }
    }
  });

  it('does not open in another journal', async () => {
    const keyring = newKeyring();
    const value = sealAt(await keyring.forSealing(newSubject(), 'service'), newPlace());
    await expect(new Opener(randomUUID(), keyring).open(value)).rejects.toThrow(SealBroken);
  });

  it('does not open where a wrapped key was moved to another subject or class', async () => {
    const [one, two] = [newSubject(), newSubject()];
    await newKeyring().forSealing(one, 'service');
    await newKeyring().forSealing(one, 'credit');
    await newKeyring().forSealing(two, 'service');
    const move = (from: [string, string], to: [string, string]) =>
      owner.query(
        'update keys.data_keys set wrapped = (select wrapped from keys.data_keys where subject = $1 and retention = $2) where subject = $3 and retention = $4',
        [...from, ...to],
      );
    await move([one, 'service'], [two, 'service']);
    await expect(newKeyring().forSealing(two, 'service')).rejects.toThrow('does not open');
    await move([one, 'service'], [one, 'credit']);
    await expect(newKeyring().forSealing(one, 'credit')).rejects.toThrow('does not open');
    expect((await newKeyring().forSealing(one, 'service')).key).toHaveLength(32);
  });
});

describe('F43 a ciphertext that opens under its key, but not to what was committed to', () => {
  /** As whoever holds the key could write it: a good ciphertext of any text, beside any commitment. */
  function forged(key: DataKey, place: Place, blind: Buffer, json: string, commitment: string): Sealed {
    const nonce = randomBytes(12);
    const cipher = createCipheriv('aes-256-gcm', eventSubkey(key, place.eventId), nonce, { authTagLength: 16 });
    cipher.setAAD(Buffer.from([journalId, place.stream, place.eventId, place.field, `${key.id}.${key.version}`].join('\n')));
    const body = Buffer.concat([nonce, cipher.update(Buffer.concat([blind, Buffer.from(json)])), cipher.final(), cipher.getAuthTag()]);
    return put(place, `${key.id}.${key.version}.${body.toString('base64url')}.${commitment}`);
  }
  it('is refused', async () => {
    const keyring = newKeyring();
    const key = await keyring.forSealing(newSubject(), 'service');
    const place = newPlace();
    const blind = randomBytes(32);
    const commitment = createHmac('sha256', blind).update('"yes"').digest('base64url');
    expect(await opened(forged(key, place, blind, '"yes"', commitment), keyring)).toBe('yes');
    await expect(opened(forged(key, place, blind, '"no"', commitment), keyring)).rejects.toThrow(
      new SealBroken(`the commitment of name in event ${place.eventId} does not match`),
    );
    await expect(opened(forged(key, place, randomBytes(32), '"yes"', commitment), keyring)).rejects.toThrow('the commitment of name');
  });
});

describe('a key that is remembered', () => {
  it('keeps no more memory than its own, drawn, created or looked up', async () => {
    const keyring = newKeyring();
    const created = await keyring.forSealing(newSubject(), 'identity');
    const { key: drawn } = await keyring.drawFor(newSubject(), 'service');
    const lookedUp = (await newKeyring().forOpening([created.id])).get(created.id);
    expect([created, drawn, lookedUp].map((key) => key?.key.buffer.byteLength)).toStrictEqual([32, 32, 32]);
    expect(lookedUp?.key.equals(created.key)).toBe(true);
  });
});

describe('a key that is gone', () => {
  it('F33 is an alarm where it was lost, and “erased” where it was destroyed', async () => {
    const [lost, destroyed] = [newSubject(), newSubject()];
    const keyring = newKeyring();
    const values = [
      sealAt(await keyring.forSealing(lost, 'service'), newPlace()),
      sealAt(await keyring.forSealing(destroyed, 'service'), newPlace()),
    ] as const;
    await owner.query('delete from keys.data_keys where subject = $1', [lost]);
    await keyring.destroy(destroyed, 'service', at);
    const { id } = await keyring.forSealing(lost, 'service');
    await expect(opened(values[0])).rejects.toThrow(`data keys ${id} are missing: not destroyed but lost; restore them from the key backup`);
    expect(await opened(values[1])).toStrictEqual(new Erased());
    // Together too, so that an erasure does not hide a loss.
    await expect(new Opener(journalId, newKeyring()).openMany([...values])).rejects.toThrow('not destroyed but lost');
  });

  it('is felt by who remembers what it opened, and what was moved elsewhere does not open from memory', async () => {
    const subject = newSubject();
    const keyring = newKeyring();
    const place = newPlace();
    const value = sealAt(await keyring.forSealing(subject, 'service'), place, 'a');
    const remembering = new Opener(journalId, keyring, 10_000);
    expect(await remembering.open(value)).toBe('a');
    expect(await remembering.open(value)).toBe('a');
    await expect(remembering.open(put({ ...place, stream: `customer-${randomUUID()}` }, value.envelope))).rejects.toThrow(SealBroken);
    await keyring.destroy(subject, 'service', at);
    expect(await remembering.open(value)).toStrictEqual(new Erased());
  });

  it('makes all of that subject and class read as erased, and nothing else', async () => {
    const [one, two] = [newSubject(), newSubject()];
    const keyring = newKeyring();
    const values = [
      sealAt(await keyring.forSealing(one, 'service'), newPlace(), 'a'),
      sealAt(await keyring.forSealing(one, 'service'), newPlace(), 'b'),
      sealAt(await keyring.forSealing(one, 'credit'), newPlace(), 'c'),
      sealAt(await keyring.forSealing(two, 'service'), newPlace(), 'd'),
    ];
    expect(await keyring.destroy(one, 'service', at)).toBe(1);
    for (const by of [keyring, newKeyring()]) {
      expect(await new Opener(journalId, by).openMany(values)).toStrictEqual([new Erased(), new Erased(), 'c', 'd']);
    }
    expect(await keyring.destroy(one, 'service', at)).toBe(0);
    expect(await keyring.destroy(newSubject(), 'service', at)).toBe(0);
    const { rows } = await owner.query('select wrapped, destroyed_at from keys.data_keys where subject = $1 and retention = $2', [one, 'service']);
    expect(rows).toStrictEqual([{ wrapped: null, destroyed_at: new Date(at) }]);
  });

  it('refuses to seal anything more for that subject and class, and for no other in the same batch', async () => {
    const [gone, there, fresh] = [newSubject(), newSubject(), newSubject()];
    const keyring = newKeyring();
    await Promise.all([keyring.forSealing(gone, 'service'), keyring.forSealing(there, 'service')]);
    await keyring.destroy(gone, 'service', at);
    for (const by of [keyring, newKeyring()]) {
      const outcomes = await Promise.allSettled([gone, there, fresh].map(async (subject) => by.forSealing(subject, 'service')));
      expect(outcomes.map(({ status }) => status)).toStrictEqual(['rejected', 'fulfilled', 'fulfilled']);
      expect(outcomes[0]).toMatchObject({ reason: new KeyDestroyed(`the data key of ${gone} for service was destroyed`) });
      expect((outcomes[0] as PromiseRejectedResult).reason).toBeInstanceOf(KeyDestroyed);
    }
  });

  it('is no longer used by another process after a minute, neither to open nor to seal', async () => {
    const subject = newSubject();
    const [here, elsewhere] = [newKeyring(), newKeyring()];
    const value = sealAt(await elsewhere.forSealing(subject, 'service'), newPlace());
    await here.destroy(subject, 'service', at);
    const now = performance.now.bind(performance);
    vi.spyOn(performance, 'now').mockImplementation(() => now() + 61_000);
    expect(await opened(value, elsewhere)).toStrictEqual(new Erased());
    await expect((async () => elsewhere.forSealing(subject, 'service'))()).rejects.toThrow(KeyDestroyed);
  });

  it('can’t be brought back by the server: its rights don’t reach so far', async () => {
    const subject = newSubject();
    await newKeyring().forSealing(subject, 'service');
    await expect(pool.query('delete from keys.data_keys where subject = $1', [subject])).rejects.toMatchObject({ code: '42501' });
    await expect(pool.query('update keys.data_keys set subject = $1 where subject = $1', [subject])).rejects.toMatchObject({ code: '42501' });
    await expect(pool.query('update keys.data_keys set wrapped = null where subject = $1', [subject])).rejects.toMatchObject({ code: '23514' });
  });
});

describe('the first use of a subject', () => {
  it('gives one key, however many ask for it and wherever', async () => {
    const subjects = Array.from({ length: 60 }, newSubject);
    const [one, two] = [newKeyring(), newKeyring()];
    for (let round = 0; round < 3; round += 1) {
      const each = await Promise.all([
        ...subjects.map((subject) => one.forSealing(subject, 'service')),
        // The other way round, as a deadlock would want it.
        ...subjects.toReversed().map((subject) => two.forSealing(subject, 'service')),
        ...subjects.map((subject) => two.forSealing(subject, 'service')),
      ]);
      const first = each.slice(0, 60);
      expect(each.slice(60, 120).toReversed()).toStrictEqual(first);
      expect(each.slice(120)).toStrictEqual(first);
      expect(new Set(first.map(({ id }) => id)).size).toBe(60);
    }
    const { rows } = await owner.query('select count(*)::int as count from keys.data_keys where subject = any($1)', [subjects]);
    expect(rows).toStrictEqual([{ count: 60 }]);
  });

  it('creates keys in one order everywhere, so that two processes never wait for each other', async () => {
    const orders: string[][] = [];
    const watched = {
      query: (...args: Parameters<pg.Pool['query']>) => {
        const [{ name, values }] = args as unknown as [{ name?: string; values: string[][] }];
        if (name === 'keys/create') orders.push(values[1] as string[]);
        return pool.query(...args);
      },
    } as unknown as pg.Pool;
    const subjects = Array.from({ length: 20 }, newSubject);
    for (const list of [subjects, subjects.toReversed()]) {
      const keyring = new Keyring(watched, [firstMaster]);
      await Promise.all(list.map((subject) => keyring.forSealing(subject, 'service')));
    }
    expect(orders).toStrictEqual([subjects.toSorted(), subjects.toSorted()]);
  });

  it('gives each class a key of its own', async () => {
    const subject = newSubject();
    const keyring = newKeyring();
    const [service, credit] = [await keyring.forSealing(subject, 'service'), await keyring.forSealing(subject, 'credit')];
    expect(service.id).not.toBe(credit.id);
    expect(service.key.equals(credit.key)).toBe(false);
  });

  it('asks the database once, and then it is remembered', async () => {
    let queries = 0;
    const counted = {
      query: (...args: Parameters<pg.Pool['query']>) => {
        queries += 1;
        return pool.query(...args);
      },
    } as unknown as pg.Pool;
    const keyring = new Keyring(counted, [firstMaster]);
    const subject = newSubject();
    const key = await keyring.forSealing(subject, 'service');
    const before = queries;
    expect(keyring.forSealing(subject, 'service')).toBe(key);
    await new Opener(journalId, keyring).open(sealAt(key, newPlace()));
    expect(queries).toBe(before);
    const cold = new Keyring(counted, [firstMaster]);
    await new Opener(journalId, cold).open(sealAt(key, newPlace()));
    await cold.forSealing(subject, 'service');
    expect(await cold.forSealing(subject, 'service')).toStrictEqual(key);
    expect(cold.forSealing(subject, 'service')).not.toBeInstanceOf(Promise);
  });

  it('is tried again after the database was away', async () => {
    let away = true;
    const flaky = {
      query: async (...args: Parameters<pg.Pool['query']>) => {
        if (away) throw new Error('Connection terminated unexpectedly');
        return pool.query(...args);
      },
    } as unknown as pg.Pool;
    const keyring = new Keyring(flaky, [firstMaster]);
    const ask = async (): Promise<DataKey> => keyring.forSealing(newSubject(), 'service');
    await expect(ask()).rejects.toThrow('Connection terminated');
    await expect(keyring.drawFor('ticket-1', 'service')).rejects.toThrow('Connection terminated');
    away = false;
    expect((await ask()).key).toHaveLength(32);
    expect((await keyring.drawFor('ticket-1', 'service')).key.key).toHaveLength(32);
  });

  it('draws ids that no other process draws', async () => {
    const keyrings = [newKeyring(), newKeyring(), newKeyring()];
    const drawn = await Promise.all(keyrings.flatMap((keyring) => Array.from({ length: 1_200 }, () => keyring.drawFor('ticket-1', 'service'))));
    expect(new Set(drawn.map(({ key }) => key.id)).size).toBe(3_600);
  });
});

describe('the master key', () => {
  it('wraps new keys in its new version, while the old one opens what it wrapped', async () => {
    const next = master(2);
    const [before, after] = [newSubject(), newSubject()];
    const old = newKeyring();
    const key = await old.forSealing(before, 'service');
    const rotated = newKeyring(next, firstMaster);
    const values = [sealAt(key, newPlace(), 'old'), sealAt(await rotated.forSealing(after, 'service'), newPlace(), 'new')];
    expect(await rotated.forSealing(before, 'service')).toStrictEqual(key);
    expect(await new Opener(journalId, newKeyring(next, firstMaster)).openMany(values)).toStrictEqual(['old', 'new']);
    const { rows } = await owner.query('select master_version from keys.data_keys where subject = any($1) order by master_version', [
      [before, after],
    ]);
    expect(rows).toStrictEqual([{ master_version: 1 }, { master_version: 2 }]);
    await expect(opened(values[1] as Sealed, newKeyring())).rejects.toThrow(
      /^data key \d+ is wrapped by master key version 2, which is not configured$/,
    );
  });

  it('that is another under the same version is told in one sentence, to open and to seal', async () => {
    const subject = newSubject();
    const value = sealAt(await newKeyring().forSealing(subject, 'service'), newPlace());
    const wrong = newKeyring(master(1));
    const sentence = /^data key \d+ does not open: what is configured as master key version 1 is not the key that wrapped it$/;
    await expect(opened(value, wrong)).rejects.toThrow(sentence);
    await expect(wrong.forSealing(subject, 'service')).rejects.toThrow(sentence);
  });

  it('is in no row, and neither is a data key in the clear', async () => {
    const subject = newSubject();
    const { key } = await newKeyring().forSealing(subject, 'service');
    const { rows } = await owner.query<{ wrapped: Buffer }>('select wrapped from keys.data_keys where subject = $1', [subject]);
    expect(rows[0]?.wrapped.includes(key)).toBe(false);
    expect(rows[0]?.wrapped.includes(firstMaster.key)).toBe(false);
    expect(rows[0]?.wrapped).toHaveLength(60);
  });
});
