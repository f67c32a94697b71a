// Who a firm's beneficial owners are, as a person confirmed them with proof beyond the registry (金融机构客户受益所有人识别管理办法:
// the registry alone is not relied on). Each confirmation counts from a day on, until one of a later day, or of the same day later
// confirmed, replaces it.
import type { Decider, Rejection } from '../kernel/decider.ts';
import type { OwnersFact } from './events.ts';
import type { OwnerBasis, ProofMethod } from './vocabulary.ts';

export interface ConfirmedOwner {
  readonly party: string;
  readonly kind: 'person' | 'organisation';
  readonly basis: OwnerBasis;
  readonly percent?: string | undefined;
  readonly relation?: string | undefined;
}

export interface ConfirmOwners {
  readonly customerId: string;
  readonly customerKind: 'person' | 'organisation';
  /** `YYYY-MM-DD`; today where absent. */
  readonly from?: string | undefined;
  readonly owners: readonly ConfirmedOwner[];
  readonly methods: readonly ProofMethod[];
  readonly evidence: string;
  readonly reviewDueOn: string;
  readonly today: string;
}

export type OwnersRejection = 'OwnersOfAPerson' | 'OwnerNotAPerson' | 'OwnerTwice' | 'OwnersDateWrong';

export const ownerConfirmation: Decider<ConfirmOwners, Record<never, never>, OwnersFact, OwnersRejection> = {
  initialState: {},
  evolve: (state) => state,
  decide,
};

function decide(command: ConfirmOwners): readonly OwnersFact[] | Rejection<OwnersRejection> {
  const { customerId, customerKind, owners, methods, evidence, reviewDueOn, today, from = today } = command;
  if (customerKind !== 'organisation') return { rejected: 'OwnersOfAPerson', detail: 'A person has no beneficial owners: confirm those of a firm.' };
  for (const [index, { party, kind }] of owners.entries()) {
    if (kind !== 'person')
      return {
        rejected: 'OwnerNotAPerson',
        detail: 'A beneficial owner is a natural person: name the persons behind this firm.',
        pointer: `/owners/${index}`,
      };
    if (owners.findIndex((other) => other.party === party) !== index)
      return { rejected: 'OwnerTwice', detail: 'Each owner is named once, by the first basis that fits.', pointer: `/owners/${index}` };
  }
  if (from > today)
    return { rejected: 'OwnersDateWrong', detail: `They are confirmed from a day on that is not after today, ${today}.`, pointer: '/from' };
  if (reviewDueOn <= today)
    return { rejected: 'OwnersDateWrong', detail: `The next review is due on a day after today, ${today}.`, pointer: '/reviewDueOn' };
  const data = {
    customerId,
    from,
    owners: owners.map(({ party, basis, percent, relation }) => ({
      party,
      basis,
      ...(percent === undefined ? {} : { percent }),
      ...(relation === undefined ? {} : { relation }),
    })),
    methods: [...methods],
    evidence,
    reviewDueOn,
  };
  return [{ type: 'BeneficialOwnersConfirmed', data, subject: `customer-${customerId}` }];
}
