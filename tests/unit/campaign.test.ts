// Campaigns by their rules: what follows what, who is enrolled once, what a job counts.
import { describe, expect, it } from 'vitest';
import { type CampaignCommand, campaign } from '../../src/domain/campaign/campaign.ts';
import { type EnrolmentCommand, enrolment } from '../../src/domain/campaign/enrolment.ts';
import { enrolmentJob, type JobCommand } from '../../src/domain/campaign/enrolment-job.ts';
import type { CampaignFact, EnrolmentFact, JobFact } from '../../src/domain/campaign/events.ts';
import { CampaignResponse } from '../../src/domain/campaign/vocabulary.ts';
import { given, stateAfter } from '../support/given.ts';

const campaignId = '018f3e6a-7c4e-8abc-9def-0123456789a1';
const enrolmentId = '018f3e6a-7c4e-8abc-9def-0123456789b1';
const customerId = '018f3e6a-7c4e-8abc-9def-0123456789c1';
const jobId = '018f3e6a-7c4e-8abc-9def-0123456789d1';

describe('a campaign', () => {
  const dates = { from: '2026-03-01', to: '2026-03-31' };
  const plan = (over: Partial<Extract<CampaignCommand, { do: 'plan' }>> = {}): CampaignCommand => ({
    do: 'plan',
    campaignId,
    name: 'Spring',
    ...dates,
    today: '2026-03-03',
    ...over,
  });
  const planned: CampaignFact = { type: 'CampaignPlanned', data: { campaignId, name: 'Spring', ...dates } };
  const started: CampaignFact = { type: 'CampaignStarted', data: { campaignId } };
  const closed: CampaignFact = { type: 'CampaignClosed', data: { campaignId } };
  const pasts = { none: [], planned: [planned], running: [planned, started], closed: [planned, started, closed], dropped: [planned, closed] };

  it('is planned with what it is for', () => {
    given(campaign)
      .when(plan({ audience: 'savers' }))
      .emits({ type: 'CampaignPlanned', data: { campaignId, name: 'Spring', ...dates, audience: 'savers' } });
  });
  it('is planned once', () => given(campaign, planned).when(plan()).emits());
  it('may have begun before today and end today', () => {
    given(campaign)
      .when(plan({ today: '2026-03-31' }))
      .emits(planned);
  });
  it('is not planned where it would be over already', () => {
    const command = plan({ today: '2026-04-01' });
    given(campaign).when(command).isRefused('CampaignInThePast', 'The campaign would end before today, 2026-04-01: let it end today or later.');
    expect(campaign.decide(command, {})).toMatchObject({ pointer: '/to' });
  });

  const steps = [
    ['none', 'start', 'CampaignNotFound', 'There is no such campaign.'],
    ['none', 'close', 'CampaignNotFound', 'There is no such campaign.'],
    ['planned', 'start', started],
    ['planned', 'close', closed],
    ['running', 'start', 'CampaignTransitionIllegal', 'A running campaign can not be started; it can be closed.'],
    ['running', 'close', closed],
    ['closed', 'start', 'CampaignTransitionIllegal', 'A closed campaign can not be started; nothing more can be done with it.'],
    ['closed', 'close', 'CampaignTransitionIllegal', 'A closed campaign can not be closed; nothing more can be done with it.'],
    ['dropped', 'start', 'CampaignTransitionIllegal', 'A closed campaign can not be started; nothing more can be done with it.'],
  ] as const;
  it.each(steps)('that is %s meets %s', (past, act, result, detail?: string) => {
    const decided = given(campaign, ...pasts[past]).when({ do: act, campaignId });
    if (typeof result === 'string') decided.isRefused(result, detail);
    else decided.emits(result);
  });
});

describe('an enrolment', () => {
  const named = { enrolmentId, campaignId, customerId };
  const subject = `customer-${customerId}`;
  const enrol = (over: Partial<Extract<EnrolmentCommand, { do: 'enrol' }>> = {}): EnrolmentCommand => ({
    do: 'enrol',
    ...named,
    campaignStatus: 'running',
    ...over,
  });
  const respond = (response: string, campaignStatus: EnrolmentCommand['campaignStatus'] = 'running'): EnrolmentCommand => ({
    do: 'respond',
    ...named,
    response,
    campaignStatus,
  });
  const enrolled: EnrolmentFact = { type: 'CampaignEnrolled', data: named, subject };
  const responded = (response: string): EnrolmentFact => ({ type: 'ResponseRecorded', data: { ...named, response }, subject });

  it('is the customer’s own, by whom it is found again', () => given(enrolment).when(enrol()).emits(enrolled));
  it('says by which job it came', () => {
    given(enrolment)
      .when(enrol({ jobId }))
      .emits({ type: 'CampaignEnrolled', data: { ...named, jobId }, subject });
  });
  it('is made once, also by a job, and after the campaign closed it still stands', () => {
    given(enrolment, enrolled).when(enrol()).emits();
    given(enrolment, enrolled).when(enrol({ jobId })).emits();
    given(enrolment, enrolled)
      .when(enrol({ campaignStatus: 'closed' }))
      .emits();
  });
  it('is taken only while the campaign runs', () => {
    given(enrolment)
      .when(enrol({ campaignStatus: 'planned' }))
      .isRefused('CampaignNotRunning', 'The campaign is only planned: start it first.');
    given(enrolment)
      .when(enrol({ campaignStatus: 'closed' }))
      .isRefused('CampaignNotRunning', 'The campaign is closed.');
  });

  it('keeps each response that differs from the last', () => {
    given(enrolment, enrolled).when(respond('interested')).emits(responded('interested'));
    given(enrolment, enrolled, responded('interested')).when(respond('interested')).emits();
    given(enrolment, enrolled, responded('interested')).when(respond('declined')).emits(responded('declined'));
    given(enrolment, enrolled, responded('interested'), responded('declined')).when(respond('interested')).emits(responded('interested'));
  });
  it('takes no response without being, nor after the campaign closed', () => {
    given(enrolment).when(respond('interested')).isRefused('NotEnrolled');
    given(enrolment, enrolled).when(respond('interested', 'closed')).isRefused('CampaignNotRunning', 'The campaign is closed.');
  });
});

describe('a response', () => {
  it.each([
    ['Interested', 'interested'],
    [' 感兴趣 ', '感兴趣'],
    ['Déjà vu'.normalize('NFD'), 'déjà vu'.normalize('NFC')],
    ['call-back in_May 2', 'call-back in_may 2'],
  ])('%j is kept as %j', (text, kept) => expect(CampaignResponse.parse(text)).toBe(kept));
  it.each(['', ' ', '-no', '=cmd()', 'a'.repeat(51), 'yes!', 'a\nb'])('%j is none', (text) => {
    expect(CampaignResponse.safeParse(text).success).toBe(false);
  });
});

describe('an enrolment job', () => {
  const requestedBy = { subject: 'li', role: 'rm' };
  const filter = { tag: 'vip' };
  const request = (over: Partial<Extract<JobCommand, { do: 'request' }>> = {}): JobCommand => ({
    do: 'request',
    jobId,
    campaignId,
    filter,
    requestedBy,
    campaignStatus: 'running',
    ...over,
  });
  const requested: JobFact = { type: 'EnrolmentRequested', data: { jobId, campaignId, filter, requestedBy } };
  const counts = { enrolled: 150, already: 45, refused: 5 };
  const advance = (after: string | null, cursor: string): JobCommand => ({ do: 'advance', jobId, after, cursor, counts });
  const finish = (after: string | null, detail?: string): JobCommand => ({
    do: 'finish',
    jobId,
    after,
    counts: { enrolled: 1, already: 0, refused: 2 },
    detail,
  });
  const other = '018f3e6a-7c4e-8abc-9def-0123456789c2';
  const advanced: JobFact = { type: 'EnrolmentAdvanced', data: { jobId, cursor: customerId, ...counts } };
  const finished: JobFact = { type: 'EnrolmentFinished', data: { jobId, enrolled: 151, already: 45, refused: 7 } };

  it('keeps whose sight it has', () => {
    given(enrolmentJob).when(request()).emits(requested);
    given(enrolmentJob)
      .when(request({ requestedBy: { subject: 'wu', role: 'operations', scope: 'branch:3100' } }))
      .emits({
        type: 'EnrolmentRequested',
        data: { jobId, campaignId, filter, requestedBy: { subject: 'wu', role: 'operations', scope: 'branch:3100' } },
      });
  });
  it('is requested once, and only of a running campaign', () => {
    given(enrolmentJob, requested).when(request()).emits();
    given(enrolmentJob)
      .when(request({ campaignStatus: 'planned' }))
      .isRefused('CampaignNotRunning');
  });
  it('adds each page to its totals', () => {
    given(enrolmentJob, requested).when(advance(null, customerId)).emits(advanced);
    given(enrolmentJob, requested, advanced)
      .when(advance(customerId, other))
      .emits({ type: 'EnrolmentAdvanced', data: { jobId, cursor: other, enrolled: 300, already: 90, refused: 10 } });
    given(enrolmentJob, requested, advanced).when(finish(customerId)).emits(finished);
  });
  it('says why it ended early', () => {
    given(enrolmentJob, requested)
      .when(finish(null, 'The campaign was closed.'))
      .emits({ type: 'EnrolmentFinished', data: { jobId, enrolled: 1, already: 0, refused: 2, detail: 'The campaign was closed.' } });
  });
  it('counts a page once, whoever worked on it again', () => {
    given(enrolmentJob, requested, advanced).when(advance(null, customerId)).emits();
    given(enrolmentJob, requested, advanced).when(advance(null, other)).emits();
    given(enrolmentJob, requested, advanced).when(finish(null)).emits();
    given(enrolmentJob, requested, advanced, finished).when(finish(customerId)).emits();
    given(enrolmentJob, requested, advanced, finished).when(advance(customerId, other)).emits();
  });
  it('that is none takes no page', () => {
    given(enrolmentJob).when(advance(null, customerId)).isRefused('JobNotFound');
    expect(stateAfter(enrolmentJob, [requested, advanced, finished])).toStrictEqual({
      status: 'finished',
      cursor: customerId,
      counts: { enrolled: 151, already: 45, refused: 7 },
    });
  });
});
