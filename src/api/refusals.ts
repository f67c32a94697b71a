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
  RelationNotFound: { title: 'There is no such relation', remedy: 'Read the customer’s relations; their ids stand there.' },
  RelationTypeUnknown: { title: 'The type of relation is not known', remedy: 'Use one of `GET /v1/relation-types`.' },
  RelationToItself: { title: 'Nobody stands in a relation to themselves', remedy: 'Name another party.' },
  RelationKindWrong: { title: 'The type does not fit what the parties are', remedy: 'Look at the type, and at which way it reads.' },
  RelationShareWrong: { title: 'The type needs a share, or carries none', remedy: 'Give the share where `detail` asks for it; else leave it out.' },
  RelationDatesWrong: { title: 'The relation would end before it begins', remedy: 'Let `until` come after `from`.' },
  RelationEndedAlready: { title: 'The relation has its end already', remedy: 'Correct the relation where the end is wrong.' },
  RelationVoid: { title: 'The relation was declared void', remedy: 'Record it anew.' },
  RelationOfOthers: { title: 'The other party is not one that you may see', remedy: 'Ask operations to change the relation.' },
  RelationTypeNotFound: { title: 'There is no such type of relation', remedy: 'Use one of `GET /v1/relation-types`.' },
  RelationTypeBuiltIn: { title: 'The type is built in', remedy: 'Define another type under a name of its own.' },
  RelationUnknown: { title: 'The relation named is not known', remedy: 'Name one in the file of this firm, as the one that is owned or managed.' },
  OwnersOfAPerson: { title: 'A person has no beneficial owners', remedy: 'Confirm those of a firm.' },
  OwnerNotAPerson: { title: 'A beneficial owner is a natural person', remedy: 'Name the persons behind this firm.' },
  OwnerTwice: { title: 'An owner is named twice', remedy: 'Name each owner once, by the first basis that fits.' },
  OwnersDateWrong: { title: 'A date of the confirmation does not fit', remedy: 'Confirm from today or earlier on, and let the review be due later.' },
  GroupNotFound: { title: 'There is no such group', remedy: 'Check the group’s id.' },
  GroupUnknown: { title: 'The group named is not known', remedy: 'Check the id of the other group.' },
  GroupIsDissolved: { title: 'The group was dissolved', remedy: 'Form another.' },
  GroupMemberWrong: { title: 'The customer can not be a member of it', remedy: 'Look at what `detail` says of the member named.' },
  GroupHeadStays: { title: 'The head stays in the group', remedy: 'Let the others leave, or dissolve the group.' },
  GroupDatesWrong: { title: 'A date of the group does not fit', remedy: 'Give a day that is not after today, nor before they joined.' },
  GroupKindsDiffer: { title: 'The groups are of two kinds', remedy: 'Merge only groups of one kind.' },
  GroupMergesOtherWay: { title: 'Of two groups the one with the lesser id stays', remedy: 'Merge this group into the other.' },
  DocumentNotFound: {
    title: 'The customer has no such document',
    remedy: 'Read the customer; the ids of the documents that staff entered stand there.',
  },
  DocumentThere: { title: 'The customer has this document', remedy: 'Renew it where its expiry changed.' },
  ExpiryNotLater: { title: 'The document would not be valid', remedy: 'Look at the expiry again: it must lie ahead, and be later than before.' },
  ApprovalNotFound: { title: 'There is no such approval', remedy: 'Check the approval’s id.' },
  OwnProposal: { title: 'Who asked for a change does not decide on it', remedy: 'Ask another approver; withdraw it where it is wrong.' },
  NotAnApprover: { title: 'Another role decides on this change', remedy: 'Ask one of the roles that the approval names, for the whole bank.' },
  NotTheMaker: { title: 'Only who asked for a change withdraws it', remedy: 'Reject it, with a reason.' },
  ApprovalOver: { title: 'The approval is decided or over', remedy: 'Read the approval; ask anew where the change is still wanted.' },
  PolicyUnchanged: { title: 'These rules hold already', remedy: 'Nothing is left to do.' },
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
