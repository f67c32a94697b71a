// The tickets feed: tickets that another system kept, as it tells of them. A line is docs/feeds.md's `ticket`.
import { ImportedTicket, importTicket } from '../commands/ticket.ts';
import { byCommand, type FeedKind } from './feed.ts';

type TicketLine = typeof ImportedTicket._output;

export const ticketsFeed: FeedKind<TicketLine> = {
  kind: 'tickets',
  line: ImportedTicket,
  source: ({ source }) => source,
  at: ({ receivedAt }) => ['receivedAt', receivedAt],
  take: byCommand(importTicket, (line: TicketLine) => ({ params: {}, body: line, system: line.source.system, key: line.source.id })),
};
