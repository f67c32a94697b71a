// node tests/golden/write.ts: writes those of facts.ts that journal.ndjson lacks to its end, by this program's codec. What stands in it is
// never written again.
import { appendFileSync } from 'node:fs';
import { eventDefinitions } from '../../src/domain/events.ts';
import { EventCodec } from '../../src/journal/codec.ts';
import type { StoredEvent } from '../../src/journal/journal.ts';
import { goldenFacts } from './facts.ts';
import { GOLDEN_FILE, GOLDEN_JOURNAL_ID, goldenKey, readGolden } from './journal.ts';

const START_MS = Date.UTC(2026, 2, 3, 12);
const codec = new EventCodec(GOLDEN_JOURNAL_ID, eventDefinitions);
const revisions = new Map<string, number>();
const there = readGolden();

for (const [index, { stream, asStored, ...fact }] of goldenFacts.entries()) {
  const revision = (revisions.get(stream) ?? -1) + 1;
  revisions.set(stream, revision);
  const stands = there[index];
  if (stands && (stands.stream !== stream || stands.type !== fact.type))
    throw new Error(`line ${index + 1} of the golden journal is ${stands.type}, and facts.ts has ${fact.type} there: add at the end only`);
  if (stands) continue;
  const position = index + 1;
  const recordedAtMs = START_MS + index * 60_000;
  const commandId = `018f3e6a-7c4e-8c9f-8000-${position.toString(16).padStart(12, '0')}`;
  const definition = eventDefinitions.find(({ type }) => type === fact.type);
  // As the program's own deciders give them, so that the golden bytes are ones that could have been written.
  if (!asStored) definition?.data.parse(fact.data);
  const [encoded] = asStored
    ? [{ ...asStored, type: fact.type }]
    : codec.encode(
        stream,
        [fact],
        [goldenKey(fact.subject ?? stream, codec.retentionOf(fact.type))],
        {
          occurredAt: new Date(recordedAtMs).toISOString(),
          actor: { subject: 'chen', role: 'agent' },
          channel: 'rest',
          command: { id: commandId, name: 'Golden', version: 1 },
          correlationId: `golden-${position}`,
        },
        JSON.stringify(fact.data),
      );
  const { id, type, data, metadata } = encoded as NonNullable<typeof encoded>;
  const event: StoredEvent = { position, stream, revision, id, type, recordedAtMs, data, metadata };
  appendFileSync(GOLDEN_FILE, `${JSON.stringify(event)}\n`);
}
