// The vocabulary of tags and the jobs that tag many, by their rules: each page once, cancelled between pages, undone in their order.
import { describe, expect, it } from 'vitest';
import { tagEntry } from '../../src/domain/tagging/entry.ts';
import type { TagJobFact } from '../../src/domain/tagging/events.ts';
import { type TagJobCommand, tagJob, tagJobVisibleTo } from '../../src/domain/tagging/tag-job.ts';
import { given, stateAfter } from '../support/given.ts';

const jobId = '018f3e6a-7c4e-8abc-9def-0123456789d1';
const [one, two] = ['018f3e6a-7c4e-8abc-9def-0123456789c1', '018f3e6a-7c4e-8abc-9def-0123456789c2'] as const;

describe('an entry of the vocabulary', () => {
  const define = { do: 'define', tag: 'vip', entry: { colour: '#d4af37', group: 'value' } } as const;
  const defined = { type: 'TagDefined', data: { tag: 'vip', entry: define.entry } } as const;
  it('is defined whole, and nothing new where it stands so', () => {
    given(tagEntry).when(define).emits(defined);
    given(tagEntry, defined)
      .when({ ...define, entry: { group: 'value', colour: '#d4af37' } })
      .emits();
    given(tagEntry, defined)
      .when({ ...define, entry: {} })
      .emits({ type: 'TagDefined', data: { tag: 'vip', entry: {} } });
  });
  it('is retired once, and can be defined again', () => {
    const retired = { type: 'TagRetired', data: { tag: 'vip' } } as const;
    given(tagEntry, defined).when({ do: 'retire', tag: 'vip' }).emits(retired);
    given(tagEntry, defined, retired).when({ do: 'retire', tag: 'vip' }).isRefused('TagNotFound');
    given(tagEntry, defined, retired).when(define).emits(defined);
  });
});

describe('a tag job', () => {
  const requestedBy = { subject: 'li', role: 'rm' };
  const request: Extract<TagJobCommand, { do: 'request' }> = {
    do: 'request',
    jobId,
    action: 'tag',
    tag: 'vip',
    filter: { branch: '3100' },
    requestedBy,
    entry: undefined,
    readsDimensions: true,
    today: '2026-03-03',
  };
  const requested: TagJobFact = { type: 'TagJobRequested', data: { jobId, action: 'tag', tag: 'vip', filter: { branch: '3100' }, requestedBy } };
  const planned: TagJobFact = { type: 'TagPagePlanned', data: { jobId, cursor: two, customers: [one, two] } };
  const counts = { changed: 1, already: 1, refused: 0 };
  const done: TagJobFact = { type: 'TagPageDone', data: { jobId, cursor: two, counts } };
  const finished: TagJobFact = { type: 'TagJobFinished', data: { jobId } };
  const cancelled: TagJobFact = { type: 'TagJobCancelled', data: { jobId } };
  const undoing: TagJobFact = { type: 'TagUndoRequested', data: { jobId, requestedBy } };
  const plan: TagJobCommand = { do: 'plan', jobId, after: null, customers: [one, two] };

  it('is requested once', () => {
    given(tagJob).when(request).emits(requested);
    given(tagJob, requested).when(request).emits();
  });
  it('gives no tag whose time is over, and takes it off all the same', () => {
    const over = { ...request, entry: { expiresOn: '2026-03-02' } };
    given(tagJob).when(over).isRefused('TagExpired');
    given(tagJob)
      .when({ ...request, entry: { expiresOn: '2026-03-03' } })
      .emits(requested);
    given(tagJob)
      .when({ ...over, action: 'untag' })
      .emits({ ...requested, data: { ...requested.data, action: 'untag' } } as TagJobFact);
  });
  it('asks for no dimension that its requester may not read', () => {
    given(tagJob)
      .when({ ...request, readsDimensions: false })
      .isRefused('DimensionUnknown');
  });
  it('plans one page at a time, from where it stands', () => {
    given(tagJob, requested).when(plan).emits(planned);
    given(tagJob, requested, planned).when(plan).emits();
    given(tagJob, requested, planned, done).when(plan).emits();
    given(tagJob, requested, planned, done).when({ do: 'plan', jobId, after: two, customers: [] }).emits();
    given(tagJob).when(plan).isRefused('TagJobNotFound');
  });
  it('counts a page once', () => {
    const page = { do: 'page-done', jobId, cursor: two, counts } as const;
    given(tagJob, requested, planned).when(page).emits(done);
    given(tagJob, requested, planned, done).when(page).emits();
  });
  it('is not finished while a page is open', () => {
    given(tagJob, requested, planned).when({ do: 'finish', jobId, after: null }).emits();
    given(tagJob, requested, planned, done).when({ do: 'finish', jobId, after: two }).emits(finished);
  });
  it('is cancelled while it runs, and then plans no page; the one in hand is still told', () => {
    given(tagJob, requested).when({ do: 'cancel', jobId }).emits(cancelled);
    given(tagJob, requested, cancelled).when({ do: 'cancel', jobId }).emits();
    given(tagJob, requested, finished).when({ do: 'cancel', jobId }).isRefused('TagJobOver');
    given(tagJob, requested, cancelled).when(plan).emits();
    given(tagJob, requested, planned, cancelled).when({ do: 'page-done', jobId, cursor: two, counts }).emits(done);
  });
  it('is undone when it is over, once', () => {
    given(tagJob, requested).when({ do: 'undo', jobId, requestedBy }).isRefused('TagJobRunning');
    for (const end of [finished, cancelled]) given(tagJob, requested, end).when({ do: 'undo', jobId, requestedBy }).emits(undoing);
    given(tagJob, requested, finished, undoing).when({ do: 'undo', jobId, requestedBy }).emits();
  });
  it('undoes page after page', () => {
    const advance = { do: 'advance-undo', jobId, after: -1, through: 1, restored: 1, kept: [two], refused: 0 } as const;
    const advanced: TagJobFact = { type: 'TagUndoAdvanced', data: { jobId, through: 1, restored: 1, kept: [two], refused: 0 } };
    const past = [requested, planned, done, finished, undoing];
    given(tagJob, ...past)
      .when(advance)
      .emits(advanced);
    given(tagJob, ...past, advanced)
      .when(advance)
      .emits();
    given(tagJob, ...past, advanced)
      .when({ do: 'finish-undo', jobId, after: -1 })
      .emits();
    given(tagJob, ...past, advanced)
      .when({ do: 'finish-undo', jobId, after: 1 })
      .emits({ type: 'TagUndoFinished', data: { jobId } });
  });
  it('is its relationship manager’s own', () => {
    const state = stateAfter(tagJob, [requested]);
    const seen = (subject: string, role: string) => tagJobVisibleTo(state, { subject, role });
    expect([seen('li', 'rm'), seen('zhao', 'rm'), seen('ops', 'operations')]).toStrictEqual([true, false, true]);
  });
});
