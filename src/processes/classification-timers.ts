// Timers of classification: values whose time is over, first ratings and reviews whose day came.
import type { Pool } from 'pg';
import { expireClassification, markClassificationDue } from '../commands/classification.ts';
import type { CommandHandler } from '../commands/handler.ts';
import type { Logger } from '../logging.ts';
import { DueRows } from './due-rows.ts';

interface DueClassification {
  readonly name: string;
  readonly customer_id: string;
  readonly dimension: string;
  readonly why: 'validity' | 'first-rating' | 'review';
  readonly day: string;
}

const NAME = "customer_id || '/' || dimension || '/' || why || '/' || to_char(day, 'YYYY-MM-DD')";
const due = {
  name: 'classification-timers/due',
  text: `select ${NAME} as name, customer_id, dimension, why, to_char(day, 'YYYY-MM-DD') as day from read.classification_timers
          where fires_at <= $1 and ${NAME} <> all ($2::text[])
          order by fires_at, customer_id limit 256 for update skip locked`,
};
const system = { subject: 'shiji', role: 'system' };

export interface ClassificationTimersParts {
  readonly pool: Pool;
  readonly handler: Pick<CommandHandler, 'execute'>;
  /** Epoch milliseconds by the one clock. */
  readonly now: () => number;
  readonly log: Logger;
}

export function classificationTimers({ handler, ...parts }: ClassificationTimersParts): DueRows<DueClassification> {
  return new DueRows({
    ...parts,
    due,
    fire: ({ name, customer_id, dimension, why, day }) =>
      handler.execute(why === 'validity' ? expireClassification : markClassificationDue, {
        params: { customerId: customer_id },
        body: why === 'validity' ? { dimension, validUntil: day } : { dimension, why, dueOn: day },
        actor: system,
        channel: 'timer',
        correlationId: name,
        key: name,
      }),
  });
}
