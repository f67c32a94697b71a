// Every command there is. One with a `route` becomes a route of the API by standing here (api/command-routes.ts).
import { approvalCommands } from './approval.ts';
import { campaignCommands } from './campaign.ts';
import { classificationCommands } from './classification.ts';
import { moveClock } from './clock.ts';
import type { AnyCommand } from './command.ts';
import { consentCommands } from './consent.ts';
import { customerCommands } from './customer.ts';
import { customerIdentityCommands } from './customer-identity.ts';
import { groupCommands } from './group.ts';
import { holdingCommands } from './holding.ts';
import { matchingCommands } from './matching.ts';
import { projectionCommands } from './projection.ts';
import { relationshipCommands } from './relationship.ts';
import { segmentCommands } from './segment.ts';
import { taggingCommands } from './tagging.ts';
import {
  assignTicket,
  closeTicket,
  importTicket,
  openTicket,
  recordBreach,
  reopenTicket,
  resolveTicket,
  startTicket,
  warnOfDeadline,
} from './ticket.ts';
import { tierCommands } from './tier.ts';

/** With those on the read models of these names. */
export function allCommands(projectionNames: readonly string[]): readonly AnyCommand[] {
  return [...contextCommands, ...approvalCommands(contextCommands), ...projectionCommands(projectionNames)];
}

const contextCommands: readonly AnyCommand[] = [
  openTicket,
  assignTicket,
  startTicket,
  resolveTicket,
  reopenTicket,
  closeTicket,
  importTicket,
  warnOfDeadline,
  recordBreach,
  ...customerCommands,
  ...customerIdentityCommands,
  ...holdingCommands,
  ...campaignCommands,
  moveClock,
  ...relationshipCommands,
  ...groupCommands,
  ...consentCommands,
  ...matchingCommands,
  ...classificationCommands,
  ...tierCommands,
  ...taggingCommands,
  ...segmentCommands,
];
