// Armed timers of classification: one row a customer with what may still come, by when the next fires: a value's time is over, a review's
// day comes, a new customer's first rating is due. A worker (processes/classification-timers.ts) issues the command when one is due, and
// its event moves the row on here.
import { dayAfter, startOfDay } from '../../domain/classification/dates.ts';
import type { ClassificationFact, classificationEvents } from '../../domain/classification/events.ts';
import { firstRatingDueOn } from '../../domain/classification/first-rating.ts';
import { type Standing, standingAfter } from '../../domain/classification/standing.ts';
import { AML_GRADE, type DueKind } from '../../domain/classification/vocabulary.ts';
import { chinaBankCalendar } from '../../domain/kernel/calendars/china-bank.ts';
import type { RecordedEvent, RecordedOf } from '../../domain/kernel/event.ts';
import type { Projection } from '../engine/projection.ts';

export type ClassificationTimerRow = {
  readonly customer_id: string;
  /** When the next one fires, RFC 3339 UTC; null where nothing may come. */
  readonly fires_at: string | null;
  readonly dimension: string | null;
  /** `validity` ends a value; the rest tell that a day came. */
  readonly why: 'validity' | DueKind | null;
  /** `YYYY-MM-DD`: the last day of the value, or the day by whose end it is due. */
  readonly day: string | null;
  /** JSON of `Armed`. */
  readonly armed: string;
};

interface Armed {
  /** Null before they are a customer. */
  readonly firstDueOn: string | null;
  readonly firstFellDue: boolean;
  readonly standings: Readonly<Record<string, Standing>>;
}

export const classificationTimers: Projection<ClassificationTimerRow> = {
  name: 'classification_timers',
  version: 1,
  categories: ['customer', 'classification'],
  table: {
    name: 'classification_timers',
    key: 'customer_id',
    columns: {
      customer_id: { type: 'text' },
      fires_at: { type: 'timestamptz', nullable: true },
      dimension: { type: 'text', nullable: true },
      why: { type: 'text', nullable: true },
      day: { type: 'date', nullable: true },
      armed: { type: 'text' },
    },
    indexes: ['(fires_at, customer_id) where fires_at is not null'],
  },
  creates: new Set(),
  keys: ({ type, stream }) => (type === 'CustomerReported' || stream.startsWith('classification-') ? [stream.slice(stream.indexOf('-') + 1)] : []),
  apply: (row, recorded, key) => {
    const before = row ? (JSON.parse(row.armed) as Armed) : nothing;
    const after = armedAfter(before, recorded);
    return after === before && row ? row : { customer_id: key, ...next(after), armed: JSON.stringify(after) };
  },
};

const nothing: Armed = { firstDueOn: null, firstFellDue: false, standings: {} };

function armedAfter(before: Armed, recorded: RecordedEvent): Armed {
  if (recorded.type === 'CustomerReported') {
    // Later reports change nothing: they are a customer from the first on.
    return before.firstDueOn === null ? { ...before, firstDueOn: firstRatingDueOn(recorded, chinaBankCalendar) } : before;
  }
  const event = recorded as RecordedOf<typeof classificationEvents>;
  const { dimension } = event.data;
  const standing = standingAfter(before.standings[dimension], event as ClassificationFact);
  const firstFellDue = before.firstFellDue || (event.type === 'ClassificationFellDue' && event.data.why === 'first-rating');
  return { ...before, firstFellDue, standings: standing ? { ...before.standings, [dimension]: standing } : before.standings };
}

/** The last day that can be entered: no day after it is waited for. */
const UNTIL_FURTHER_NOTICE = '9999-12-31';

type Next = Pick<ClassificationTimerRow, 'fires_at' | 'dimension' | 'why' | 'day'>;

/** The earliest of all that may come. */
function next({ firstDueOn, firstFellDue, standings }: Armed): Next {
  const { zone } = chinaBankCalendar;
  const coming: Next[] = [];
  if (firstDueOn !== null && !firstFellDue && standings[AML_GRADE] === undefined)
    coming.push({ fires_at: startOfDay(firstDueOn, zone), dimension: AML_GRADE, why: 'first-rating', day: firstDueOn });
  for (const [dimension, { ended, validUntil, reviewDueOn, fellDue }] of Object.entries(standings)) {
    if (ended !== null) continue;
    if (validUntil !== null && validUntil < UNTIL_FURTHER_NOTICE)
      coming.push({ fires_at: startOfDay(dayAfter(validUntil), zone), dimension, why: 'validity', day: validUntil });
    if (reviewDueOn !== null && !fellDue) coming.push({ fires_at: startOfDay(reviewDueOn, zone), dimension, why: 'review', day: reviewDueOn });
  }
  const [earliest] = coming.sort((one, other) => ((one.fires_at ?? '') < (other.fires_at ?? '') ? -1 : 1));
  return earliest ?? { fires_at: null, dimension: null, why: null, day: null };
}
