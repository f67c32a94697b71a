// What the routes of customers share: their parts, who may ask at all, and how one customer is named.
import type { Pool } from 'pg';
import { z } from 'zod';
import { CustomerId } from '../domain/customer/events.ts';
import type { EventCodec } from '../journal/codec.ts';
import type { JournalReader } from '../journal/journal.ts';
import type { Opener } from '../journal/sealing.ts';
import type { SearchTokens } from '../projections/engine/search-tokens.ts';
import type { ReadModels } from './read-models.ts';
import type { ReadRouteParts } from './read-route.ts';
import type { Sights } from './sights.ts';

export interface CustomerRouteParts extends ReadRouteParts {
  readonly pool: Pool;
  readonly journal: JournalReader;
  readonly codec: EventCodec;
  readonly opener: Opener;
  readonly searchTokens: SearchTokens;
  readonly readModels: ReadModels;
  readonly sights: Sights;
  /** Epoch milliseconds by the one clock. */
  readonly now: () => number;
  /** The bank's IANA zone. */
  readonly zone: string;
}

export const customerReaders = ['rm', 'teller', 'agent', 'risk', 'auditor', 'operations'] as const;
export const customerParams = z.strictObject({ customerId: CustomerId });
