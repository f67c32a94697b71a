// The roles of a bank's staff and of other systems, docs/architecture.md. `system` is the program itself (timers) and never in a token.
import { z } from 'zod';

export const Role = z.enum([
  'rm',
  'teller',
  'agent',
  'product',
  'risk',
  'operations',
  'management',
  'auditor',
  'aml',
  'integration',
  'administrator',
]);
export type Role = z.output<typeof Role>;

/** Who may act: a token's role, or the program itself. */
export type ActingRole = Role | 'system';
