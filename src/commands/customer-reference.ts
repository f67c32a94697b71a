// How a command names a customer: they must be there and visible to who asks, or the command is refused at that field.
import { type CustomerState, customer } from '../domain/customer/customer.ts';
import { customerVisibleTo } from '../domain/customer/visibility.ts';
import type { Reference } from './command.ts';

/** To stand in the rejections of each command with such a reference. */
export const customerUnknown = { CustomerUnknown: 422 } as const;

/** @param pointer JSON Pointer of the field in the command's body */
export function customerReference(customerId: string, pointer: string): Reference {
  return {
    category: 'customer',
    id: customerId,
    decider: customer,
    isThere: isThereFor(customerId),
    otherwise: { rejected: 'CustomerUnknown', detail: 'There is no customer with this id that you may see.', pointer },
  };
}

/** Of the customer in the path: missing and hidden are the one 404. Its refusal is `CustomerNotFound`. */
export function pathCustomer(customerId: string): Reference {
  return { ...customerReference(customerId, ''), otherwise: { rejected: 'CustomerNotFound', detail: 'There is no such customer.' } };
}

function isThereFor(customerId: string): Reference['isThere'] {
  return (state, actor) => {
    const { existence, manager, branch } = state as CustomerState;
    return existence === 'present' && customerVisibleTo({ id: customerId, manager, branch }, actor);
  };
}
