// One fact at least of every event type and version that was ever written, in the order in which they stand in journal.ndjson. Only ever
// added to, at the end and on streams of their own: what stands was written by the program of its day and is what today's must still read.
import type { Fact } from '../../src/domain/kernel/event.ts';

export interface GoldenFact extends Fact {
  readonly stream: string;
  /** Written byte for byte as here, where the program that wrote it is gone. */
  readonly asStored?: { readonly id: string; readonly data: string; readonly metadata: string };
}

const id = (last: string): string => `018f3e6a-7c4e-8c9f-9139-${last.padStart(12, '0')}`;
const person = id('c1');
const linked = id('c2');
const firm = id('c3');
const account = id('a1');
const transaction = id('e1');
const campaign = id('f1');
const enrolment = id('f2');
const job = id('f3');
/** Whose name and documents are maintained. */
const maintained = id('c4');
const proposal = id('d1');
const opened = id('1');
const imported = id('2');
/** The one of tests/unit/codec.test.ts. */
const assignedByV1 = '018f3e6a-7c4e-8c9f-9139-d66b1d25ab50';

const clock = (day: string) => ({
  startedAt: `2026-03-${day}T01:00:00.000Z`,
  warnAt: `2026-03-${day}T02:36:00.000Z`,
  dueAt: `2026-03-${day}T03:00:00.000Z`,
});
const policy = { policy: { id: 'standard', version: 1 }, calendar: { id: 'cn-bank', version: 1 }, provisional: false };
const sla = { ...policy, firstResponse: clock('03'), resolution: clock('04') };
const core = (name: string) => ({ system: 'core', id: name });

const about = (type: string, data: object, subject = `customer-${person}`): GoldenFact => ({
  stream: `customer-${person}`,
  type,
  data: { customerId: person, ...data },
  subject,
});
const ofTicket = (type: string, data: object, ticketId = opened): GoldenFact => ({
  stream: `ticket-${ticketId}`,
  type,
  data: { ticketId, ...data },
  subject: `customer-${person}`,
});
const holding = (stream: string, type: string, data: object, occurredAt?: string): GoldenFact => ({
  stream,
  type,
  data: { accountId: account, ...data },
  subject: `account-${account}`,
  ...(occurredAt === undefined ? {} : { occurredAt }),
});
const ofRelation = (type: string, data: object): GoldenFact => ({
  stream: `relation-${id('d1')}`,
  type,
  data: { relationId: id('d1'), ...data },
  subject: `customer-${person}`,
});
const ofGroup = (type: string, data: object): GoldenFact => ({
  stream: `group-${id('91')}`,
  type,
  data: { groupId: id('91'), ...data },
  subject: `customer-${person}`,
});
const ofMaintained = (type: string, data: object): GoldenFact => ({
  stream: `customer-${maintained}`,
  type,
  data: { customerId: maintained, ...data },
  subject: `customer-${maintained}`,
});
const ofProposal = (type: string, data: object, approvalId = proposal): GoldenFact => ({
  stream: `approval-${approvalId}`,
  type,
  data: { approvalId, ...data },
  subject: `customer-${maintained}`,
});
const asked = {
  command: { name: 'CorrectName', version: 1 },
  target: `customer-${maintained}`,
  base: 0,
  params: { customerId: maintained },
  body: '{"name":"王晓明","reason":"household register seen"}',
  diff: [{ field: 'name', mask: 'name', before: '王小明', after: '王晓明' }],
  maker: { subject: 'an', role: 'rm', scope: 'bank' },
  reason: 'household register seen',
  customer: maintained,
  policy: { id: 'approval', version: 0 },
  approvers: ['operations', 'risk'],
  expiresAt: '2026-03-07T12:00:00.000Z',
};
const ofConsents = (type: string, data: object): GoldenFact => ({
  stream: `consent-${person}`,
  type,
  data: { customerId: person, ...data },
  subject: `customer-${person}`,
});
const ofPair = (type: string, data: object): GoldenFact => ({
  stream: `match-${person}.${linked}`,
  type,
  data: { pair: `${person}.${linked}`, ...data },
  subject: `customer-${person}`,
});
const policyTiers = [
  { value: 'mass', from: 0 },
  { value: 'private', from: 600_000_000, downAfterMonths: 6 },
];
const reviewed = { first: 1, up: 0, down: 0, unchanged: 0, watched: 0, notCounted: 0, refused: 0, otherCurrencies: { USD: 1 } };
const classed = (type: string, data: object, occurredAt?: string): GoldenFact => ({
  stream: `classification-${person}`,
  type,
  data: { customerId: person, ...data },
  subject: `customer-${person}`,
  ...(occurredAt === undefined ? {} : { occurredAt }),
});
const ofReview = (type: string, data: object): GoldenFact => ({ stream: `tierreview-${id('f4')}`, type, data: { reviewId: id('f4'), ...data } });
const ofTagJob = (type: string, data: object): GoldenFact => ({ stream: `tagjob-${id('f5')}`, type, data: { jobId: id('f5'), ...data } });
const told = (type: string, data: object): GoldenFact => ({ stream: 'projection-tickets', type, data: { projection: 'tickets', ...data } });

export const goldenFacts: readonly GoldenFact[] = [
  about('CustomerRegistered', {
    kind: 'person',
    name: '王小明',
    documents: [{ type: 'identity-card', number: '11010519491231002X', country: 'CN', expiresOn: '2036-01-01' }],
    contacts: [{ contactId: 'k1', kind: 'phone', value: '138 0013 8000' }],
    manager: 'an',
    branch: '3100',
  }),
  about('ContactAdded', { contactId: 'k2', kind: 'e-mail', value: 'wang@example.org', verified: false }),
  about('ContactVerified', { contactId: 'k2' }),
  about('ContactRemoved', { contactId: 'k1' }),
  about('PreferencesChanged', { channel: 'e-mail', language: 'zh-CN' }),
  about('CustomerTagged', { tag: 'vip' }),
  about('CustomerTagged', { tag: 'new' }),
  about('CustomerUntagged', { tag: 'new' }),
  about('CustomerAssigned', { manager: 'bo', branch: '3200', reason: 'moved house' }),
  {
    ...about('CustomerReported', {
      reference: linked,
      source: core('C2'),
      kind: 'person',
      name: '王小明',
      birthDate: '1949-12-31',
      sex: 'male',
      documents: [{ type: 'identity-card', number: '11010519491231002X', country: 'CN' }],
      contacts: [{ kind: 'address', value: '南京路1号' }],
      branch: '3100',
    }),
    occurredAt: '2026-02-01[Asia/Shanghai]',
  },
  about('CustomerLinked', { reference: linked, source: core('C2'), because: 'same-document-and-name' }),
  about('PossiblePairFound', { other: firm, because: 'same-document-other-name' }),
  { stream: `customer-${firm}`, type: 'RegistrationAbandoned', data: { customerId: firm } },
  ofTicket('TicketOpened', {
    customer: person,
    type: 'complaint',
    priority: 'high',
    channel: 'call-centre',
    product: 'card',
    summary: '卡被吞',
    description: 'The machine kept the card.',
    openedBy: 'chen',
    sla,
  }),
  ofTicket('TicketAssigned', { assignee: 'dai' }),
  ofTicket('TicketStarted', { assignee: 'dai' }),
  { ...ofTicket('SlaWarned', { clock: 'resolution', dueAt: sla.resolution.dueAt, muted: false }), occurredAt: sla.resolution.warnAt },
  { ...ofTicket('SlaBreached', { clock: 'resolution', dueAt: sla.resolution.dueAt, muted: false }), occurredAt: sla.resolution.dueAt },
  ofTicket('TicketResolved', { resolution: 'A new card was sent.' }),
  ofTicket('TicketReopened', { reason: 'It did not come.', sla: { ...policy, resolution: clock('05') } }),
  ofTicket('TicketResolved', { resolution: 'It was sent again.' }),
  ofTicket('TicketClosed', {}),
  {
    stream: `ticket-${imported}`,
    type: 'TicketImported',
    occurredAt: '2017-05-01[America/New_York]',
    data: {
      ticketId: imported,
      source: { system: 'cfpb', id: '2467801' },
      type: 'complaint',
      priority: 'normal',
      channel: 'web',
      product: 'mortgage',
      summary: 'A payment was not posted',
      description: 'I paid on the first.',
      details: { state: 'NY', 'sub product': 'fixed' },
      receivedAt: '2017-05-01[America/New_York]',
      importedAt: '2026-03-03T12:00:00.000Z',
      closed: false,
      verdict: 'timely',
      sla,
    },
  },
  ofTicket('TicketOpened', { type: 'inquiry', priority: 'low', channel: 'counter', summary: 'Opening hours', openedBy: 'chen', sla }, assignedByV1),
  {
    stream: `ticket-${assignedByV1}`,
    type: 'TicketAssigned',
    data: {},
    asStored: {
      id: '018f3e6a-7c4e-8c9f-9139-d66b1d252b51',
      data: `{"ticketId":"${assignedByV1}","to":"dai"}`,
      metadata:
        '{"schema":1,"occurredAt":"2026-03-03T12:00:00.000Z","actor":{"subject":"chen","role":"agent"},"channel":"rest",' +
        '"command":{"id":"018f3e6a-7c4e-8c9f-9139-d66b1d252b50","name":"AssignTicket","version":1},' +
        '"bodyHash":"47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU","$correlationId":"c-1"}',
    },
  },
  holding(
    `account-${account}`,
    'AccountReported',
    {
      source: core('A1'),
      number: '6222 0212 3456 7890',
      product: 'current',
      branch: '3100',
      currency: 'CNY',
      status: 'open',
      openedOn: '2020-01-02',
      openingBalance: 100_000,
      openingOn: '2020-01-02',
    },
    '2020-01-02[Asia/Shanghai]',
  ),
  holding(
    `ownership-${id('b1')}`,
    'OwnershipReported',
    { ownershipId: id('b1'), source: core('O1'), customer: linked, role: 'owner', ended: false },
    '2020-01-02[Asia/Shanghai]',
  ),
  holding(
    `loan-${id('b2')}`,
    'LoanReported',
    {
      loanId: id('b2'),
      source: core('L1'),
      currency: 'CNY',
      amount: 5_000_000,
      payment: 220_000,
      months: 24,
      grantedOn: '2025-06-01',
      status: 'running',
      sourceStatus: 'C',
      outstanding: 3_000_000,
    },
    '2025-06-01[Asia/Shanghai]',
  ),
  holding(
    `card-${id('b3')}`,
    'CardReported',
    {
      cardId: id('b3'),
      source: core('K1'),
      customer: linked,
      product: 'gold',
      number: '622202******7890',
      issuedOn: '2024-01-01',
      expiresOn: '2029-01-01',
      status: 'active',
    },
    '2024-01-01[Asia/Shanghai]',
  ),
  holding(
    `order-${id('b4')}`,
    'StandingOrderReported',
    {
      orderId: id('b4'),
      source: core('S1'),
      currency: 'CNY',
      amount: 35_000,
      counterparty: { name: '李娜', account: '6222 0000', bank: 'ICBC' },
      category: 'rent',
      status: 'active',
    },
    '2025-01-01[Asia/Shanghai]',
  ),
  holding(
    `transaction-${transaction}`,
    'TransactionPosted',
    {
      transactionId: transaction,
      source: core('T1'),
      bookedOn: '2026-02-27',
      direction: 'debit',
      currency: 'CNY',
      amount: 12_050,
      balance: 87_950,
      category: 'fee',
      operation: 'transfer',
      counterparty: { name: '李娜', account: '6222 0000', bank: 'ICBC' },
      description: 'February',
    },
    '2026-02-27[Asia/Shanghai]',
  ),
  holding(
    `transaction-${id('e2')}`,
    'TransactionPosted',
    {
      transactionId: id('e2'),
      source: core('T2'),
      bookedOn: '2026-02-28',
      direction: 'credit',
      currency: 'CNY',
      amount: 12_050,
      reverses: transaction,
    },
    '2026-02-28[Asia/Shanghai]',
  ),
  holding(
    `transaction-${id('e2')}`,
    'TransactionVoided',
    { transactionId: id('e2'), source: core('T2'), reason: 'posted twice' },
    '2026-02-28[Asia/Shanghai]',
  ),
  {
    stream: `campaign-${campaign}`,
    type: 'CampaignPlanned',
    data: { campaignId: campaign, name: 'Spring', from: '2026-03-01', to: '2026-05-31', audience: 'vip' },
  },
  { stream: `campaign-${campaign}`, type: 'CampaignStarted', data: { campaignId: campaign } },
  {
    stream: `job-${job}`,
    type: 'EnrolmentRequested',
    data: {
      jobId: job,
      campaignId: campaign,
      filter: { kind: 'person', tag: 'vip' },
      requestedBy: { subject: 'olga', role: 'operations', scope: 'bank' },
    },
  },
  {
    stream: `enrolment-${enrolment}`,
    type: 'CampaignEnrolled',
    subject: `customer-${person}`,
    data: { enrolmentId: enrolment, campaignId: campaign, customerId: person, jobId: job },
  },
  { stream: `job-${job}`, type: 'EnrolmentAdvanced', data: { jobId: job, cursor: person, enrolled: 1, already: 0, refused: 0 } },
  { stream: `job-${job}`, type: 'EnrolmentFinished', data: { jobId: job, enrolled: 1, already: 0, refused: 0, detail: 'done' } },
  {
    stream: `enrolment-${enrolment}`,
    type: 'ResponseRecorded',
    subject: `customer-${person}`,
    data: { enrolmentId: enrolment, campaignId: campaign, customerId: person, response: 'interested' },
  },
  { stream: `campaign-${campaign}`, type: 'CampaignClosed', data: { campaignId: campaign } },
  told('ProjectionPaused', { reason: 'index rebuilt' }),
  told('ProjectionResumed', {}),
  told('ParkedEventRetried', { key: 'k1' }),
  told('ParkedEventSkipped', { key: 'k1', position: 1, reason: 'a typing error of 2019' }),
  told('ProjectionRebuildOrdered', { swap: 'manual', reason: 'a row was forged' }),
  told('ProjectionSwapOrdered', {}),
  told('ProjectionRollbackOrdered', { reason: 'wrong sums' }),
  { stream: 'clock-bank', type: 'ClockMoved', data: { from: '2026-03-03T12:00:00.000Z', to: '2026-03-04T12:00:00.000Z' } },
  ofRelation('RelationRecorded', {
    type: 'shareholder',
    inverse: 'held-firm',
    typeVersion: 0,
    party: person,
    of: id('c4'),
    partyKind: 'person',
    ofKind: 'organisation',
    from: '2020-01-01',
    share: { percent: '33.333333', basis: 'equity' },
    source: { kind: 'registry', reference: 'extract of 2020' },
  }),
  ofRelation('RelationVerified', { method: 'company-documents', evidence: 'articles p. 3' }),
  ofRelation('RelationCorrected', { from: '2019-06-01', until: null, share: { percent: '40', basis: 'equity' }, reason: 'articles of 2019' }),
  ofRelation('RelationEnded', { until: '2026-01-01', reason: 'sold' }),
  ofRelation('RelationVoided', { reason: 'another of that name' }),
  {
    stream: 'relationtype-mentor',
    type: 'RelationTypeDefined',
    data: { type: 'mentor', version: 1, inverse: 'pupil', share: false, party: 'person', of: 'person' },
  },
  { stream: 'relationtype-mentor', type: 'RelationTypeRetired', data: { type: 'mentor', version: 1, reason: 'unused' } },
  {
    stream: `owners-${id('c4')}`,
    type: 'BeneficialOwnersConfirmed',
    subject: `customer-${id('c4')}`,
    data: {
      customerId: id('c4'),
      from: '2025-01-01',
      owners: [
        { party: person, basis: 'equity', percent: '40' },
        { party: linked, basis: 'manager', relation: id('d1') },
      ],
      methods: ['registry', 'site-visit'],
      evidence: 'visit of 3 March',
      reviewDueOn: '2027-03-01',
    },
  },
  ofGroup('GroupFormed', {
    kind: 'family',
    name: '王家',
    head: person,
    members: [person, id('c5')],
    from: '2026-01-01',
    splitFrom: id('92'),
    reason: 'told by 王小明',
  }),
  ofGroup('GroupMemberAdded', { customer: id('c6'), from: '2026-02-01', reason: 'a son' }),
  ofGroup('GroupMemberRemoved', { customer: id('c6'), until: '2026-02-15', reason: 'no son' }),
  ofGroup('GroupSplit', { into: id('93'), customers: [id('c5')], until: '2026-03-01', reason: 'moved out' }),
  ofGroup('GroupsMerged', { other: id('94'), members: [id('c7')], from: '2026-03-02', reason: 'one family' }),
  ofGroup('GroupDissolved', { until: '2026-03-03', into: id('95'), reason: 'no more' }),
  ofMaintained('CustomerRegistered', { kind: 'person', name: '王小明', documents: [{ type: 'passport', number: 'E12345678' }], manager: 'an' }),
  ofProposal('ApprovalRequested', asked),
  ofProposal('ApprovalGranted', {}),
  ofMaintained('NameCorrected', { name: '王晓明', reason: 'household register seen' }),
  ofProposal('ApprovalCarriedOut', { stream: `customer-${maintained}`, revision: 1 }),
  ofMaintained('DocumentAdded', {
    documentId: '2',
    type: 'identity-card',
    number: '11010519491231002X',
    country: 'CN',
    expiresOn: '2036-01-01',
    reason: 'shown at the counter',
  }),
  ofMaintained('DocumentRenewed', { documentId: '2', expiresOn: '2046-01-01', reason: 'a new card' }),
  ofMaintained('DocumentWithdrawn', { documentId: '1', because: 'entered-by-mistake', reason: 'the passport of a brother' }),
  ofProposal('ApprovalRequested', { ...asked, base: 1 }, id('d2')),
  ofProposal('ApprovalRejected', { reason: 'no paper was shown' }, id('d2')),
  ofProposal('ApprovalRequested', { ...asked, base: 1 }, id('d3')),
  ofProposal('ApprovalWithdrawn', {}, id('d3')),
  ofProposal('ApprovalRequested', { ...asked, base: 1 }, id('d4')),
  ofProposal('ApprovalExpired', {}, id('d4')),
  ofProposal('ApprovalRequested', { ...asked, base: 1 }, id('d5')),
  ofProposal('ApprovalGranted', {}, id('d5')),
  ofProposal('ApprovalFailed', { why: 'base-moved' }, id('d5')),
  {
    stream: 'policy-approval',
    type: 'ApprovalPolicyPublished',
    data: {
      version: 1,
      rules: [
        { command: 'CorrectName', approvers: ['operations', 'risk'], expiresAfterHours: 72 },
        { command: 'AddContact', when: { fields: ['kind'], is: { kind: ['phone'], verified: [false] } }, approvers: ['risk'], expiresAfterHours: 24 },
      ],
    },
  },
  ofConsents('ConsentGiven', {
    consentId: '1',
    purpose: 'marketing',
    channel: 'sms',
    contactId: '1',
    basis: 'consent',
    textVersion: 'v3',
    evidence: '录音 77',
    separate: false,
    age: 'under-14',
    guardian: { name: '王芳', relation: 'mother' },
    expiresOn: '2027-03-03',
  }),
  ofConsents('ConsentRefused', { consentId: '2', purpose: 'marketing', channel: 'call', textVersion: 'v3', evidence: '录音 78', reason: '不需要' }),
  ofConsents('ConsentWithdrawn', { consentId: '1', purpose: 'marketing', channel: 'sms', contactId: '1', reason: 'enough' }),
  ofPair('SimilarityFound', {
    entered: person,
    score: 0.97,
    reasons: [{ field: 'phone', speaks: 'for', words: 'the same phone' }],
    weights: 1,
    denied: { by: 'an', reason: '父子' },
  }),
  ofPair('PairDecided', { decision: 'later', reason: '待核实' }),
  {
    stream: 'dimension-channel',
    type: 'DimensionDefined',
    data: {
      dimension: 'channel',
      version: 1,
      definition: {
        name: 'Channel',
        values: [{ code: 'app', name: 'App', reviewMonths: 12 }],
        assignedBy: ['rm'],
        readBy: ['rm', 'auditor'],
        validMonths: 24,
        needsAssessment: false,
        downNeedsReason: false,
        customersOnly: true,
      },
    },
  },
  classed(
    'CustomerClassified',
    {
      dimension: 'investor-tolerance',
      dimensionVersion: 0,
      value: 'C3',
      source: { kind: 'person' },
      reason: 'answered the questionnaire',
      assessedOn: '2026-01-10',
      validUntil: '2027-01-10',
    },
    '2026-01-10[Asia/Shanghai]',
  ),
  classed('CustomerClassified', {
    dimension: 'value-tier',
    dimensionVersion: 0,
    value: 'mass',
    source: { kind: 'rule', rule: 'standard', version: 1 },
    explanation: 'The average of 2026-02 is 1.00 CNY, at least the 0.00 CNY of mass.',
    reviewDueOn: '2027-03-01',
  }),
  classed('ClassificationFellDue', { dimension: 'aml-grade', why: 'first-rating', dueOn: '2026-03-17' }, '2026-03-16T16:00:00.000Z'),
  classed('ClassificationWithdrawn', { dimension: 'value-tier', source: { kind: 'person' }, reason: 'entered by mistake' }),
  classed('ClassificationExpired', { dimension: 'investor-tolerance', validUntil: '2027-01-10' }, '2027-01-10T16:00:00.000Z'),
  {
    stream: 'tierpolicy-standard',
    type: 'TierPolicyPublished',
    data: {
      policyId: 'standard',
      version: 1,
      policy: {
        name: 'Standard',
        currency: 'CNY',
        tiers: policyTiers,
        up: 'next-month',
        downAfterMonths: 3,
        downTo: 'last-month',
        watchAfterMonths: 2,
      },
    },
  },
  ofReview('TierReviewRequested', {
    policyId: 'standard',
    version: 1,
    month: '2026-02',
    requestedBy: { subject: 'olga', role: 'operations', scope: 'bank' },
  }),
  ofReview('TierReviewAdvanced', { cursor: person, counts: reviewed }),
  ofReview('TierReviewFinished', { counts: reviewed }),
  {
    stream: `tag-${id('f6')}`,
    type: 'TagDefined',
    data: {
      tag: 'vip',
      entry: { colour: '#d4af37', group: 'value', owner: 'private banking', description: 'By invitation', expiresOn: '2030-12-31' },
    },
  },
  { stream: `tag-${id('f7')}`, type: 'TagDefined', data: { tag: 'new', entry: {} } },
  { stream: `tag-${id('f7')}`, type: 'TagRetired', data: { tag: 'new' } },
  ofTagJob('TagJobRequested', {
    action: 'tag',
    tag: 'spring',
    filter: { kind: 'person', tag: 'vip', standing: 'customer', condition: { is: 'classification', dimension: 'life-cycle', in: ['active'] } },
    requestedBy: { subject: 'olga', role: 'operations', scope: 'bank' },
  }),
  ofTagJob('TagPagePlanned', { cursor: person, customers: [person] }),
  ofTagJob('TagPageDone', { cursor: person, counts: { changed: 1, already: 0, refused: 0 } }),
  ofTagJob('TagJobFinished', {}),
  ofTagJob('TagUndoRequested', { requestedBy: { subject: 'olga', role: 'operations' } }),
  ofTagJob('TagUndoAdvanced', { through: 1, restored: 0, kept: [person], refused: 0 }),
  ofTagJob('TagUndoFinished', {}),
  {
    stream: `tagjob-${id('f8')}`,
    type: 'TagJobRequested',
    data: { jobId: id('f8'), action: 'untag', tag: 'spring', filter: {}, requestedBy: { subject: 'an', role: 'rm' } },
  },
  { stream: `tagjob-${id('f8')}`, type: 'TagJobCancelled', data: { jobId: id('f8') } },
  {
    stream: `segment-${id('f9')}`,
    type: 'SegmentDefined',
    data: {
      segmentId: id('f9'),
      version: 1,
      name: 'Sleeping savers',
      condition: {
        is: 'all',
        of: [
          { is: 'kind', value: 'person' },
          { is: 'standing', value: 'customer' },
          { is: 'branch', in: ['3100'] },
          { is: 'manager', in: ['an'] },
          {
            is: 'any',
            of: [
              { is: 'tag', tag: 'vip' },
              { is: 'not', of: { is: 'classification', dimension: 'life-cycle', in: ['active'] } },
            ],
          },
          { is: 'balance', currency: 'CNY', atLeast: 100, below: 1_000_000 },
          { is: 'holds', thing: 'account', product: 'current' },
          { is: 'ticket', type: 'complaint', waiting: true },
          { is: 'enrolled', campaign },
        ],
      },
      definedBy: { subject: 'olga', role: 'operations' },
    },
  },
  { stream: `segment-${id('f9')}`, type: 'SegmentRetired', data: { segmentId: id('f9') } },
];
