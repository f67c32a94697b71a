// The words of a ticket that are stored and shown: its type, priority, channel and status. What they lead to is in
// ticket.ts (which status follows which) and sla.ts (deadlines). A word in use is never renamed, only added to.
import { z } from 'zod';

/** 咨询, 投诉, 建议, 请求. */
export const TicketType = z.enum(['inquiry', 'complaint', 'suggestion', 'service-request']);
export type TicketType = z.infer<typeof TicketType>;

/** 紧急 (loss report, card theft, outage), 高, 中, 低. */
export const TicketPriority = z.enum(['urgent', 'high', 'normal', 'low']);
export type TicketPriority = z.infer<typeof TicketPriority>;

/** The way by which the matter reached the bank; `referral` is one passed on by a supervisor or another office. */
export const TicketChannel = z.enum([
  'call-centre',
  'counter',
  'mobile-bank',
  'online-bank',
  'wechat',
  'sms',
  'e-mail',
  'visit',
  'web',
  'post',
  'fax',
  'referral',
]);
export type TicketChannel = z.infer<typeof TicketChannel>;

export const TicketStatus = z.enum(['open', 'assigned', 'in-progress', 'resolved', 'closed']);
export type TicketStatus = z.infer<typeof TicketStatus>;
