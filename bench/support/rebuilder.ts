// One rebuild of all read models, in a fresh process: the parts as compose.ts wires them, without HTTP. The time runs from the engine's
// start until every read model is live at the journal's end, its indexes built.
import { setTimeout as sleep } from 'node:timers/promises';
import { derivedKey } from '../../src/api/derived-key.ts';
import { eventDefinitions } from '../../src/domain/events.ts';
import { EventCodec } from '../../src/journal/codec.ts';
import { Keyring } from '../../src/journal/keyring.ts';
import { PostgresJournal } from '../../src/journal/postgres/postgres-journal.ts';
import { Opener } from '../../src/journal/sealing.ts';
import { createLogger } from '../../src/logging.ts';
import { APP_ROLE, createPool } from '../../src/postgres/pool.ts';
import { projections } from '../../src/projections/all.ts';
import { ProjectionEngine } from '../../src/projections/engine/engine.ts';
import { createSearchTokens } from '../../src/projections/engine/search-tokens.ts';
import { serve } from './child.ts';

export interface Rebuild {
  readonly url: string;
  readonly masterKey: Buffer;
}

export interface Rebuilt {
  readonly seconds: number;
}

const POOL = 16;

if (import.meta.main) serve(rebuild);

async function rebuild({ url, masterKey }: Rebuild): Promise<Rebuilt> {
  const log = createLogger({ level: 'warn' });
  const pool = createPool({ url, max: POOL, applicationName: 'shiji', role: APP_ROLE, log });
  const projectorPool = createPool({ url, max: POOL, applicationName: 'shiji-projector', role: APP_ROLE, statementTimeoutMs: 0, log });
  const journal = new PostgresJournal({ pool, now: Date.now });
  const journalId = await journal.identity();
  const key = Buffer.from(masterKey);
  const opener = new Opener(journalId, new Keyring(pool, [{ version: 1, key }]));
  const { tokens } = createSearchTokens(derivedKey(key, 'search tokens'));
  const engine = new ProjectionEngine({
    journal,
    codec: new EventCodec(journalId, eventDefinitions),
    pool: projectorPool,
    projections,
    personals: { openMany: (values) => opener.openMany(values), tokens },
    now: Date.now,
    log,
  });
  const { position: head } = await journal.head();
  const startedMs = performance.now();
  await engine.start();
  while (!(await isLive(engine, head))) await sleep(20);
  const seconds = (performance.now() - startedMs) / 1_000;
  await engine.stop();
  await journal.close();
  await Promise.all([pool.end(), projectorPool.end()]);
  return { seconds };
}

async function isLive(engine: ProjectionEngine, head: number): Promise<boolean> {
  const described = await engine.progress.describeProjections();
  const parked = described.find(({ parkedKeys }) => parkedKeys > 0);
  if (parked) throw new Error(`${parked.name} set rows aside: what was generated is not what the product would write`);
  return described.length === projections.length && described.every(({ status, position }) => status === 'live' && position >= head);
}
