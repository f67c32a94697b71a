// What happens around a registration by staff: whoever is like a customer that the caller may see is refused with them, until the caller
// says why it is another. Afterwards every pair found, of hidden customers too, goes to the queue of operations, when the answer has left:
// neither its bytes nor its time tell of whom one may not see.
import { setImmediate } from 'node:timers/promises';
import type { FastifyRequest } from 'fastify';
import { approvalIdOf, commandIdOf, createdIdOf } from '../commands/command-id.ts';
import { type RegisterBody, registerCustomer } from '../commands/customer.ts';
import type { CommandHandler, CommandRequest, Outcome } from '../commands/handler.ts';
import { recordSimilarity } from '../commands/matching.ts';
import { documentClaims } from '../domain/customer/documents.ts';
import type { Actor } from '../domain/kernel/event.ts';
import { pairOf } from '../domain/matching/pair.ts';
import { SIMILAR_FROM } from '../domain/matching/score.ts';
import { weightsVersion } from '../domain/matching/weights.ts';
import type { JournalReader } from '../journal/journal.ts';
import type { Logger } from '../logging.ts';
import { codeOf, UNDEFINED_TABLE } from '../postgres/sqlstate.ts';
import { profileOf } from '../projections/customers/profile.ts';
import { type Among, amongFor, type LikelySame, type LikelySameParts, likelySame } from '../views/likely-same.ts';
import { type AfterParts, waitForAfter } from './after.ts';
import { Problem } from './problems.ts';
import type { ReadRecorder } from './read-record.ts';
import { hitOf, MOST_HITS } from './similar-hits.ts';

export interface SimilarAtEntryParts extends LikelySameParts, AfterParts {
  readonly handler: Pick<CommandHandler, 'execute'>;
  readonly journal: JournalReader;
  readonly recorder: Pick<ReadRecorder, 'recordRead'>;
  readonly log: Logger;
}

type Entered = Pick<CommandRequest, 'body' | 'actor' | 'correlationId'>;
type Registered = Pick<Extract<Outcome, { kind: 'accepted' }>, 'id' | 'position'>;

/** The read models in which someone alike is looked for. */
export const LOOKED_AT = ['customers', 'match_keys'] as const;
const CATCH_UP_MS = 5_000;
const system: Actor = { subject: 'shiji', role: 'system' };

export class SimilarAtEntry {
  readonly #parts: SimilarAtEntryParts;
  readonly #underWay = new Set<Promise<void>>();

  constructor(parts: SimilarAtEntryParts) {
    this.#parts = parts;
  }

  /** Around `run`, which registers. @throws Problem SimilarCustomers */
  async around(asked: CommandRequest, request: FastifyRequest, run: () => Promise<Outcome>): Promise<Outcome> {
    const body = asked.body as RegisterBody;
    if (isNameAlone(body)) return run();
    const after = request.headers['shiji-after'];
    if (after !== undefined) await waitForAfter(after, asked.actor, LOOKED_AT, this.#parts);
    const visible = await this.#alike(body, amongFor(asked.actor));
    if (body.confirmNotDuplicate === undefined && visible.length > 0 && !holdsDocument(visible, body) && !(await this.#isDone(asked))) {
      const shown = visible.slice(0, MOST_HITS);
      await this.#parts.recorder.recordRead(request, { ids: shown.map(({ id }) => id), fields: [], purpose: 'registers a customer' });
      throw new Problem('SimilarCustomers', undefined, {
        errors: [{ pointer: '/confirmNotDuplicate', detail: 'missing: say in `reason` why it is another customer, if it is' }],
        members: { similar: shown.map(hitOf) },
      });
    }
    const outcome = await run();
    if (outcome.kind === 'accepted') this.#follow(asked, outcome, async () => visible);
    return outcome;
  }

  /** Where it waited for another's approval, whoever asked for it is not warned again; what is found goes to the queue all the same. */
  afterApproval(asked: Entered, outcome: Registered): void {
    const body = asked.body as RegisterBody;
    if (!isNameAlone(body)) this.#follow(asked, outcome, () => this.#alike(body, amongFor(asked.actor)));
  }

  /** When all pairs found so far are recorded. */
  async rest(): Promise<void> {
    await Promise.all(this.#underWay);
  }

  async #alike(body: RegisterBody, among: Among): Promise<readonly LikelySame[]> {
    try {
      return await likelySame(this.#parts, body, among, SIMILAR_FROM);
    } catch (error) {
      // A projector of before this read model is still at work: nobody is kept from being a customer by that.
      if (codeOf(error) !== UNDEFINED_TABLE) throw error;
      this.#parts.log.warn({ err: error }, 'a new customer was not compared with those who are here: the read models for it are not built yet');
      return [];
    }
  }

  /** Under this key they were registered already, so the first answer is given again. */
  async #isDone({ actor, key, keyScope }: CommandRequest): Promise<boolean> {
    if (key === undefined) return false;
    const commandId = commandIdOf(keyScope ?? actor.subject, registerCustomer.name, '', key);
    // Where it waits for approval, or waited, the answer is the proposal.
    for (const stream of [`customer-${createdIdOf(commandId)}`, `approval-${approvalIdOf(commandId)}`])
      if ((await this.#parts.journal.readStream(stream, { limit: 1 })).length > 0) return true;
    return false;
  }

  async #recordPairs(asked: Entered, { id, position }: Registered, findVisible: () => Promise<readonly LikelySame[]>): Promise<void> {
    const body = asked.body as RegisterBody;
    // Whoever was entered just before, too soon for a warning, is seen by now.
    await this.#parts.progress.waitUntil(LOOKED_AT, position, CATCH_UP_MS);
    const all = await this.#alike(body, {});
    const visible = new Set((await findVisible()).map((other) => other.id));
    const denial = body.confirmNotDuplicate && { by: asked.actor.subject, reason: body.confirmNotDuplicate.reason };
    for (const { id: other, score, reasons } of all) {
      if (other === id) continue;
      await this.#parts.handler.execute(recordSimilarity, {
        params: { pair: pairOf(id, other) },
        body: {
          entered: id,
          score: Math.round(score * 1_000) / 1_000,
          reasons,
          weights: weightsVersion,
          ...(denial && visible.has(other) ? { denied: denial } : {}),
        },
        actor: system,
        channel: 'entry',
        correlationId: asked.correlationId,
      });
    }
  }

  #follow(asked: Entered, outcome: Registered, findVisible: () => Promise<readonly LikelySame[]>): void {
    // Not before the answer is on its way.
    const following = setImmediate()
      .then(() => this.#recordPairs(asked, outcome, findVisible))
      .catch((error: unknown) => this.#parts.log.error({ err: error }, 'possible pairs of a new customer were not recorded'))
      .finally(() => this.#underWay.delete(following));
    this.#underWay.add(following);
  }
}

/** Which is never enough (domain/matching/weights.ts), so it costs no look. */
function isNameAlone({ contacts = [], documents = [] }: RegisterBody): boolean {
  return contacts.length + documents.length === 0;
}

/** The registration will be refused by the document itself: that says more. */
function holdsDocument(visible: readonly LikelySame[], { documents }: RegisterBody): boolean {
  const wanted = new Set(documentClaims(documents).map(({ value }) => value));
  return visible.some(({ profile, opened }) => {
    const held = profileOf(profile).documents.flatMap(({ type, number, country }) => {
      const text = opened.text(number);
      return typeof text === 'string' ? documentClaims([{ type, number: text, country: country ?? undefined } as never]) : [];
    });
    return held.some(({ value }) => wanted.has(value));
  });
}
