// What the refusals of commands are called and what the caller can do: a title and a remedy for each code of a declaration's
// `rejections`, whose status stands there. tests/unit/problems.test.ts finds a code without an entry, and an entry without a code.

export interface RefusalText {
  readonly title: string;
  readonly remedy: string;
}

export const refusals: Readonly<Record<string, RefusalText>> = {
  TicketNotFound: { title: 'There is no such ticket', remedy: 'Check the ticket’s id.' },
  TicketTransitionIllegal: {
    title: 'The ticket is not where this can be done',
    remedy: 'Read the ticket; `detail` says what can be done with it now.',
  },
  CampaignNotFound: { title: 'There is no such campaign', remedy: 'Check the campaign’s id.' },
  CampaignTransitionIllegal: {
    title: 'The campaign is not where this can be done',
    remedy: 'Read the campaign; `detail` says what can be done with it now.',
  },
  CampaignInThePast: { title: 'The campaign would be over before it begins', remedy: 'Let it end today or later.' },
  CampaignNotRunning: {
    title: 'The campaign is not running',
    remedy: 'Start it where it is only planned; a closed one takes no enrolment and no response.',
  },
  NotEnrolled: { title: 'The customer is not enrolled in this campaign', remedy: 'Enrol the customer, then record the response.' },
  JobNotFound: { title: 'There is no such job', remedy: 'Check the job’s id.' },
  CustomerNotFound: { title: 'There is no such customer', remedy: 'Check the customer’s id.' },
  CustomerUnknown: { title: 'The customer named is not known', remedy: 'Check the id; you may name customers that you may see.' },
  ContactNotFound: { title: 'The customer has no such contact', remedy: 'Read the customer; the contacts’ ids stand there.' },
  ClaimTaken: { title: 'Another customer has it already', remedy: 'Ask operations who that is.' },
  RegistrationAbandoned: { title: 'The registration was given up', remedy: 'Send it again under a new `Idempotency-Key`.' },
  RegistrationStands: { title: 'The registration was not given up', remedy: 'Nothing is left to do: the customer is there.' },
  ManagerNotYou: { title: 'A relationship manager registers own customers', remedy: 'Leave `manager` out, or ask operations.' },
  BranchFromSource: { title: 'Core banking says which branch it is', remedy: 'Change the branch in core banking.' },
  PairNotFound: { title: 'There is no such pair', remedy: 'Read the queue of pairs; their ids stand there.' },
  MarketingRefused: { title: 'The customer does not want to be approached', remedy: 'Leave them out; their consents say what they refused.' },
  ConsentNotFound: { title: 'There is no such consent', remedy: 'Read the customer’s consents; their ids stand there.' },
  ContactUnknown: { title: 'The customer has no such contact', remedy: 'Read the customer; the contacts’ ids stand there.' },
  GuardianNeeded: { title: 'A guardian must consent', remedy: 'Name the parent or guardian who consents for a customer under 14.' },
  SeparateConsentNeeded: { title: 'This needs a separate consent', remedy: 'Ask for this purpose by itself, then say `separate: true`.' },
  ConsentAlone: { title: 'This purpose rests on consent alone', remedy: 'Leave `basis` out and ask the customer.' },
  ConsentInThePast: { title: 'The consent would be over already', remedy: 'Give a last day that is not over.' },
  NotByConsent: { title: 'It does not rest on consent', remedy: 'Nothing is to be withdrawn; `detail` says on what it rests.' },
  ClockOnlyForward: { title: 'The clock only moves forward', remedy: 'Give an instant that is not before what the clock shows.' },
};

/** `TicketClosed` → `Ticket closed`, for a code without an entry. */
export function refusalTitle(code: string): string {
  const words = code.replace(/(?<=[a-z0-9])(?=[A-Z])/g, ' ').toLowerCase();
  return refusals[code]?.title ?? words.charAt(0).toUpperCase() + words.slice(1);
}
