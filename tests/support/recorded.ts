// Recorded events for tests of folds: a fact as the journal would give it back, with only what matters spelled out.
import type { Fact, RecordedEvent } from '../../src/domain/kernel/event.ts';

export function recorded(stream: string, fact: Fact, over: Partial<RecordedEvent> = {}): RecordedEvent {
  const occurredAt = fact.occurredAt ?? '2026-03-03T12:00:00.000Z';
  return {
    id: '018f3e6a-7c4e-8abc-9def-0123456789e0',
    stream,
    revision: 0,
    position: 1,
    type: fact.type,
    schema: 1,
    occurredAt,
    recordedAt: '2026-03-03T12:00:00.000Z',
    actor: { subject: 'chen', role: 'agent' },
    channel: 'rest',
    command: { id: '018f3e6a-7c4e-8abc-9def-0123456789c0', name: 'Tested', version: 1 },
    bodyHash: '',
    correlationId: 'test',
    data: fact.data,
    ...over,
  };
}
