// Read models belong to one journal: they remember which, and the last event they saw of it.
import type { JournalReader } from '../../journal/journal.ts';
import type { Checkpoint } from './books.ts';

/** The read models were made from another journal than the one at hand. The message is the one sentence an operator gets. */
export class JournalMismatch extends Error {
  override readonly name = 'JournalMismatch';
}

/** @throws JournalMismatch where the checkpoint can't have been reached in this journal */
export async function assertSameJournal(journal: JournalReader, journalId: string, checkpoint: Checkpoint): Promise<void> {
  const { projection, position, last } = checkpoint;
  const remedy = 'connect the journal it was made from, or drop its checkpoint to have it built anew';
  if (checkpoint.journalId !== undefined && checkpoint.journalId !== journalId)
    throw new JournalMismatch(`The read model ${projection} was made from the journal ${checkpoint.journalId}, and this is ${journalId}: ${remedy}.`);
  const head = await journal.head();
  if (head.position < position)
    throw new JournalMismatch(`The read model ${projection} stands at position ${position}, and this journal ends at ${head.position}: ${remedy}.`);
  if (!last) return;
  const [found] = await journal.readStream(last.stream, { from: last.revision, limit: 1 });
  if (found?.id !== last.id || found.position !== last.position)
    throw new JournalMismatch(
      `The read model ${projection} saw event ${last.id} at position ${last.position}, and this journal has another there: ${remedy}.`,
    );
}
