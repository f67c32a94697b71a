// Where a runner works: on the live table of its projection, or on the one that stands by. Says whether there is anything for this
// program to do there, and takes the lease where there is.
import type { Pool } from 'pg';
import type { JournalReader } from '../../journal/journal.ts';
import { type Checkpoint, readCheckpoints, standbyOf } from './books.ts';
import type { Leases } from './leases.ts';
import type { EngineLog } from './observe.ts';
import type { Projection } from './projection.ts';
import { beginNext, isOf, wantsNext } from './versions.ts';

export interface Place {
  /** The name of checkpoint, lease, receipts and parked events. */
  readonly book: string;
  readonly isLive: boolean;
  /** The lease's fence, where the table here is this program's to write. */
  claim(): Promise<number | undefined>;
  /** Whether something else is to be done here than to follow on from this checkpoint. */
  isOver(opened: Checkpoint): Promise<boolean>;
}

export interface PlaceParts {
  readonly projection: Projection;
  readonly pool: Pool;
  readonly leases: Leases;
  readonly log: EngineLog;
  readonly journal: JournalReader;
  readonly journalId: string;
  /** A journal that is longer is built from by COPY. */
  readonly buildFrom: number;
}

/** The live table, while it is of this program's version; one that is not there yet is made by whoever comes first. */
export function livePlace({ projection, pool, leases, log }: PlaceParts): Place {
  const book = projection.name;
  let told: number | undefined;
  return {
    book,
    isLive: true,
    claim: async () => {
      const live = (await readCheckpoints(pool, [book])).get(book);
      if (!live || live.schemaName === '' || isOf(projection, live)) return leases.fenceOf(book) ?? leases.take(book);
      if (live.version > projection.version && told !== live.version) {
        told = live.version;
        log.warn({ projection: book, live: live.version, known: projection.version }, 'a newer version is live: this program does not write it');
      }
      await leases.release(book);
      return undefined;
    },
    isOver: async (opened) => isOther(opened, (await readCheckpoints(pool, [book])).get(book)),
  };
}

/** The table that stands by: the next one, begun where this program has a newer version or was told to; or the one before, kept warm. */
export function standbyPlace(parts: PlaceParts): Place {
  const { projection, pool, leases, log, journal, journalId, buildFrom } = parts;
  const { name } = projection;
  const book = standbyOf(name);
  const both = async () => {
    const found = await readCheckpoints(pool, [name, book]);
    return { live: found.get(name), standby: found.get(book) };
  };
  const begin = async (): Promise<number | undefined> => {
    const build = (await journal.head()).position > buildFrom;
    const begun = await beginNext({ pool, projection, leases, journalId, build });
    if (begun)
      log.info(
        { projection: name, fromVersion: begun.fromVersion, toVersion: projection.version },
        'a read model is built anew beside the live one, which serves until then',
      );
    return begun?.fence;
  };
  return {
    book,
    isLive: false,
    claim: async () => {
      const { live, standby } = await both();
      const wanted = live ? wantsNext(projection, live, standby) : 'no';
      if (wanted === 'yes') return begin();
      if (wanted === 'if-unattended' && (await leases.take(name)) !== undefined) {
        try {
          return await begin();
        } finally {
          await leases.release(name);
        }
      }
      if (standby && isOf(projection, standby)) return leases.fenceOf(book) ?? leases.take(book);
      await leases.release(book);
      return undefined;
    },
    isOver: async (opened) => {
      const { live, standby } = await both();
      return isOther(opened, standby) || (live !== undefined && wantsNext(projection, live, standby) === 'yes');
    },
  };
}

function isOther(opened: Checkpoint, now: Checkpoint | undefined): boolean {
  return !now || now.fence !== opened.fence || now.paused || now.standing !== opened.standing || now.swap !== opened.swap;
}
