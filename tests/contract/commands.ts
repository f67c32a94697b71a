// What the command handler must keep over every store of events: each store's test file calls this with a way to open it, and all
// print the same titles. The handler is src/commands/handler.ts; data keys are in Postgres whichever the store is.
import { randomBytes, randomUUID } from 'node:crypto';
import type { Pool } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { allCommands } from '../../src/commands/all.ts';
import { grantApproval } from '../../src/commands/approval.ts';
import type { AnyCommand } from '../../src/commands/command.ts';
import { registerCustomer } from '../../src/commands/customer.ts';
import { correctName } from '../../src/commands/customer-identity.ts';
import { FourEyes } from '../../src/commands/four-eyes.ts';
import { CommandHandler, type CommandRequest, type Outcome, TooMuchContention } from '../../src/commands/handler.ts';
import { NewerEvent } from '../../src/commands/streams.ts';
import {
  assignTicket,
  closeTicket,
  importTicket,
  openTicket,
  recordBreach,
  reopenTicket,
  resolveTicket,
  startTicket,
} from '../../src/commands/ticket.ts';
import { eventDefinitions } from '../../src/domain/events.ts';
import type { Actor } from '../../src/domain/kernel/event.ts';
import { EventCodec } from '../../src/journal/codec.ts';
import { type Journal, JournalUnavailable, type StoredEvent } from '../../src/journal/journal.ts';
import { Keyring, type MasterKey } from '../../src/journal/keyring.ts';
import { Opener } from '../../src/journal/sealing.ts';
import { createPool } from '../../src/postgres/pool.ts';
import type { OpenedStore } from './journal.ts';

export interface CommandStore extends OpenedStore {
  /** The database of the data keys, migrated; the journal's own where it keeps keys. */
  readonly keysUrl: string;
}

type Accepted = Extract<Outcome, { kind: 'accepted' }>;

const agent: Actor = { subject: 'chen', role: 'agent' };
const operations: Actor = { subject: 'ops', role: 'operations' };
const told = { type: 'complaint', priority: 'normal', channel: 'web', summary: 'Card swallowed' } as const;
const newKey = (): string => `key-${randomUUID()}`;

interface Asked extends Partial<CommandRequest> {
  readonly on?: string;
}

/** A request as the API would make it: parsed by the declaration's schemas. */
function requestOf(command: AnyCommand, body: unknown, { on, ...over }: Asked = {}): CommandRequest {
  return {
    params: command.params.parse(on === undefined ? {} : { ticketId: on }),
    body: command.body.parse(body),
    actor: agent,
    channel: 'rest',
    correlationId: 'contract',
    ...over,
  };
}

const accepted = (outcome: Outcome): Accepted => {
  if (outcome.kind !== 'accepted') throw new Error(`not accepted: ${JSON.stringify(outcome)}`);
  return outcome;
};
/** What a caller gets to see of an answer, which a retry must see again. */
const answer = (outcome: Outcome) => {
  const { id, commandId, created, events, revision, position } = accepted(outcome);
  return { id, commandId, created, events, revision, position };
};

/** The journal with some of its calls looked at or replaced. */
const wrapped = (journal: Journal, over: Partial<Journal>): Journal =>
  new Proxy(journal, {
    get: (target, name) => {
      const own = (over as Record<string | symbol, unknown>)[name] ?? Reflect.get(target, name);
      return typeof own === 'function' ? own.bind(target) : own;
    },
  });

export function commandContract(storeName: string, open: (options: { now: () => number }) => Promise<CommandStore>): void {
  describe(`commands over ${storeName}`, { timeout: 60_000 }, () => {
    let store: CommandStore;
    let journal: Journal;
    let other: Journal;
    let pool: Pool;
    let journalId: string;
    const master: MasterKey = { version: 1, key: randomBytes(32) };
    const now = (): number => Date.now();
    /** Two that live through the whole suite, on two connections; and any number of fresh ones, as after a restart. */
    let here: CommandHandler;
    let elsewhere: CommandHandler;

    const newHandler = (over: Journal = journal): CommandHandler => {
      const keyring = new Keyring(pool, [master]);
      return new CommandHandler({
        journal: over,
        codec: new EventCodec(journalId, eventDefinitions),
        keyring,
        opener: new Opener(journalId, keyring),
        now,
      });
    };
    const ask = (handler: CommandHandler, command: AnyCommand, body: unknown, over?: Asked): Promise<Outcome> =>
      handler.execute(command, requestOf(command, body, over));
    const streamOf = (id: string): Promise<readonly StoredEvent[]> => journal.readStream(`ticket-${id}`);
    const typesOf = async (id: string): Promise<string[]> => (await streamOf(id)).map(({ type }) => type);

    const opened = async (handler = here, over?: Asked): Promise<string> => accepted(await ask(handler, openTicket, told, over)).id;
    const assign = (handler: CommandHandler, on: string, to: string, over?: Asked): Promise<Outcome> =>
      ask(handler, assignTicket, { to }, { on, ...over });
    const start = (handler: CommandHandler, on: string, over?: Asked): Promise<Outcome> => ask(handler, startTicket, {}, { on, ...over });
    const resolve = (handler: CommandHandler, on: string, over?: Asked): Promise<Outcome> =>
      ask(handler, resolveTicket, { resolution: 'Card sent' }, { on, ...over });
    const close = (handler: CommandHandler, on: string, over?: Asked): Promise<Outcome> => ask(handler, closeTicket, {}, { on, ...over });

    beforeAll(async () => {
      store = await open({ now });
      journal = store.journal;
      other = store.another ? await store.another() : journal;
      pool = createPool({ url: store.keysUrl, max: 6, applicationName: 'shiji-test', role: 'shiji_app' });
      journalId = await journal.identity();
      here = newHandler();
      elsewhere = newHandler(other);
    }, 120_000);

    afterAll(async () => {
      if (other !== journal) await other?.close();
      await journal?.close();
      await pool?.end();
      await store?.close?.();
    }, 60_000);

    describe('a command', () => {
      it('that creates a ticket answers its id, revision 0 and its position', async () => {
        const outcome = accepted(await ask(here, openTicket, told));
        expect(outcome).toMatchObject({ created: true, repeated: false, events: 1, revision: 0 });
        const [event] = await streamOf(outcome.id);
        expect(event).toMatchObject({ type: 'TicketOpened', revision: 0, position: outcome.position });
        expect(event?.metadata).toContain(outcome.commandId);
      });

      it('on a ticket answers the next revision each time', async () => {
        const id = await opened();
        const outcomes = [await assign(here, id, 'chen'), await start(here, id), await resolve(here, id), await close(here, id)];
        expect(outcomes.map((outcome) => answer(outcome))).toMatchObject(
          [1, 2, 3, 4].map((revision) => ({ id, created: false, events: 1, revision })),
        );
        expect((await streamOf(id)).slice(1).map(({ position }) => position)).toStrictEqual(outcomes.map((outcome) => accepted(outcome).position));
      });

      it('is kept with who gave it, over which way in, and when: one time for the fact, its deadlines and the record', async () => {
        const clocked: number[] = [];
        const keyring = new Keyring(pool, [master]);
        const codec = new EventCodec(journalId, eventDefinitions);
        let at = Date.now();
        // A clock that is another at each look.
        const handler = new CommandHandler({
          journal,
          codec,
          keyring,
          opener: new Opener(journalId, keyring),
          now: () => {
            at += 7;
            clocked.push(at);
            return at;
          },
        });
        const actor = { subject: 'chen', role: 'agent', onBehalfOf: 'dai' };
        const id = await opened(handler, { actor, purpose: 'complaint', causationId: 'cause', correlationId: 'thread', channel: 'rest' });
        const [stored] = await streamOf(id);
        const event = codec.decode(stored as StoredEvent);
        expect(event).toMatchObject({
          actor,
          purpose: 'complaint',
          causationId: 'cause',
          correlationId: 'thread',
          channel: 'rest',
          command: { name: 'OpenTicket', version: 1 },
        });
        expect(event).toMatchObject({ data: { openedBy: 'chen', sla: { firstResponse: { startedAt: 'occurredAt' in event && event.occurredAt } } } });
        expect(clocked.map((ms) => new Date(ms).toISOString())).toContain('occurredAt' in event && event.occurredAt);
      });

      it('that asks for what is so already is accepted without an event, and decided again each time', async () => {
        const id = await opened();
        const key = newKey();
        await assign(here, id, 'dai');
        const outcome = accepted(await assign(here, id, 'dai', { key }));
        expect(outcome).toMatchObject({ created: false, repeated: false, events: 0, revision: 1, position: (await streamOf(id))[1]?.position });
        await assign(here, id, 'eve', { actor: operations });
        expect(accepted(await assign(here, id, 'dai', { key, actor: agent })).kind).toBe('accepted');
      });

      it('that is refused writes nothing, and is decided again each time', async () => {
        const id = await opened();
        const key = newKey();
        expect(await resolve(here, id, { key })).toMatchObject({ kind: 'refused', rejection: { rejected: 'TicketTransitionIllegal' } });
        expect(await typesOf(id)).toStrictEqual(['TicketOpened']);
        await start(here, id);
        expect(await resolve(here, id, { key })).toMatchObject({ kind: 'accepted', revision: 2, repeated: false });
        expect(await resolve(here, id, { key })).toMatchObject({ kind: 'accepted', revision: 2, repeated: true });
      });

      it('on a ticket that is not there is refused as such, and a timer’s is about nothing', async () => {
        const on = randomUUID();
        expect(await start(here, on)).toMatchObject({ kind: 'refused', rejection: { rejected: 'TicketNotFound' } });
        expect(
          await ask(
            here,
            recordBreach,
            { clock: 'resolution', dueAt: '2026-03-03T12:00:00.000Z' },
            { on, actor: { subject: 'shiji', role: 'system' } },
          ),
        ).toMatchObject({ kind: 'accepted', events: 0, revision: -1 });
        expect(await streamOf(on)).toStrictEqual([]);
      });

      it('on a ticket that the caller may not see finds none, also with If-Match', async () => {
        const id = await opened();
        await assign(here, id, 'dai', { actor: operations });
        const teller: Actor = { subject: 'bo', role: 'teller' };
        for (const handler of [here, elsewhere, newHandler()]) {
          expect(await start(handler, id, { actor: teller })).toStrictEqual({ kind: 'not-found' });
          expect(await start(handler, id, { actor: teller, expectedRevision: 99 })).toStrictEqual({ kind: 'not-found' });
        }
        expect(await typesOf(id)).toStrictEqual(['TicketOpened', 'TicketAssigned']);
      });
    });

    describe('the same key and body again', () => {
      /** A ticket opened under a key, and that question again. */
      async function openedUnder(): Promise<{
        key: string;
        first: ReturnType<typeof answer>;
        again: (handler: CommandHandler) => Promise<Outcome>;
        differing: (handler: CommandHandler) => Promise<Outcome>;
      }> {
        const key = newKey();
        const first = answer(await ask(here, openTicket, told, { key }));
        return {
          key,
          first,
          again: (handler) => ask(handler, openTicket, told, { key }),
          differing: (handler) => ask(handler, openTicket, { ...told, summary: 'Card lost' }, { key }),
        };
      }
      const expectAgain = async (outcome: Promise<Outcome>, first: ReturnType<typeof answer>): Promise<void> => {
        const got = accepted(await outcome);
        expect(answer(got)).toStrictEqual(first);
        expect(got.repeated).toBe(true);
      };

      it('gives the first answer again, here, elsewhere and after a restart, and writes nothing; with another body the key is used', async () => {
        const { first, again, differing } = await openedUnder();
        for (const handler of [here, elsewhere, newHandler(), newHandler(other)]) {
          await expectAgain(again(handler), first);
          expect(await differing(handler)).toStrictEqual({ kind: 'key-reused' });
        }
        // Cold, and the differing one comes first.
        const cold = newHandler();
        expect(await differing(cold)).toStrictEqual({ kind: 'key-reused' });
        await expectAgain(again(cold), first);
        expect(await typesOf(first.id)).toStrictEqual(['TicketOpened']);
      });

      it('gives it again after other commands followed, also where they would refuse it now', async () => {
        const { first, again, differing } = await openedUnder();
        const key = newKey();
        const started = answer(await start(here, first.id, { key }));
        await resolve(elsewhere, first.id);
        await close(elsewhere, first.id);
        for (const handler of [here, elsewhere, newHandler()]) {
          await expectAgain(again(handler), first);
          await expectAgain(start(handler, first.id, { key }), started);
          expect(await differing(handler)).toStrictEqual({ kind: 'key-reused' });
        }
        // Known before it is decided: without the key it is refused.
        expect(await start(newHandler(), first.id)).toMatchObject({ kind: 'refused' });
        expect(await typesOf(first.id)).toStrictEqual(['TicketOpened', 'TicketStarted', 'TicketResolved', 'TicketClosed']);
      });

      it('gives it again before If-Match is looked at', async () => {
        const { first } = await openedUnder();
        const key = newKey();
        const assigned = answer(await assign(here, first.id, 'dai', { key, expectedRevision: 0 }));
        await assign(here, first.id, 'chen', { actor: operations });
        for (const handler of [here, elsewhere, newHandler()]) {
          for (const expectedRevision of [0, 1, 2, 9]) await expectAgain(assign(handler, first.id, 'dai', { key, expectedRevision }), assigned);
          expect(await assign(handler, first.id, 'eve', { key, expectedRevision: 0 })).toStrictEqual({ kind: 'key-reused' });
          expect(await assign(handler, first.id, 'dai', { key: newKey(), expectedRevision: 0 })).toStrictEqual({ kind: 'moved', revision: 2 });
        }
      });

      it('gives it again before it is looked at who may see the ticket', async () => {
        const teller: Actor = { subject: 'bo', role: 'teller' };
        const key = newKey();
        const id = await opened(here, { actor: operations });
        await assign(here, id, 'bo', { actor: operations });
        const handed = answer(await assign(here, id, 'dai', { actor: teller, key }));
        for (const handler of [here, elsewhere, newHandler()]) {
          await expectAgain(assign(handler, id, 'dai', { actor: teller, key }), handed);
          expect(await assign(handler, id, 'dai', { actor: teller, key: newKey() })).toStrictEqual({ kind: 'not-found' });
        }
      });

      it('50 at once, over two connections, are one command with one answer', async () => {
        const key = newKey();
        const outcomes = await Promise.all(
          Array.from({ length: 50 }, (_, turn) => ask(turn % 2 === 0 ? here : elsewhere, openTicket, told, { key })),
        );
        const answers = outcomes.map(answer);
        expect(new Set(answers.map((one) => JSON.stringify(one))).size).toBe(1);
        expect(outcomes.filter((outcome) => !accepted(outcome).repeated)).toHaveLength(1);
        expect(await streamOf(answers[0]?.id ?? '')).toHaveLength(1);
      });

      it('50 at once on a ticket that others move as well are one command with one answer', async () => {
        const id = await opened();
        const key = newKey();
        const [repeated] = await Promise.all([
          Promise.all(Array.from({ length: 50 }, (_, turn) => assign(turn % 2 === 0 ? here : elsewhere, id, 'dai', { key, actor: operations }))),
          Promise.all(Array.from({ length: 10 }, (_, turn) => assign(turn % 2 === 0 ? here : elsewhere, id, `other-${turn}`, { actor: operations }))),
        ]);
        expect(new Set(repeated.map((outcome) => JSON.stringify(answer(outcome)))).size).toBe(1);
        const toDai = (await streamOf(id)).filter(({ data }) => data.includes('"dai"'));
        expect(toDai).toHaveLength(1);
      });

      it('one body 25 times and another 25 times at once: one of them is the command, the other finds the key used', async () => {
        const key = newKey();
        const outcomes = await Promise.all(
          Array.from({ length: 50 }, (_, turn) =>
            ask(turn % 4 < 2 ? here : elsewhere, openTicket, { ...told, summary: turn % 2 === 0 ? 'a' : 'b' }, { key }),
          ),
        );
        const kinds = Map.groupBy(outcomes, (_, turn) => turn % 2);
        const [even, odd] = [kinds.get(0) ?? [], kinds.get(1) ?? []].map((list) => [...new Set(list.map(({ kind }) => kind))]);
        expect([even, odd].toSorted()).toStrictEqual([['accepted'], ['key-reused']]);
      });

      it('gives the answer that was lost on its way', async () => {
        let losing = true;
        const lossy = wrapped(journal, {
          append: async (...args) => {
            const result = await journal.append(...args);
            if (!losing || !result.appended) return result;
            losing = false;
            throw new JournalUnavailable('the reply was lost');
          },
        });
        const handler = newHandler(lossy);
        const key = newKey();
        await expect(ask(handler, openTicket, told, { key })).rejects.toThrow(JournalUnavailable);
        const again = accepted(await ask(handler, openTicket, told, { key }));
        expect(again).toMatchObject({ created: true, repeated: true, revision: 0, events: 1 });
        expect(await ask(handler, openTicket, { ...told, summary: 'x' }, { key })).toStrictEqual({ kind: 'key-reused' });

        // On a ticket whose state was cached before the loss; others follow, and the same handler, another and a new one are asked.
        for (const [turn, by] of [handler, elsewhere, newHandler()].entries()) {
          losing = true;
          const own = newKey();
          const lost = { on: again.id, key: own, actor: operations };
          await expect(ask(handler, assignTicket, { to: `p-${turn}` }, lost)).rejects.toThrow(JournalUnavailable);
          if (turn > 0) await assign(elsewhere, again.id, `q-${turn}`, { actor: operations });
          expect(await ask(by, assignTicket, { to: 'another' }, lost)).toStrictEqual({ kind: 'key-reused' });
          const found = accepted(await ask(by, assignTicket, { to: `p-${turn}` }, lost));
          expect(found).toMatchObject({ repeated: true, events: 1, created: false });
          expect((await streamOf(again.id))[found.revision]?.data).toContain(`"p-${turn}"`);
          expect((await streamOf(again.id)).filter(({ data }) => data.includes(`"p-${turn}"`))).toHaveLength(1);
        }
      });

      it('does what was never done, where the request was lost on its way', async () => {
        let losing = true;
        const handler = newHandler(
          wrapped(journal, {
            append: async (...args) => {
              if (!losing) return journal.append(...args);
              losing = false;
              throw new JournalUnavailable('the request was lost');
            },
          }),
        );
        const key = newKey();
        await expect(ask(handler, openTicket, told, { key })).rejects.toThrow(JournalUnavailable);
        expect(await ask(handler, openTicket, told, { key })).toMatchObject({ kind: 'accepted', created: true, repeated: false });
      });

      it('does not mind in which order the sender put keys', async () => {
        const key = newKey();
        const line = { ...told, source: { system: 'cfpb', id: key }, receivedAt: '2026-03-02[America/New_York]', closed: true };
        const integration: Asked = { key, keyScope: 'feed:cfpb', actor: { subject: 'feeder', role: 'integration' } };
        const first = answer(await ask(here, importTicket, { ...line, details: { a: '1', b: '2' } }, integration));
        await expectAgain(ask(elsewhere, importTicket, { details: { b: '2', a: '1' }, ...line }, integration), first);
        expect(await ask(elsewhere, importTicket, { ...line, details: { a: '1', b: '3' } }, integration)).toStrictEqual({ kind: 'key-reused' });
      });

      it('is still known after what it said was erased', async () => {
        const { key, first, again } = await openedUnder();
        await new Keyring(pool, [master]).destroy(`ticket-${first.id}`, 'service', new Date().toISOString());
        await expectAgain(again(newHandler()), first);
        expect(await ask(newHandler(), openTicket, { ...told, summary: 'Whatever' }, { key })).toMatchObject({ kind: 'accepted', repeated: true });
        await expect(assign(newHandler(), first.id, 'dai')).rejects.toThrow('was destroyed');
      });
    });

    describe('another question under the same key', () => {
      it('is another command: of another subject, of another ticket, of another name', async () => {
        const key = newKey();
        const mine = accepted(await ask(here, openTicket, told, { key }));
        const theirs = accepted(await ask(here, openTicket, told, { key, actor: { subject: 'dai', role: 'agent' } }));
        expect([theirs.created, theirs.repeated, theirs.id === mine.id]).toStrictEqual([true, false, false]);
        for (const id of [mine.id, theirs.id]) {
          expect(await assign(here, id, 'chen', { key, actor: operations })).toMatchObject({ kind: 'accepted', events: 1, repeated: false });
          expect(await start(here, id, { key, actor: operations })).toMatchObject({ kind: 'accepted', events: 1, repeated: false });
          expect(await assign(elsewhere, id, 'eve', { key, actor: { subject: 'other', role: 'operations' } })).toMatchObject({
            kind: 'accepted',
            events: 1,
            repeated: false,
          });
        }
      });

      it('is one command for a scope of keys, whoever brings it', async () => {
        const key = newKey();
        const first = accepted(await ask(here, openTicket, told, { key, keyScope: 'feed:cfpb' }));
        const again = accepted(await ask(elsewhere, openTicket, told, { key, keyScope: 'feed:cfpb', actor: { subject: 'dai', role: 'agent' } }));
        expect([again.id, again.repeated]).toStrictEqual([first.id, true]);
        expect(accepted(await ask(here, openTicket, told, { key })).id).not.toBe(first.id);
      });

      it('without any key each is a command of its own', async () => {
        const ids = await Promise.all(Array.from({ length: 20 }, () => opened()));
        expect(new Set(ids).size).toBe(20);
      });
    });

    describe('If-Match', () => {
      it('lets the revision that the caller saw through, and tells where the ticket stands for any other', async () => {
        const id = await opened();
        await assign(here, id, 'dai', { actor: operations });
        for (const handler of [here, elsewhere, newHandler()]) {
          expect(await assign(handler, id, 'eve', { actor: operations, expectedRevision: 0 })).toStrictEqual({ kind: 'moved', revision: 1 });
          expect(await assign(handler, id, 'eve', { actor: operations, expectedRevision: 2 })).toStrictEqual({ kind: 'moved', revision: 1 });
        }
        expect(await assign(here, id, 'eve', { actor: operations, expectedRevision: 1 })).toMatchObject({ kind: 'accepted', revision: 2 });
        // Where it would change nothing, too.
        expect(await assign(here, id, 'eve', { actor: operations, expectedRevision: 1 })).toStrictEqual({ kind: 'moved', revision: 2 });
        expect(await assign(here, id, 'eve', { actor: operations, expectedRevision: 2 })).toMatchObject({ kind: 'accepted', events: 0, revision: 2 });
        expect(await assign(here, randomUUID(), 'eve', { expectedRevision: 0 })).toStrictEqual({ kind: 'moved', revision: -1 });
      });

      it('is asked of the ticket as it stands, not as it is remembered', async () => {
        const id = await opened();
        await assign(elsewhere, id, 'dai', { actor: operations });
        expect(await assign(here, id, 'eve', { actor: operations, expectedRevision: 0 })).toStrictEqual({ kind: 'moved', revision: 1 });
        await assign(elsewhere, id, 'fay', { actor: operations });
        expect(await assign(here, id, 'eve', { actor: operations, expectedRevision: 2 })).toMatchObject({ kind: 'accepted', revision: 3 });
      });

      it('lets exactly one of many through', async () => {
        const id = await opened();
        const outcomes = await Promise.all(
          Array.from({ length: 20 }, (_, turn) =>
            assign(turn % 2 === 0 ? here : elsewhere, id, `p-${turn}`, { actor: operations, expectedRevision: 0 }),
          ),
        );
        expect(outcomes.filter(({ kind }) => kind === 'accepted')).toHaveLength(1);
        expect(outcomes.filter(({ kind }) => kind === 'moved')).toHaveLength(19);
      });
    });

    describe('what is remembered of a ticket', () => {
      /** A ticket that `here` remembers as it was opened. */
      const remembered = (): Promise<string> => opened(here, { actor: operations });

      it('never refuses what is legal by now', async () => {
        const id = await remembered();
        await start(elsewhere, id);
        expect(await resolve(here, id, { actor: operations })).toMatchObject({ kind: 'accepted', revision: 2 });
      });
      it('never lets through what is illegal by now', async () => {
        const id = await remembered();
        await start(elsewhere, id, { actor: operations });
        await resolve(elsewhere, id, { actor: operations });
        expect(await assign(here, id, 'dai', { actor: operations })).toMatchObject({
          kind: 'refused',
          rejection: { rejected: 'TicketTransitionIllegal' },
        });
        expect(await typesOf(id)).toStrictEqual(['TicketOpened', 'TicketStarted', 'TicketResolved']);
      });
      it('never says that something is so already when it no longer is', async () => {
        const id = await remembered();
        await assign(here, id, 'dai', { actor: operations });
        await assign(elsewhere, id, 'eve', { actor: operations });
        expect(await assign(here, id, 'dai', { actor: operations })).toMatchObject({ kind: 'accepted', events: 1, revision: 3 });
      });
      it('never decides by rights of before', async () => {
        const id = await remembered();
        const teller: Actor = { subject: 'bo', role: 'teller' };
        expect(await start(here, id, { actor: teller })).toStrictEqual({ kind: 'not-found' });
        await assign(elsewhere, id, 'bo', { actor: operations });
        expect(await start(here, id, { actor: teller })).toMatchObject({ kind: 'accepted', revision: 2 });
        await assign(elsewhere, id, 'dai', { actor: operations });
        expect(await assign(here, id, 'eve', { actor: teller })).toStrictEqual({ kind: 'not-found' });
      });
      it('is brought up to date by what it meets, over many pages', async () => {
        const id = await remembered();
        // More than the handler reads at a time.
        for (let turn = 0; turn < 12; turn += 1) await assign(elsewhere, id, `p-${turn}`, { actor: operations });
        expect(await assign(here, id, 'dai', { actor: operations })).toMatchObject({ kind: 'accepted', revision: 13 });
        expect(await assign(newHandler(), id, 'eve', { actor: operations })).toMatchObject({ kind: 'accepted', revision: 14 });
      });
    });

    describe('a ticket that many move', () => {
      it('takes 100 commands at once over two connections, all of them in some order', async () => {
        const id = await opened();
        const outcomes = await Promise.all(
          Array.from({ length: 100 }, (_, turn) => assign(turn % 2 === 0 ? here : elsewhere, id, `p-${turn}`, { actor: operations, key: newKey() })),
        );
        const revisions = outcomes.map((outcome) => accepted(outcome).revision);
        expect(revisions.toSorted((a, b) => a - b)).toStrictEqual(Array.from({ length: 100 }, (_, index) => index + 1));
        const stored = await streamOf(id);
        expect(stored).toHaveLength(101);
        for (const [turn, revision] of revisions.entries()) expect(stored[revision]?.data).toContain(`"p-${turn}"`);
      });

      it('lets another process have its turn, however busy it is kept', async () => {
        const id = await opened();
        let isOver = false;
        let moved = 0;
        const busy = Array.from({ length: 12 }, async () => {
          while (!isOver) {
            await assign(elsewhere, id, `busy-${moved}`, { actor: operations });
            moved += 1;
          }
        });
        // From cold: it has to read what the other has written, and lose a race for each turn it comes late.
        const rare = newHandler();
        const outcomes: Outcome[] = [];
        try {
          for (let turn = 0; turn < 5; turn += 1) outcomes.push(await assign(rare, id, `rare-${turn}`, { actor: operations }));
        } finally {
          isOver = true;
          await Promise.all(busy);
        }
        expect(outcomes.map(({ kind }) => kind)).toStrictEqual(Array.from({ length: 5 }, () => 'accepted'));
        expect(moved).toBeGreaterThan(5);
      });

      it('costs one call of the journal a command once it is remembered', async () => {
        const calls: string[] = [];
        const counting = wrapped(journal, {
          append: (...args) => {
            calls.push('append');
            return journal.append(...args);
          },
          readStream: (...args) => {
            calls.push('readStream');
            return journal.readStream(...args);
          },
        });
        const handler = newHandler(counting);
        const id = await opened(handler);
        expect(calls).toStrictEqual(['append']);
        for (let turn = 0; turn < 5; turn += 1) await assign(handler, id, `p-${turn}`, { actor: operations });
        expect(calls).toStrictEqual(Array.from({ length: 6 }, () => 'append'));
        // Where the store can't tell a first time from a repetition, a command under a key looks once.
        calls.length = 0;
        const probe = await journal.append(`probe-${randomUUID()}`, 'no-stream', [{ id: randomUUID(), type: 'Probed', data: '{}', metadata: '{}' }]);
        const tells = probe.appended && probe.repeated !== undefined;
        await assign(handler, id, 'dai', { actor: operations, key: newKey() });
        expect(calls).toStrictEqual(tells ? ['append'] : ['append', 'readStream']);
      });

      it('is given up where it keeps moving under every try, and the caller told', async () => {
        const id = await opened();
        let tries = 0;
        const moving = wrapped(journal, {
          append: async (stream, expected) => {
            tries += 1;
            return { appended: false, revision: (expected === 'no-stream' ? -1 : expected) + 1, stream };
          },
        });
        await expect(assign(newHandler(moving), id, 'dai', { actor: operations })).rejects.toThrow(TooMuchContention);
        expect(tries).toBe(100);
        expect(await typesOf(id)).toStrictEqual(['TicketOpened']);
      });

      it('does not hold up its next command when one fails', async () => {
        const id = await opened();
        let failing = true;
        const handler = newHandler(
          wrapped(journal, {
            append: async (...args) => {
              if (failing) throw new JournalUnavailable('away');
              return journal.append(...args);
            },
          }),
        );
        const [first, second] = [assign(handler, id, 'dai', { actor: operations }), assign(handler, id, 'eve', { actor: operations })];
        await expect(first).rejects.toThrow('away');
        failing = false;
        await expect(second.catch(() => assign(handler, id, 'eve', { actor: operations }))).resolves.toMatchObject({ kind: 'accepted' });
      });
    });

    describe('an event of a newer program', () => {
      const assigned = (id: string, schema: number, type = 'TicketAssigned') => ({
        id: randomUUID(),
        type,
        data: JSON.stringify({ ticketId: id, assignee: 'dai' }),
        metadata: JSON.stringify({
          schema,
          occurredAt: new Date().toISOString(),
          actor: agent,
          channel: 'rest',
          command: { id: randomUUID(), name: 'AssignTicket', version: 1 },
          bodyHash: '',
          $correlationId: 'x',
        }),
      });
      it.each([
        ['a type', 1, 'TicketTeleported'],
        ['a version', 9, 'TicketAssigned'],
      ])('of %s that this one does not know stops it from deciding', async (_, schema, type) => {
        const id = await opened();
        await journal.append(`ticket-${id}`, 0, [assigned(id, schema, type)]);
        const sentence = `ticket-${id} holds a ${type} of version ${schema}, which this program does not know`;
        for (const handler of [here, newHandler()]) {
          await expect(start(handler, id)).rejects.toThrow(new NewerEvent(sentence));
          await expect(resolve(handler, id)).rejects.toThrow(NewerEvent);
        }
        expect(await streamOf(id)).toHaveLength(2);
      });
      it('an older version is upcast and decided on', async () => {
        const id = await opened();
        const { assignee: _, ...rest } = { ...assigned(id, 1), assignee: '' };
        await journal.append(`ticket-${id}`, 0, [{ ...rest, data: JSON.stringify({ ticketId: id, to: 'dai' }) }]);
        expect(await assign(newHandler(), id, 'dai', { actor: operations })).toMatchObject({ kind: 'accepted', events: 0, revision: 1 });
      });
    });

    describe('a change that waits for approval', () => {
      const ask = (subject: string, more: object): Omit<CommandRequest, 'params' | 'body'> => ({
        actor: { subject, role: 'operations' },
        channel: 'rest',
        correlationId: 'contract',
        ...more,
      });
      const fourEyesOver = (handler: CommandHandler, over: Journal): FourEyes => {
        const opener = new Opener(journalId, new Keyring(pool, [master]));
        const codec = new EventCodec(journalId, eventDefinitions);
        return new FourEyes({ handler, journal: over, codec, opener, now, commands: allCommands([]) });
      };

      it('is proposed once under a key, and carried out once, by however many at once', async () => {
        const processes = [fourEyesOver(here, journal), fourEyesOver(elsewhere, other)] as const;
        const body = registerCustomer.body.parse({ kind: 'person', name: '王小明' });
        const { id: customerId } = accepted(await here.execute(registerCustomer, { params: {}, body, ...ask('li', {}) }));
        const key = newKey();
        const propose = (fourEyes: FourEyes, name: string): Promise<Outcome> =>
          fourEyes.execute(correctName, {
            params: { customerId },
            body: correctName.body.parse({ name, reason: 'card seen' }),
            ...ask('li', { key }),
          });
        // Two bodies race for one key: one is proposed, however often, and the other refused.
        const racing = await Promise.all(
          Array.from({ length: 16 }, (_, index) => propose(processes[index % 2] as FourEyes, `王${(index + (index >> 1)) % 2}`)),
        );
        const kinds = racing.map(({ kind }) => kind);
        expect([kinds.filter((kind) => kind === 'proposed').length, kinds.filter((kind) => kind === 'key-reused').length]).toStrictEqual([8, 8]);
        const ids = new Set(racing.flatMap((outcome) => (outcome.kind === 'proposed' ? [outcome.id] : [])));
        expect(ids.size).toBe(1);
        const [approvalId = ''] = ids;
        accepted(await elsewhere.execute(grantApproval, { params: { approvalId }, body: {}, ...ask('olga', {}) }));
        const done = await Promise.all(Array.from({ length: 8 }, (_, index) => (processes[index % 2] as FourEyes).carryOut(approvalId)));
        expect(done.some(({ state }) => state.status === 'carried-out')).toBe(true);
        const types = async (stream: string) => (await journal.readStream(stream)).map(({ type }) => type);
        expect(await types(`customer-${customerId}`)).toStrictEqual(['CustomerRegistered', 'NameCorrected']);
        expect(await types(`approval-${approvalId}`)).toStrictEqual(['ApprovalRequested', 'ApprovalGranted', 'ApprovalCarriedOut']);
      });
    });

    it('after the store was restarted, answers are what they were and commands go on', async () => {
      const key = newKey();
      const first = answer(await ask(here, openTicket, told, { key }));
      await store.restart?.();
      const untilThere = async (run: () => Promise<Outcome>): Promise<Outcome> => {
        for (let turn = 0; ; turn += 1) {
          try {
            return await run();
          } catch (error) {
            if (!(error instanceof JournalUnavailable) || turn > 100) throw error;
            await new Promise((done) => setTimeout(done, 100));
          }
        }
      };
      for (const handler of [here, elsewhere, newHandler()]) {
        expect(answer(await untilThere(() => ask(handler, openTicket, told, { key })))).toStrictEqual(first);
      }
      expect(await untilThere(() => start(here, first.id, { key }))).toMatchObject({ kind: 'accepted', revision: 1 });
      expect(await untilThere(() => ask(elsewhere, reopenTicket, {}, { on: first.id }))).toMatchObject({ kind: 'refused' });
    });
  });
}
