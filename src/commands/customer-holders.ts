// Customers as holders of claims: whether one came, and the end of one that never did (claims.ts).
import { RegistrationAbandoned } from '../domain/customer/events.ts';
import type { Journal } from '../journal/journal.ts';
import type { Holders } from './claims.ts';
import { abandonRegistration } from './customer.ts';
import type { CommandHandler } from './handler.ts';

export function customerHolders(handler: Pick<CommandHandler, 'execute'>, journal: Journal, correlationId: string): Holders {
  return {
    isThere: async (customerId) => {
      const [last] = await journal.readStream(`customer-${customerId}`, { direction: 'backwards', limit: 1 });
      return last !== undefined && last.type !== RegistrationAbandoned.type;
    },
    giveUp: async (customerId) => {
      const actor = { subject: 'shiji', role: 'system' };
      const outcome = await handler.execute(abandonRegistration, { params: { customerId }, body: {}, actor, channel: 'claims', correlationId });
      return outcome.kind === 'accepted';
    },
  };
}
