// Commands on service tickets. The rules are in domain/ticket/ticket.ts, the deadlines in domain/ticket/sla.ts.
import { z } from 'zod';
import { CustomerId } from '../domain/customer/events.ts';
import { chinaBankCalendar } from '../domain/kernel/calendars/china-bank.ts';
import { SourceReference, SourceTime, startOf } from '../domain/kernel/source.ts';
import { ClockName, StaffSubject, TicketId } from '../domain/ticket/events.ts';
import { standardSlaPolicy } from '../domain/ticket/sla-policies.ts';
import { type TicketCommand, ticket, ticketVisibleTo } from '../domain/ticket/ticket.ts';
import { TicketChannel, TicketPriority, TicketType } from '../domain/ticket/vocabulary.ts';
import { defineCommand } from './command.ts';
import { customerReference, customerUnknown } from './customer-reference.ts';

const params = z.strictObject({ ticketId: TicketId });
const nothing = z.strictObject({});
const FreeText = (max: number) => z.string().trim().min(1).max(max);
const Product = FreeText(200);
const rejections = { TicketNotFound: 404, TicketTransitionIllegal: 409 } as const;
const basis = { policy: standardSlaPolicy, calendar: chinaBankCalendar };
const common = { category: 'ticket', decider: ticket, rejections, visibleTo: ticketVisibleTo } as const;
const onTicket = { ...common, params, target: ({ ticketId }: z.output<typeof params>) => ticketId } as const;
const handlers = ['agent', 'rm', 'teller', 'operations'] as const;

export const openTicket = defineCommand({
  ...common,
  rejections: { ...rejections, ...customerUnknown },
  name: 'OpenTicket',
  summary: 'Open a ticket; its deadlines start now',
  route: 'POST /v1/tickets',
  roles: handlers,
  params: nothing,
  body: z.strictObject({
    customer: CustomerId.optional(),
    type: TicketType,
    priority: TicketPriority,
    channel: TicketChannel,
    product: Product.optional(),
    summary: FreeText(500),
    description: FreeText(20_000).optional(),
  }),
  refersTo: ({ body: { customer } }) => (customer === undefined ? [] : [customerReference(customer, '/customer')]),
  command: ({ body }, { id, now, actor }): TicketCommand => ({
    do: 'open',
    ticketId: id,
    ...body,
    openedBy: actor.subject,
    now,
    ...basis,
  }),
});

export const assignTicket = defineCommand({
  ...onTicket,
  name: 'AssignTicket',
  summary: 'Give a ticket to someone',
  route: 'POST /v1/tickets/{ticketId}/assign',
  roles: handlers,
  body: z.strictObject({ to: StaffSubject }),
  command: ({ body }, { id }): TicketCommand => ({ do: 'assign', ticketId: id, to: body.to }),
});

export const startTicket = defineCommand({
  ...onTicket,
  name: 'StartTicket',
  summary: 'Start work on a ticket, which answers its first deadline',
  route: 'POST /v1/tickets/{ticketId}/start',
  roles: handlers,
  body: nothing,
  command: (_, { id, actor, now }): TicketCommand => ({ do: 'start', ticketId: id, by: actor.subject, now }),
});

export const resolveTicket = defineCommand({
  ...onTicket,
  name: 'ResolveTicket',
  summary: 'Say how a ticket was resolved',
  route: 'POST /v1/tickets/{ticketId}/resolve',
  roles: handlers,
  body: z.strictObject({ resolution: FreeText(20_000) }),
  command: ({ body }, { id, now }): TicketCommand => ({ do: 'resolve', ticketId: id, resolution: body.resolution, now }),
});

export const reopenTicket = defineCommand({
  ...onTicket,
  name: 'ReopenTicket',
  summary: 'Take a resolved or closed ticket up again; its resolution deadline starts anew',
  route: 'POST /v1/tickets/{ticketId}/reopen',
  roles: handlers,
  body: z.strictObject({ reason: FreeText(500).optional() }),
  command: ({ body }, { id, now }): TicketCommand => ({ do: 'reopen', ticketId: id, reason: body.reason, now, ...basis }),
});

export const closeTicket = defineCommand({
  ...onTicket,
  name: 'CloseTicket',
  summary: 'Close a resolved ticket',
  route: 'POST /v1/tickets/{ticketId}/close',
  roles: handlers,
  body: nothing,
  command: (_, { id }): TicketCommand => ({ do: 'close', ticketId: id }),
});

/** One line of the tickets feed, and the body of the command that it becomes (feeds/tickets.ts). */
export const ImportedTicket = z
  .strictObject({
    source: SourceReference,
    type: TicketType,
    priority: TicketPriority,
    channel: TicketChannel,
    product: Product.optional(),
    summary: FreeText(500),
    description: FreeText(20_000).optional(),
    details: z.record(z.string().min(1).max(100), z.string().max(2_000)).optional(),
    receivedAt: SourceTime,
    closed: z.boolean(),
    closedAt: SourceTime.optional(),
    verdict: z.enum(['timely', 'untimely']).optional(),
  })
  .refine(({ closed, closedAt }) => closed || closedAt === undefined, {
    path: ['closedAt'],
    error: 'only a ticket that is closed has a time of closing',
  });

export const importTicket = defineCommand({
  ...common,
  name: 'ImportTicket',
  summary: 'Take over a ticket from another system',
  roles: ['integration'],
  params: nothing,
  body: ImportedTicket,
  command: ({ body }, { id, now }): TicketCommand => ({
    do: 'import',
    ticketId: id,
    ...body,
    startedAt: startOf(body.receivedAt),
    importedAt: now,
    ...basis,
  }),
});

const timerBody = z.strictObject({ clock: ClockName, dueAt: z.string() });

export const warnOfDeadline = defineCommand({
  ...onTicket,
  name: 'WarnOfDeadline',
  summary: 'Record that the warning share of a deadline has passed',
  roles: ['system'],
  body: timerBody,
  command: ({ body }, { id }): TicketCommand => ({ do: 'warn', ticketId: id, ...body }),
});

export const recordBreach = defineCommand({
  ...onTicket,
  name: 'RecordBreach',
  summary: 'Record that a deadline has passed',
  roles: ['system'],
  body: timerBody,
  command: ({ body }, { id }): TicketCommand => ({ do: 'breach', ticketId: id, ...body }),
});
