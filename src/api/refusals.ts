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
  DimensionUnknown: { title: 'There is no such dimension', remedy: 'Read `/v1/dimensions`: the codes stand there.' },
  DimensionNotYours: { title: 'Another role defines this dimension', remedy: 'Ask the role that `detail` names.' },
  DimensionAgainstLaw: { title: 'The law asks more of this dimension', remedy: '`detail` says what would be right.' },
  ClassNotYours: { title: 'Another role gives this value', remedy: 'Ask the role that `detail` names.' },
  ValueUnknown: { title: 'The dimension has no such value', remedy: 'Give one of those that `detail` names.' },
  NotACustomer: { title: 'A prospect has no such value', remedy: 'Wait until a core system reports them as its customer.' },
  ReasonNeeded: { title: 'A lower value needs a reason', remedy: 'Give `reason`.' },
  AssessmentNeeded: { title: 'The value comes from an assessment', remedy: 'Give `assessedOn`, the day of it.' },
  AssessmentTooOld: { title: 'The assessment is too old', remedy: 'Assess the customer anew.' },
  DayNotYetCome: { title: 'The day is not yet there', remedy: 'Give today or a day before.' },
  ValidityTooLong: { title: 'It can not hold until then', remedy: 'Give a day within what `detail` says.' },
  GradeNeeded: { title: 'A customer is never without a grade', remedy: 'Give another grade instead.' },
  TierPolicyUnknown: { title: 'There is no such tier policy', remedy: 'Read `/v1/tier-policies`, or publish it.' },
  TierUnknown: { title: 'The tier is no value of value-tier', remedy: 'Give one of those that `detail` names, or define it first.' },
  TiersOutOfOrder: { title: 'The tiers are not in order', remedy: 'List them from the lowest, which begins at 0, to the highest.' },
  MonthNotOver: { title: 'The month is not over', remedy: 'Ask for a month before this one.' },
  TierReviewNotFound: { title: 'There is no such tier review', remedy: 'Check the review’s id.' },
  TagNotFound: { title: 'There is no such tag in the vocabulary', remedy: 'Read `/v1/tags`; a free tag has no entry.' },
  TagExpired: { title: 'The time of the tag is over', remedy: 'Define it anew with a later day, or use another.' },
  TagJobNotFound: { title: 'There is no such tag job', remedy: 'Check the job’s id.' },
  TagJobOver: { title: 'The tag job is over', remedy: 'Undo it where it should not have been.' },
  TagJobRunning: { title: 'The tag job is running', remedy: 'Cancel it first, or wait for its end.' },
  SegmentNotFound: { title: 'There is no such segment', remedy: 'Check the segment’s id.' },
  SegmentTooLarge: { title: 'The segment has too many conditions', remedy: 'Ask for less at once: `detail` says how many there may be.' },
  BoundsReversed: { title: 'The bounds leave nothing', remedy: 'Let `below` be more than `atLeast`.' },
  ClockOnlyForward: { title: 'The clock only moves forward', remedy: 'Give an instant that is not before what the clock shows.' },
};

/** `TicketClosed` → `Ticket closed`, for a code without an entry. */
export function refusalTitle(code: string): string {
  const words = code.replace(/(?<=[a-z0-9])(?=[A-Z])/g, ' ').toLowerCase();
  return refusals[code]?.title ?? words.charAt(0).toUpperCase() + words.slice(1);
}
