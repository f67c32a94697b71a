// The tickets feed: tickets that another system kept, as it tells of them. A line is docs/feeds.md's `ticket`.
import { ImportedTicket, importTicket } from '../commands/ticket.ts';
import type { FeedKind } from './feed.ts';

export const ticketsFeed: FeedKind<typeof ImportedTicket._output> = {
  kind: 'tickets',
  command: importTicket,
  line: ImportedTicket,
  source: (entry) => entry.source,
};
