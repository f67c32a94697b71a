// What only one customer may have, over every store of events: each store's test file calls this. The claims are in Postgres on any of
// them (src/claims/), and what they lead to goes through the store.
import { randomBytes, randomInt, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PostgresClaims } from '../../src/claims/postgres-claims.ts';
import { rebuildClaims } from '../../src/claims/rebuild.ts';
import type { AnyCommand } from '../../src/commands/command.ts';
import { registerCustomer } from '../../src/commands/customer.ts';
import { addDocument, withdrawDocument } from '../../src/commands/customer-identity.ts';
import { CommandHandler, type CommandHandlerParts, type CommandRequest, type Outcome } from '../../src/commands/handler.ts';
import { eventDefinitions } from '../../src/domain/events.ts';
import { EventCodec } from '../../src/journal/codec.ts';
import { AppendTooLarge, type Journal, JournalUnavailable } from '../../src/journal/journal.ts';
import { Keyring, type MasterKey } from '../../src/journal/keyring.ts';
import { Opener } from '../../src/journal/sealing.ts';
import { createPool } from '../../src/postgres/pool.ts';
import type { CommandStore } from './commands.ts';

/** How old a claim without its facts is before another may have it: short, so that tests need not wait. */
const PATIENCE_MS = 300;

type Accepted = Extract<Outcome, { kind: 'accepted' }>;

const passport = () => ({ type: 'passport', number: `E${randomInt(1e8, 1e9)}` }) as const;
const accepted = (outcome: Outcome): Accepted => {
  if (outcome.kind !== 'accepted') throw new Error(`not accepted: ${JSON.stringify(outcome)}`);
  return outcome;
};
const codeOf = (outcome: Outcome): string => (outcome.kind === 'refused' ? outcome.rejection.rejected : outcome.kind);

export function claimsContract(storeName: string, open: (options: { now: () => number }) => Promise<CommandStore>): void {
  describe(`claims over ${storeName}`, { timeout: 60_000 }, () => {
    let store: CommandStore;
    let journal: Journal;
    let pool: Pool;
    let journalId: string;
    let claims: PostgresClaims;
    let here: CommandHandler;
    let elsewhere: CommandHandler;
    const master: MasterKey = { version: 1, key: randomBytes(32) };
    const codec = () => new EventCodec(journalId, eventDefinitions);

    const newHandler = (over: Partial<CommandHandlerParts> = {}): CommandHandler => {
      const keyring = new Keyring(pool, [master]);
      const opener = new Opener(journalId, keyring);
      return new CommandHandler({ journal, codec: codec(), keyring, opener, now: Date.now, claims, claimPatienceMs: PATIENCE_MS, ...over });
    };
    const register = (handler: CommandHandler, documents: readonly object[], over: Partial<CommandRequest> = {}): Promise<Outcome> =>
      handler.execute(registerCustomer, {
        params: {},
        body: registerCustomer.body.parse({ kind: 'person', name: '王小明', documents }),
        actor: { subject: 'li', role: 'teller' },
        channel: 'rest',
        correlationId: 'contract',
        ...over,
      });
    const typesOf = async (id: string): Promise<string[]> => (await journal.readStream(`customer-${id}`)).map(({ type }) => type);
    /** The journal with its appends looked at, held up or lost. */
    const appending = (append: Journal['append']): Journal =>
      new Proxy(journal, { get: (inner, name) => (name === 'append' ? append : bound(inner, name)) });
    const bound = (inner: Journal, name: string | symbol): unknown => {
      const member: unknown = Reflect.get(inner, name);
      return typeof member === 'function' ? member.bind(inner) : member;
    };
    const failingToRead = (): Journal =>
      new Proxy(journal, {
        get: (inner, name) => (name === 'readStream' ? async () => Promise.reject(new JournalUnavailable('gone')) : bound(inner, name)),
      });
    /** Registers, and goes down after the claim and before the event: the id of the customer that never came. */
    const crashed = async (documents: readonly object[], key?: string): Promise<string> => {
      let id = '';
      const handler = newHandler({
        journal: appending(async (stream) => {
          id = stream.slice('customer-'.length);
          throw new JournalUnavailable('gone');
        }),
      });
      await expect(register(handler, documents, key === undefined ? {} : { key })).rejects.toThrow('gone');
      return id;
    };

    beforeAll(async () => {
      store = await open({ now: Date.now });
      journal = store.journal;
      pool = createPool({ url: store.keysUrl, max: 8, applicationName: 'shiji-test', role: 'shiji_app' });
      journalId = await journal.identity();
      claims = new PostgresClaims(pool, Buffer.alloc(32, 9));
      here = newHandler();
      elsewhere = newHandler();
    }, 120_000);

    afterAll(async () => {
      await journal?.close();
      await pool?.end();
      await store?.close?.();
    }, 60_000);

    it('of 64 who register the same document at once exactly one does, and 63 are told', async () => {
      const document = passport();
      const outcomes = await Promise.all(Array.from({ length: 64 }, (_, turn) => register(turn % 2 === 0 ? here : elsewhere, [document])));
      const codes = outcomes.map(codeOf);
      expect(codes.filter((code) => code === 'accepted')).toHaveLength(1);
      expect(codes.filter((code) => code === 'ClaimTaken')).toHaveLength(63);
      const winner = accepted(outcomes[codes.indexOf('accepted')] as Outcome).id;
      expect(await claims.holderOf([{ kind: 'document', value: `passport|CN|${document.number}` }])).toStrictEqual([winner]);
    });

    it('a refusal names the document in the body and nobody who has it, and claims nothing', async () => {
      const [known, fresh] = [passport(), passport()];
      const { id } = accepted(await register(here, [known]));
      const refused = await register(here, [fresh, { ...known, number: ` ${known.number.toLowerCase()} ` }]);
      expect(refused).toStrictEqual({
        kind: 'refused',
        rejection: {
          rejected: 'ClaimTaken',
          detail: 'The bank knows a customer with this document: ask operations.',
          pointer: '/documents/1/number',
        },
      });
      expect(JSON.stringify(refused)).not.toContain(id);
      expect(codeOf(await register(here, [fresh]))).toBe('accepted');
    });

    it('two documents are had together or not at all', async () => {
      const [one, two] = [passport(), passport()];
      const outcomes = await Promise.all(
        Array.from({ length: 16 }, (_, turn) => register(turn % 2 === 0 ? here : elsewhere, turn % 4 < 2 ? [one, two] : [two, one])),
      );
      const codes = outcomes.map(codeOf);
      expect(codes.filter((code) => code === 'accepted')).toHaveLength(1);
      const winner = accepted(outcomes[codes.indexOf('accepted')] as Outcome).id;
      const held = await claims.holderOf([one, two].map(({ number }) => ({ kind: 'document', value: `passport|CN|${number}` })));
      expect(held).toStrictEqual([winner, winner]);
    });

    it('the same request again is the same customer, also from another process', async () => {
      const key = `key-${randomUUID()}`;
      const documents = [passport()];
      const first = accepted(await register(here, documents, { key }));
      for (const handler of [here, elsewhere, newHandler()])
        expect(accepted(await register(handler, documents, { key }))).toMatchObject({ id: first.id, repeated: true, revision: 0 });
    });

    it('a crash between claim and event is finished by its own retry', async () => {
      const key = `key-${randomUUID()}`;
      const documents = [passport()];
      const id = await crashed(documents, key);
      expect(accepted(await register(here, documents, { key })).id).toBe(id);
      expect(await typesOf(id)).toStrictEqual(['CustomerRegistered']);
    });

    it('a crash between claim and event is taken over by the next, who waits while it is fresh', async () => {
      const document = passport();
      const lost = await crashed([document, passport()]);
      const startedMs = performance.now();
      const { id } = accepted(await register(here, [document]));
      expect(performance.now() - startedMs).toBeGreaterThan(PATIENCE_MS * 0.8);
      expect(await typesOf(lost)).toStrictEqual(['RegistrationAbandoned']);
      expect(await typesOf(id)).toStrictEqual(['CustomerRegistered']);
      expect(codeOf(await register(elsewhere, [document]))).toBe('ClaimTaken');
    });

    it('of many who take over one does', async () => {
      const document = passport();
      await crashed([document]);
      const outcomes = await Promise.all(Array.from({ length: 16 }, (_, turn) => register(turn % 2 === 0 ? here : elsewhere, [document])));
      expect(outcomes.map(codeOf).filter((code) => code === 'accepted')).toHaveLength(1);
    });

    it('a late writer finds its stream closed, and is told to send it again under another key', async () => {
      const document = passport();
      const key = `key-${randomUUID()}`;
      let resume = (): void => {};
      const held = new Promise<void>((resolve) => {
        resume = resolve;
      });
      let late = '';
      const slow = newHandler({
        journal: appending(async (stream, ...rest) => {
          late = stream.slice('customer-'.length);
          await held;
          return journal.append(stream, ...rest);
        }),
      });
      const writing = register(slow, [document], { key });
      while (late === '') await sleep(5);
      const { id } = accepted(await register(here, [document]));
      resume();
      expect(codeOf(await writing)).toBe('RegistrationAbandoned');
      expect(await typesOf(late)).toStrictEqual(['RegistrationAbandoned']);
      for (const handler of [here, newHandler()]) expect(codeOf(await register(handler, [document], { key }))).toBe('RegistrationAbandoned');
      expect(codeOf(await register(here, [passport()], { key: `key-${randomUUID()}` }))).toBe('accepted');
      expect(await claims.holderOf([{ kind: 'document', value: `passport|CN|${document.number}` }])).toStrictEqual([id]);
    });

    it('a registration that comes just before it would be given up stands', async () => {
      const document = passport();
      let resume = (): void => {};
      const held = new Promise<void>((resolve) => {
        resume = resolve;
      });
      let reached = false;
      let appended = false;
      const slow = newHandler({
        journal: appending(async (...args) => {
          reached = true;
          await held;
          const result = await journal.append(...args);
          appended = true;
          return result;
        }),
      });
      const writing = register(slow, [document]);
      while (!reached) await sleep(5);
      // Whoever takes over is held up just before closing the stream, until the other has come.
      const taking = newHandler({
        journal: appending(async (stream, expected, events, key) => {
          if (events[0]?.type === 'RegistrationAbandoned') {
            resume();
            while (!appended) await sleep(5);
          }
          return journal.append(stream, expected, events, key);
        }),
      });
      expect(codeOf(await register(taking, [document]))).toBe('ClaimTaken');
      const { id } = accepted(await writing);
      expect(await typesOf(id)).toStrictEqual(['CustomerRegistered']);
    });

    it('a claim is free again after a refusal that is known', async () => {
      const document = passport();
      const refused = await register(here, [document], {
        actor: { subject: 'rm-1', role: 'rm' },
        body: registerCustomer.body.parse({ kind: 'person', name: '王小明', documents: [document], manager: 'rm-2' }),
      });
      expect(codeOf(refused)).toBe('ManagerNotYou');
      expect(await claims.holderOf([{ kind: 'document', value: `passport|CN|${document.number}` }])).toStrictEqual([undefined]);
    });

    it('a claim is given back where it is known that nothing was written, and another need not wait', async () => {
      const document = passport();
      const refusing = newHandler({
        journal: appending(async () => {
          throw new AppendTooLarge(2_000_000);
        }),
      });
      await expect(register(refusing, [document])).rejects.toThrow(AppendTooLarge);
      expect(await claims.holderOf([{ kind: 'document', value: `passport|CN|${document.number}` }])).toStrictEqual([undefined]);
      // What was the customer's before stays theirs.
      const key = `key-${randomUUID()}`;
      const { id } = accepted(await register(here, [document], { key }));
      await expect(register(newHandler({ journal: failingToRead() }), [document], { key })).rejects.toThrow(JournalUnavailable);
      expect(await claims.holderOf([{ kind: 'document', value: `passport|CN|${document.number}` }])).toStrictEqual([id]);
    });

    describe('a document of a customer who is there', () => {
      const holder = async ({ number }: { readonly number: string }) =>
        (await claims.holderOf([{ kind: 'document', value: `passport|CN|${number}` }]))[0];
      const maintain = (handler: CommandHandler, command: AnyCommand, customerId: string, body: object, more: object = {}): Promise<Outcome> =>
        handler.execute(command, {
          params: { customerId, ...more },
          body: command.body.parse({ ...body, reason: 'seen at the counter' }),
          actor: { subject: 'ops', role: 'operations' },
          channel: 'rest',
          correlationId: 'contract',
        });
      const withdraw = (handler: CommandHandler, customerId: string, because: string, documentId = '1') =>
        maintain(handler, withdrawDocument, customerId, { because }, { documentId });
      const rebuild = () => rebuildClaims({ pool, journal, codec: codec(), opener: new Opener(journalId, new Keyring(pool, [master])), claims });

      it('is claimed by who adds it, and by one of those who race for it', async () => {
        const document = passport();
        const ids = await Promise.all([here, elsewhere, here, elsewhere].map(async (handler) => accepted(await register(handler, [])).id));
        const outcomes = await Promise.all(ids.map((id, index) => maintain(index % 2 === 0 ? here : elsewhere, addDocument, id, document)));
        const codes = outcomes.map(codeOf);
        expect(codes.toSorted()).toStrictEqual(['ClaimTaken', 'ClaimTaken', 'ClaimTaken', 'accepted']);
        expect(await holder(document)).toBe(ids[codes.indexOf('accepted')]);
        expect(outcomes.find(({ kind }) => kind === 'refused')).toMatchObject({ rejection: { pointer: '/number' } });
      });

      it('is free once it was withdrawn as a mistake, and stays theirs where it only is not valid any more', async () => {
        const [mistaken, lost] = [passport(), passport()];
        const { id } = accepted(await register(here, [mistaken, lost]));
        expect(codeOf(await withdraw(here, id, 'entered-by-mistake', '1'))).toBe('accepted');
        expect(codeOf(await withdraw(here, id, 'not-valid', '2'))).toBe('accepted');
        expect([await holder(mistaken), await holder(lost)]).toStrictEqual([undefined, id]);
        const other = accepted(await register(elsewhere, [mistaken])).id;
        expect(codeOf(await register(elsewhere, [lost]))).toBe('ClaimTaken');
        // However the table is lost, each has what is theirs.
        await pool.query('delete from claims.holders');
        await rebuild();
        expect([await holder(mistaken), await holder(lost)]).toStrictEqual([other, id]);
      });

      it('is freed at the next start where a crash came between its withdrawal and that', async () => {
        const document = passport();
        const { id } = accepted(await register(here, [document]));
        await rebuild();
        const failing = (): Promise<never> => Promise.reject(new Error('the database is gone'));
        const dying = newHandler({
          claims: {
            holderOf: (wanted) => claims.holderOf(wanted),
            take: (by, wanted) => claims.take(by, wanted),
            release: (taken) => claims.release(taken),
            lastTaken: (by) => claims.lastTaken(by),
            drop: (by, until) => claims.drop(by, until),
            free: failing,
          },
        });
        await expect(withdraw(dying, id, 'entered-by-mistake')).rejects.toThrow('the database is gone');
        expect(await holder(document)).toBe(id);
        await rebuild();
        expect(await holder(document)).toBeUndefined();
        // Entered anew it is theirs again, and a start that reads the withdrawal once more takes nothing from them.
        expect(codeOf(await maintain(here, addDocument, id, document))).toBe('accepted');
        await pool.query('delete from claims.progress');
        await rebuild();
        expect(await holder(document)).toBe(id);
      });
    });

    it('a table that was lost is made whole from the journal, and refuses what it refused before', async () => {
      const documents = [passport(), passport()];
      const { id } = accepted(await register(here, documents));
      await pool.query('delete from claims.holders');
      const opener = new Opener(journalId, new Keyring(pool, [master]));
      expect(await rebuildClaims({ pool, journal, codec: codec(), opener, claims })).toBeGreaterThan(0);
      for (const document of documents) expect(codeOf(await register(here, [document]))).toBe('ClaimTaken');
      expect(await claims.holderOf(documents.map(({ number }) => ({ kind: 'document', value: `passport|CN|${number}` })))).toStrictEqual([id, id]);
      // From there on only what came since is read.
      const next = passport();
      accepted(await register(here, [next]));
      await claims.drop((await claims.holderOf([{ kind: 'document', value: `passport|CN|${next.number}` }]))[0] ?? '', 'infinity');
      expect(await rebuildClaims({ pool, journal, codec: codec(), opener, claims })).toBe(1);
      expect(codeOf(await register(elsewhere, [next]))).toBe('ClaimTaken');
    });
  });
}
