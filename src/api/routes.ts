// The routes beside commands, journal, projections and accesses: one function a context (tickets, reports, feeds, the clock). A route
// added here is in the reference, and in the test that walks every route.
import type { Pool } from 'pg';
import type { Clock } from '../clock.ts';
import type { FourEyes } from '../commands/four-eyes.ts';
import type { CommandHandler } from '../commands/handler.ts';
import { coreBankingFeed } from '../feeds/core-banking.ts';
import type { CoreCustomerParts } from '../feeds/core-banking-customers.ts';
import { FeedRuns } from '../feeds/runs.ts';
import type { Spools } from '../feeds/spool.ts';
import { ticketsFeed } from '../feeds/tickets.ts';
import type { SearchTokens } from '../projections/engine/search-tokens.ts';
import { approvalRoutes } from './approval-routes.ts';
import { campaignRoutes } from './campaign-routes.ts';
import { classificationRoutes } from './classification-routes.ts';
import { clockRoutes } from './clock-routes.ts';
import { consentRoutes } from './consent-routes.ts';
import { customerRoutes } from './customer-routes.ts';
import { feedRoutes } from './feed-routes.ts';
import { ReadModels } from './read-models.ts';
import { relationRoutes } from './relation-routes.ts';
import { reportRoutes } from './report-routes.ts';
import { segmentRoutes } from './segment-routes.ts';
import type { ApiRoutes } from './server.ts';
import { tagRoutes } from './tag-routes.ts';
import { ticketRoutes } from './ticket-routes.ts';
import { tierRoutes } from './tier-routes.ts';

export interface ContextParts {
  readonly pool: Pool;
  readonly clock: Clock;
  /** The bank's IANA zone. */
  readonly zone: string;
  readonly handler: Pick<CommandHandler, 'execute'>;
  readonly fourEyes: Pick<FourEyes, 'carryOut'>;
  readonly searchTokens: SearchTokens;
  readonly spools: Spools;
  /** By what a core system's customer is known to be one already here. */
  readonly customers: CoreCustomerParts;
}

export function contextRoutes({ pool, clock, zone, handler, fourEyes, searchTokens, spools, customers }: ContextParts): readonly ApiRoutes[] {
  const readModels = new ReadModels(pool);
  return [
    (app, api) => ticketRoutes(app, { ...api, readModels, searchTokens, zone }),
    (app, api) => customerRoutes(app, { ...api, pool, readModels, searchTokens, zone }),
    (app, api) => consentRoutes(app, { ...api, pool, readModels, searchTokens, zone, handler }),
    (app, api) => reportRoutes(app, { ...api, readModels }),
    (app, api) =>
      feedRoutes(app, api, {
        handler,
        runs: new FeedRuns(pool),
        spools,
        kinds: [ticketsFeed, coreBankingFeed(customers)],
        projections: ['tickets', 'timers', 'customers', 'holdings', 'transactions'],
      }),
    (app, api) => campaignRoutes(app, api, { handler, readModels }),
    (app, api) => approvalRoutes(app, api, { pool, handler, fourEyes, readModels, searchTokens }),
    (app, api) => clockRoutes(app, api, { clock, handler }),
    (app, api) => relationRoutes(app, { ...api, pool, readModels, searchTokens, zone, handler }),
    (app, api) => classificationRoutes(app, { ...api, pool, readModels, searchTokens, zone }),
    (app, api) => tierRoutes(app, { ...api, readModels }),
    (app, api) => segmentRoutes(app, { ...api, pool, readModels, zone }),
    (app, api) => tagRoutes(app, { ...api, pool, readModels, zone }),
  ];
}
