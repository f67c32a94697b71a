// A service ticket's life: open → assigned → in-progress → resolved → closed; assigned anew while not resolved; reopened from resolved
// or closed. First response is answered by the start of work, resolution by resolving. Deadlines come in with the command (sla.ts).
import type { BusinessCalendar } from '../kernel/business-calendar.ts';
import type { Decider, Rejection } from '../kernel/decider.ts';
import type { Actor } from '../kernel/event.ts';
import type { ClockName, TicketFact } from './events.ts';
import { type SlaClock, type SlaClocks, type SlaPolicy, slaClocks } from './sla.ts';
import type { TicketChannel, TicketPriority, TicketStatus, TicketType } from './vocabulary.ts';

/** A deadline of a ticket while it counts; absent from the state once answered, or where there never was one. */
export interface RunningClock extends SlaClock {
  readonly warned: boolean;
  readonly breached: boolean;
}

export interface TicketState {
  /** Absent before the ticket is. */
  readonly status?: TicketStatus;
  readonly type?: TicketType;
  readonly priority?: TicketPriority;
  /** Whom it is about. */
  readonly customer?: string;
  readonly openedBy?: string;
  readonly assignee?: string;
  /** RFC 3339 UTC; absent for a ticket that did not come from another system. */
  readonly importedAt?: string;
  readonly clocks: { readonly [Name in ClockName]?: RunningClock };
}

/** What deadlines are computed by: the versions in force when the command came. */
export interface SlaBasis {
  readonly policy: SlaPolicy;
  readonly calendar: BusinessCalendar;
}

interface NewTicket {
  readonly ticketId: string;
  readonly type: TicketType;
  readonly priority: TicketPriority;
  readonly channel: TicketChannel;
  readonly product?: string | undefined;
  readonly summary: string;
  readonly description?: string | undefined;
}

export type TicketCommand =
  | ({ readonly do: 'open'; readonly customer?: string | undefined; readonly now: string; readonly openedBy: string } & NewTicket & SlaBasis)
  | ({
      readonly do: 'import';
      readonly source: { readonly system: string; readonly id: string };
      readonly details?: Readonly<Record<string, string>> | undefined;
      readonly receivedAt: string;
      /** The instant from which an open ticket's deadlines count: the start of `receivedAt` in its own zone, RFC 3339 UTC. */
      readonly startedAt: string;
      readonly importedAt: string;
      readonly closed: boolean;
      readonly closedAt?: string | undefined;
      readonly verdict?: 'timely' | 'untimely' | undefined;
    } & NewTicket &
      SlaBasis)
  | { readonly do: 'assign'; readonly ticketId: string; readonly to: string }
  | { readonly do: 'start'; readonly ticketId: string; readonly by: string; readonly now: string }
  | { readonly do: 'resolve'; readonly ticketId: string; readonly resolution: string; readonly now: string }
  | ({ readonly do: 'reopen'; readonly ticketId: string; readonly reason?: string | undefined; readonly now: string } & SlaBasis)
  | { readonly do: 'close'; readonly ticketId: string }
  | { readonly do: 'warn' | 'breach'; readonly ticketId: string; readonly clock: ClockName; readonly dueAt: string };

export type TicketRejection = 'TicketNotFound' | 'TicketTransitionIllegal';

const initialState: TicketState = { clocks: {} };

/** Which statuses each action is legal in. */
const legalIn = {
  assign: ['open', 'assigned', 'in-progress'],
  start: ['open', 'assigned'],
  resolve: ['in-progress'],
  reopen: ['resolved', 'closed'],
  close: ['resolved'],
} as const satisfies Record<string, readonly TicketStatus[]>;

const participles = { assign: 'assigned', start: 'started', resolve: 'resolved', reopen: 'reopened', close: 'closed' } as const;

export const ticket: Decider<TicketCommand, TicketState, TicketFact, TicketRejection> = { initialState, evolve, decide };

function decide(command: TicketCommand, state: TicketState): readonly TicketFact[] | Rejection<TicketRejection> {
  switch (command.do) {
    case 'open': {
      // The stream is named by the command, so a ticket that is there already was opened by it.
      if (state.status) return [];
      const { do: _, now, policy, calendar, ...data } = command;
      const sla = slaClocks(policy, calendar, { ...data, startedAt: now });
      return about(data.customer, [{ type: 'TicketOpened', data: withoutAbsent({ ...data, sla }) }]);
    }
    case 'import': {
      if (state.status) return [];
      const { do: _, startedAt, policy, calendar, ...data } = command;
      const sla = data.closed ? undefined : slaClocks(policy, calendar, { ...data, startedAt });
      return [{ type: 'TicketImported', data: withoutAbsent({ ...data, sla }), occurredAt: data.receivedAt }];
    }
    case 'warn':
    case 'breach':
      return about(state.customer, reached(command, state));
    default: {
      const moved = move(command, state);
      return 'rejected' in moved ? moved : about(state.customer, moved);
    }
  }
}

/** A ticket about a customer is theirs: their key seals its texts, and their history shows it. */
function about(customer: string | undefined, facts: readonly TicketFact[]): readonly TicketFact[] {
  return customer === undefined ? facts : facts.map((fact) => ({ ...fact, subject: `customer-${customer}` }));
}

function move(command: Extract<TicketCommand, { do: keyof typeof legalIn }>, state: TicketState): readonly TicketFact[] | Rejection<TicketRejection> {
  const { ticketId } = command;
  if (!state.status || !state.type || !state.priority) return { rejected: 'TicketNotFound', detail: 'There is no such ticket.' };
  if (isSoAlready(command, state)) return [];
  if (!(legalIn[command.do] as readonly TicketStatus[]).includes(state.status)) return illegal(command.do, state.status);
  switch (command.do) {
    case 'assign':
      return [{ type: 'TicketAssigned', data: { ticketId, assignee: command.to } }];
    case 'start':
      return [...missed(state, command, ['first-response']), { type: 'TicketStarted', data: { ticketId, assignee: state.assignee ?? command.by } }];
    case 'resolve':
      return [...missed(state, command, ['resolution']), { type: 'TicketResolved', data: { ticketId, resolution: command.resolution } }];
    case 'reopen': {
      const subject = { type: state.type, priority: state.priority, startedAt: command.now };
      const { firstResponse: _, ...sla } = slaClocks(command.policy, command.calendar, subject);
      return [{ type: 'TicketReopened', data: withoutAbsent({ ticketId, reason: command.reason, sla }) }];
    }
    case 'close':
      return [{ type: 'TicketClosed', data: { ticketId } }];
  }
}

function isSoAlready(command: Extract<TicketCommand, { do: keyof typeof legalIn }>, state: TicketState): boolean {
  switch (command.do) {
    case 'assign':
      return (state.status === 'assigned' || state.status === 'in-progress') && state.assignee === command.to;
    case 'start':
      return state.status === 'in-progress';
    case 'close':
      return state.status === 'closed';
    default:
      return false;
  }
}

/** Deadlines that an answer comes too late for, where no timer has told yet: they passed before it. */
function missed(
  state: TicketState,
  { ticketId, now }: { readonly ticketId: string; readonly now: string },
  names: readonly ClockName[],
): TicketFact[] {
  return names.flatMap((clock) => {
    const running = state.clocks[clock];
    if (!running || running.breached || now <= running.dueAt) return [];
    return [{ type: 'SlaBreached' as const, data: { ticketId, clock, dueAt: running.dueAt, muted: false }, occurredAt: running.dueAt }];
  });
}

/** A timer fired: recorded once, and only for the deadline that it was set for. */
function reached(command: Extract<TicketCommand, { do: 'warn' | 'breach' }>, state: TicketState): readonly TicketFact[] {
  const { ticketId, clock: name, dueAt } = command;
  const clock = state.clocks[name];
  if (!clock || clock.dueAt !== dueAt || clock.breached) return [];
  const occurredAt = command.do === 'warn' ? clock.warnAt : clock.dueAt;
  if (command.do === 'warn' && clock.warned) return [];
  const muted = state.importedAt !== undefined && occurredAt < state.importedAt;
  return [{ type: command.do === 'warn' ? 'SlaWarned' : 'SlaBreached', data: { ticketId, clock: name, dueAt, muted }, occurredAt }];
}

function illegal(action: keyof typeof legalIn, status: TicketStatus): Rejection<TicketRejection> {
  const possible = (Object.keys(legalIn) as (keyof typeof legalIn)[]).filter((other) => (legalIn[other] as readonly TicketStatus[]).includes(status));
  const advice = `it can be ${possible.map((other) => participles[other]).join(' or ')}`;
  return { rejected: 'TicketTransitionIllegal', detail: `A ticket that is ${status} can't be ${participles[action]}: ${advice}.` };
}

function evolve(state: TicketState, fact: TicketFact): TicketState {
  switch (fact.type) {
    case 'TicketOpened':
      return {
        ...state,
        status: 'open',
        type: fact.data.type,
        priority: fact.data.priority,
        openedBy: fact.data.openedBy,
        ...(fact.data.customer === undefined ? {} : { customer: fact.data.customer }),
        clocks: bothClocks(fact.data.sla),
      };
    case 'TicketImported': {
      const { type, priority, importedAt, closed, sla } = fact.data;
      return { ...state, status: closed ? 'closed' : 'open', type, priority, importedAt, clocks: sla ? bothClocks(sla) : {} };
    }
    case 'TicketAssigned':
      return { ...state, status: 'assigned', assignee: fact.data.assignee };
    case 'TicketStarted':
      return { ...state, status: 'in-progress', assignee: fact.data.assignee, clocks: without(state.clocks, 'first-response') };
    case 'TicketResolved':
      return { ...state, status: 'resolved', clocks: {} };
    case 'TicketReopened':
      return { ...state, status: state.assignee === undefined ? 'open' : 'assigned', clocks: { resolution: running(fact.data.sla.resolution) } };
    case 'TicketClosed':
      return { ...state, status: 'closed', clocks: {} };
    case 'SlaWarned':
      return marked(state, fact.data.clock, { warned: true });
    case 'SlaBreached':
      return marked(state, fact.data.clock, { warned: true, breached: true });
  }
}

function bothClocks(sla: SlaClocks): TicketState['clocks'] {
  return { 'first-response': running(sla.firstResponse), resolution: running(sla.resolution) };
}

function running(clock: SlaClock): RunningClock {
  return { ...clock, warned: false, breached: false };
}

function marked(state: TicketState, name: ClockName, marks: Partial<RunningClock>): TicketState {
  const clock = state.clocks[name];
  return clock ? { ...state, clocks: { ...state.clocks, [name]: { ...clock, ...marks } } } : state;
}

function without(clocks: TicketState['clocks'], name: ClockName): TicketState['clocks'] {
  const { [name]: _, ...rest } = clocks;
  return rest;
}

/** Absent members are left out, as JSON would, so that a fact just decided equals the one read back. */
function withoutAbsent<Data extends object>(data: Data): Data {
  return Object.fromEntries(Object.entries(data).filter(([, value]) => value !== undefined)) as Data;
}

/**
 * Whose tickets one may see and work on: an agent the queue's and own ones, a relationship manager and a teller own ones (opened by or
 * assigned to them), risk, audit and operations any, or own ones where their scope is a branch. Docs/architecture.md has the whole table.
 */
export function ticketVisibleTo(ticketSeen: { readonly openedBy?: string | null; readonly assignee?: string | null }, actor: Actor): boolean {
  const own = ticketSeen.openedBy === actor.subject || ticketSeen.assignee === actor.subject;
  switch (actor.role) {
    case 'system':
    case 'risk':
    case 'auditor':
    case 'operations':
      return own || (actor.scope ?? 'bank') === 'bank';
    case 'agent':
      return own || (ticketSeen.assignee ?? undefined) === undefined;
    case 'rm':
    case 'teller':
      return own;
    default:
      return false;
  }
}
