// What can have happened to a ticket: the stored format, for decades. Free text is personal; who in the bank did what is not.
import { z } from 'zod';
import { defineEvent, type FactOf } from '../kernel/event.ts';
import { personal } from '../kernel/personal.ts';
import { SourceReference } from '../kernel/source.ts';
import { SlaClock, SlaClocks } from './sla.ts';
import { TicketChannel, TicketPriority, TicketType } from './vocabulary.ts';

export const TicketId = z.uuid();
/** A member of staff, by the subject of their token. */
export const StaffSubject = z.string().regex(/^[A-Za-z0-9._~@:+/=|-]{1,128}$/, 'a subject as in tokens: 1 to 128 letters, digits and ._~@:+/=|-');

/** Which of a ticket's two deadlines. */
export const ClockName = z.enum(['first-response', 'resolution']);
export type ClockName = z.output<typeof ClockName>;

export const TicketOpened = defineEvent(
  'TicketOpened',
  z.strictObject({
    ticketId: TicketId,
    /** Whom it is about; their key seals the texts then. */
    customer: z.uuid().optional(),
    type: TicketType,
    priority: TicketPriority,
    channel: TicketChannel,
    product: z.string().optional(),
    summary: personal(z.string()),
    description: personal(z.string()).optional(),
    openedBy: StaffSubject,
    sla: SlaClocks,
  }),
);

/** A ticket as another system tells of it; what that system judged stays its own verdict, apart from the clocks that we compute. */
export const TicketImported = defineEvent(
  'TicketImported',
  z.strictObject({
    ticketId: TicketId,
    source: SourceReference,
    type: TicketType,
    priority: TicketPriority,
    channel: TicketChannel,
    product: z.string().optional(),
    summary: personal(z.string()),
    description: personal(z.string()).optional(),
    /** What else the source says, by its own names. */
    details: personal(z.record(z.string(), z.string())).optional(),
    /** When it reached the bank: RFC 3339 UTC, or a date in the source's zone, `2017-05-01[America/New_York]`. */
    receivedAt: z.string(),
    /** When this system heard of it: deadlines before it are recorded as they fell, their notices muted. */
    importedAt: z.string(),
    /** Closed by the source; `closedAt` is absent where the source does not say when. */
    closed: z.boolean(),
    closedAt: z.string().optional(),
    verdict: z.enum(['timely', 'untimely']).optional(),
    /** Clocks of a ticket that is still open. */
    sla: SlaClocks.optional(),
  }),
);

/** Version 1 called the assignee `to`, as the command does. */
export const TicketAssigned = defineEvent('TicketAssigned', z.strictObject({ ticketId: TicketId, assignee: StaffSubject }), {
  schema: 2,
  upcasts: { 1: ({ to, ...rest }) => ({ ...rest, assignee: to }) },
});

export const TicketStarted = defineEvent('TicketStarted', z.strictObject({ ticketId: TicketId, assignee: StaffSubject }));

export const TicketResolved = defineEvent('TicketResolved', z.strictObject({ ticketId: TicketId, resolution: personal(z.string()) }));

/** The resolution clock starts anew; the first response stays answered. */
export const TicketReopened = defineEvent(
  'TicketReopened',
  z.strictObject({
    ticketId: TicketId,
    reason: personal(z.string()).optional(),
    sla: z.strictObject({ policy: SlaClocks.shape.policy, calendar: SlaClocks.shape.calendar, provisional: z.boolean(), resolution: SlaClock }),
  }),
);

export const TicketClosed = defineEvent('TicketClosed', z.strictObject({ ticketId: TicketId }));

const ClockReached = z.strictObject({
  ticketId: TicketId,
  clock: ClockName,
  dueAt: z.string(),
  /** Recorded as it fell, but long past when the ticket was imported: nobody is told. */
  muted: z.boolean(),
});
/** The warning share of a deadline's time has passed. It occurred at the true instant, however late it was recorded. */
export const SlaWarned = defineEvent('SlaWarned', ClockReached);
/** A deadline has passed. It occurred at the true instant, however late it was recorded. */
export const SlaBreached = defineEvent('SlaBreached', ClockReached);

export const ticketEvents = [
  TicketOpened,
  TicketImported,
  TicketAssigned,
  TicketStarted,
  TicketResolved,
  TicketReopened,
  TicketClosed,
  SlaWarned,
  SlaBreached,
] as const;

export type TicketFact = FactOf<typeof ticketEvents>;
