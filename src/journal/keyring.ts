// Data keys, one a subject and retention class, wrapped by the master key (AES-256-GCM, bound to subject, class and version) and kept in
// Postgres on either journal. Destroying one makes whatever it sealed unreadable everywhere at once, read models included.
import { createCipheriv, createDecipheriv } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Pool } from 'pg';
import { GroupCommit } from './group-commit.ts';
import type { KeyToKeep } from './journal.ts';
import { randomBytes } from './random.ts';

export interface DataKey {
  readonly id: number;
  readonly version: number;
  readonly key: Buffer;
}

export interface MasterKey {
  readonly version: number;
  /** 32 bytes. */
  readonly key: Buffer;
}

/** Whose key, and for which retention class. */
export interface KeyName {
  readonly subject: string;
  readonly retention: string;
}

interface KeyRow {
  readonly id: number;
  readonly subject: string;
  readonly retention: string;
  readonly version: number;
  readonly master_version: number;
  readonly wrapped: Buffer | null;
}

const create = {
  name: 'keys/create',
  text: `insert into keys.data_keys (id, subject, retention, master_version, wrapped)
         select * from unnest($1::bigint[], $2::text[], $3::text[], $4::smallint[], $5::bytea[])
         on conflict (subject, retention, version) do nothing
         returning id, subject, retention, version`,
};
const byName = {
  name: 'keys/by-name',
  text: `select k.id, k.subject, k.retention, k.version, k.master_version, k.wrapped
           from unnest($1::text[], $2::text[]) as n(subject, retention) join keys.data_keys k using (subject, retention)
          where k.version = (select max(o.version) from keys.data_keys o where o.subject = k.subject and o.retention = k.retention)`,
};
const byId = {
  name: 'keys/by-id',
  text: 'select id, subject, retention, version, master_version, wrapped from keys.data_keys where id = any($1::bigint[])',
};

/** A key drawn for a stream about to be created: to be kept by its append (Journal.append), then remembered here. */
export interface DrawnKey {
  readonly key: DataKey;
  readonly keep: KeyToKeep;
}

const IDS_A_BLOCK = 1_000;

/** The key under which something was to be sealed has been destroyed: nothing more can be recorded about this subject. */
export class KeyDestroyed extends Error {
  override readonly name = 'KeyDestroyed';
}

export class Keyring {
  readonly #pool: Pool;
  readonly #masters: ReadonlyMap<number, Buffer>;
  readonly #current: MasterKey;
  // An erasure by another process reaches this one within the minute.
  readonly #byName = new LRUCache<string, DataKey>({ max: 10_000, ttl: 60_000 });
  readonly #byId = new LRUCache<number, DataKey>({ max: 10_000, ttl: 60_000 });
  readonly #creations: GroupCommit<KeyName, DataKey | Error>;
  readonly #lookUps: GroupCommit<number, KeyRow | undefined>;
  #nextId = 0;
  #endId = 0;
  #block: Promise<void> | undefined;

  /** The first master key wraps new data keys; the rest open what older ones wrapped. */
  constructor(pool: Pool, masters: readonly [MasterKey, ...MasterKey[]]) {
    this.#pool = pool;
    this.#current = masters[0];
    this.#masters = new Map(masters.map((master) => [master.version, master.key]));
    this.#creations = new GroupCommit({ maxBatch: 256, send: (names) => this.#findOrCreate(names) });
    this.#lookUps = new GroupCommit({ maxBatch: 1_000, send: (ids) => this.#find(ids) });
  }

  /** The newest key of a subject, drawn where there is none; a promise only where it must be looked up. @throws KeyDestroyed */
  forSealing(subject: string, retention: string): DataKey | Promise<DataKey> {
    return this.#byName.get(`${subject} ${retention}`) ?? this.#create({ subject, retention });
  }

  async #create(name: KeyName): Promise<DataKey> {
    const key = await this.#creations.run(name);
    if (key instanceof Error) throw key;
    return key;
  }

  /** A new key for a stream that is about to be created under its own name. Nothing is written: the stream's append keeps it. */
  async drawFor(stream: string, retention: string): Promise<DrawnKey> {
    const id = this.#takeId() ?? (await this.#takeIdFromNextBlock());
    const key = { id, version: 1, key: kept(randomBytes(32)) };
    return { key, keep: { id, retention, masterVersion: this.#current.version, wrapped: this.#wrap(key.key, stream, retention) } };
  }

  /** A drawn key that was kept. */
  remember(subject: string, retention: string, key: DataKey): void {
    this.#remember(`${subject} ${retention}`, key);
  }

  /** Keys by id; an id is missing from the answer where its key was destroyed. */
  async forOpening(ids: readonly number[]): Promise<ReadonlyMap<number, DataKey>> {
    const found = new Map<number, DataKey>();
    const missing: number[] = [];
    for (const id of new Set(ids)) {
      const key = this.#byId.get(id);
      if (key) found.set(id, key);
      else missing.push(id);
    }
    if (missing.length === 0) return found;
    const rows = await Promise.all(missing.map((id) => this.#lookUps.run(id)));
    const lost = missing.filter((_, index) => rows[index] === undefined);
    if (lost.length > 0) throw new Error(`data keys ${lost.join(', ')} are missing: not destroyed but lost; restore them from the key backup`);
    for (const row of rows) {
      if (!row?.wrapped) continue;
      const key = this.#keyOf(row, row.wrapped);
      this.#byId.set(key.id, key);
      found.set(key.id, key);
    }
    return found;
  }

  /** Destroys every key of a subject in one retention class. What they sealed reads as erased from now on. Returns how many. */
  async destroy(subject: string, retention: string, at: string): Promise<number> {
    const { rows } = await this.#pool.query<{ id: number }>(
      'update keys.data_keys set wrapped = null, destroyed_at = $3 where subject = $1 and retention = $2 and wrapped is not null returning id',
      [subject, retention, at],
    );
    this.#byName.delete(`${subject} ${retention}`);
    for (const { id } of rows) this.#byId.delete(id);
    return rows.length;
  }

  async #find(ids: readonly number[]): Promise<(KeyRow | undefined)[]> {
    const { rows } = await this.#pool.query<KeyRow>({ ...byId, values: [ids] });
    const found = new Map(rows.map((row) => [row.id, row]));
    return ids.map((id) => found.get(id));
  }

  /** An error in the place of a key is its name's alone: the subjects of a batch have nothing to do with each other. */
  async #findOrCreate(names: readonly KeyName[]): Promise<(DataKey | Error)[]> {
    // In one order everywhere: two processes that create the same keys the other way round would wait for each other.
    const wanted = new Map(names.map((name) => [`${name.subject} ${name.retention}`, name]));
    const distinct = [...wanted.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, name]) => name);
    const ids: number[] = [];
    // biome-ignore lint/performance/noAwaitInLoops: waits once in a thousand ids
    while (ids.length < distinct.length) ids.push(this.#takeId() ?? (await this.#takeIdFromNextBlock()));
    const drawn = new Map(distinct.map((name) => [`${name.subject} ${name.retention}`, kept(randomBytes(32))]));
    const created = await this.#pool.query<Omit<KeyRow, 'master_version' | 'wrapped'>>({
      ...create,
      values: [
        ids,
        distinct.map((name) => name.subject),
        distinct.map((name) => name.retention),
        distinct.map(() => this.#current.version),
        distinct.map((name) => this.#wrap(drawn.get(`${name.subject} ${name.retention}`) as Buffer, name.subject, name.retention)),
      ],
    });
    const keys = new Map<string, DataKey | Error>();
    for (const row of created.rows) {
      const name = `${row.subject} ${row.retention}`;
      keys.set(name, this.#remember(name, { id: row.id, version: row.version, key: drawn.get(name) as Buffer }));
    }
    const others = distinct.filter((name) => !keys.has(`${name.subject} ${name.retention}`));
    if (others.length > 0) {
      const found = await this.#pool.query<KeyRow>({
        ...byName,
        values: [others.map((name) => name.subject), others.map((name) => name.retention)],
      });
      for (const row of found.rows) {
        const name = `${row.subject} ${row.retention}`;
        keys.set(name, this.#found(name, row));
      }
    }
    return names.map(
      (name) => keys.get(`${name.subject} ${name.retention}`) ?? new Error(`the data key of ${name.subject} for ${name.retention} is gone`),
    );
  }

  #found(name: string, row: KeyRow): DataKey | Error {
    if (!row.wrapped) return new KeyDestroyed(`the data key of ${row.subject} for ${row.retention} was destroyed`);
    try {
      return this.#remember(name, this.#keyOf(row, row.wrapped));
    } catch (error) {
      return error as Error;
    }
  }

  #takeId(): number | undefined {
    if (this.#nextId === this.#endId) return undefined;
    this.#nextId += 1;
    return this.#nextId - 1;
  }

  async #takeIdFromNextBlock(): Promise<number> {
    this.#block ??= this.#pool
      .query<{ first: number }>("select nextval('keys.ids') as first")
      .then(({ rows }) => {
        this.#nextId = (rows[0] as { first: number }).first;
        this.#endId = this.#nextId + IDS_A_BLOCK;
      })
      // Also where it failed, or no key would ever be drawn again.
      .finally(() => {
        this.#block = undefined;
      });
    await this.#block;
    return this.#takeId() ?? this.#takeIdFromNextBlock();
  }

  #keyOf(row: KeyRow, wrapped: Buffer): DataKey {
    return this.#byId.get(row.id) ?? { id: row.id, version: row.version, key: this.#unwrap(wrapped, row) };
  }

  #remember(name: string, key: DataKey): DataKey {
    this.#byName.set(name, key);
    this.#byId.set(key.id, key);
    return key;
  }

  #wrap(key: Buffer, subject: string, retention: string): Buffer {
    const nonce = randomBytes(12);
    const cipher = createCipheriv('aes-256-gcm', this.#current.key, nonce, { authTagLength: 16 });
    cipher.setAAD(Buffer.from(`${subject}\n${retention}\n${this.#current.version}`));
    return Buffer.concat([nonce, cipher.update(key), cipher.final(), cipher.getAuthTag()]);
  }

  #unwrap(wrapped: Buffer, row: KeyRow): Buffer {
    const master = this.#masters.get(row.master_version);
    if (!master) throw new Error(`data key ${row.id} is wrapped by master key version ${row.master_version}, which is not configured`);
    const decipher = createDecipheriv('aes-256-gcm', master, wrapped.subarray(0, 12), { authTagLength: 16 });
    decipher.setAAD(Buffer.from(`${row.subject}\n${row.retention}\n${row.master_version}`));
    decipher.setAuthTag(wrapped.subarray(wrapped.length - 16));
    try {
      return kept(Buffer.concat([decipher.update(wrapped.subarray(12, wrapped.length - 16)), decipher.final()]));
    } catch (cause) {
      throw new Error(
        `data key ${row.id} does not open: what is configured as master key version ${row.master_version} is not the key that wrapped it`,
        { cause },
      );
    }
  }
}

/** In memory of its own: a slice of node's shared 8 kB would keep all of them for as long as the key is remembered. */
function kept(key: Buffer): Buffer {
  const own = Buffer.allocUnsafeSlow(key.length);
  key.copy(own);
  key.fill(0);
  return own;
}
