// The ticket list's fold: what a row says after each event, and how its deadlines stand.
import { describe, expect, it } from 'vitest';
import type { Fact } from '../../src/domain/kernel/event.ts';
import { Sealed } from '../../src/domain/kernel/personal.ts';
import { type TicketRow, tickets } from '../../src/projections/tickets/tickets.ts';
import { recorded } from '../support/recorded.ts';

const ticketId = '018f3e6a-7c4e-8abc-9def-0123456789a1';
const stream = `ticket-${ticketId}`;
const sealed = (field: string): Sealed => new Sealed(stream, 'e', field, '1.1.AAAA.BBBB');
const noon = '2026-03-03T12:00:00.000Z';
const clock = (dueAt: string, startedAt = noon) => ({ startedAt, warnAt: startedAt, dueAt });
const versions = { policy: { id: 'standard', version: 1 }, calendar: { id: 'cn-bank', version: 1 }, provisional: false };
const firstDue = '2026-03-04T02:00:00.000Z';
const resolutionDue = '2026-03-10T09:30:00.000Z';
const sla = { ...versions, firstResponse: clock(firstDue), resolution: clock(resolutionDue) };

const told = { ticketId, type: 'complaint', priority: 'normal', channel: 'web', summary: sealed('summary') };
const opened = (over: object = {}, occurredAt = noon): Fact => ({
  type: 'TicketOpened',
  data: { ...told, openedBy: 'chen', sla, ...over },
  occurredAt,
});
const imported = (over: object = {}): Fact => {
  const data = { ...told, source: { system: 'cfpb', id: '42' }, receivedAt: '2019-04-01[America/New_York]', importedAt: noon, closed: true, ...over };
  return { type: 'TicketImported', data, occurredAt: data.receivedAt };
};
const at = (type: string, occurredAt: string, data: object = {}): Fact => ({ type, data: { ticketId, ...data }, occurredAt });
const assigned = (assignee = 'dai'): Fact => at('TicketAssigned', noon, { assignee });
const started = (occurredAt = noon, assignee = 'dai'): Fact => at('TicketStarted', occurredAt, { assignee });
const resolved = (occurredAt = noon): Fact => at('TicketResolved', occurredAt, { resolution: sealed('resolution') });
const reopened = (dueAt: string, occurredAt = noon, provisional = false): Fact =>
  at('TicketReopened', occurredAt, {
    sla: { policy: { id: 'standard', version: 2 }, calendar: { id: 'cn-bank', version: 3 }, provisional, resolution: clock(dueAt, occurredAt) },
  });
const closed = (occurredAt = noon): Fact => at('TicketClosed', occurredAt);
const warned = (name: string, dueAt: string): Fact => at('SlaWarned', noon, { clock: name, dueAt, muted: false });
const breached = (name: string, dueAt: string): Fact => at('SlaBreached', dueAt, { clock: name, dueAt, muted: false });

/** The row after these, revisions counted from 0. */
function row(...facts: readonly Fact[]): TicketRow {
  let after: TicketRow | undefined;
  for (const [revision, fact] of facts.entries()) {
    const event = recorded(stream, fact, { revision });
    const keys = tickets.keys(event);
    expect(keys).toStrictEqual([ticketId]);
    expect(tickets.creates.has(event.type)).toBe(revision === 0);
    after = tickets.apply(after, event, keys[0] ?? '');
  }
  return after as TicketRow;
}
const standing = (...facts: readonly Fact[]) => {
  const { first_response, first_response_at, resolution, resolution_at, due_at } = row(...facts);
  return { first_response, first_response_at, resolution, resolution_at, due_at };
};

describe('the row of a ticket', () => {
  it('says of one just opened all that is known of it', () => {
    expect(row(opened({ product: 'Debit card', description: sealed('description') }))).toStrictEqual({
      id: ticketId,
      customer_id: null,
      type: 'complaint',
      priority: 'normal',
      channel: 'web',
      product: 'Debit card',
      status: 'open',
      assignee: null,
      opened_by: 'chen',
      source_system: null,
      source_id: null,
      opened_at: noon,
      opened_month: '2026-03',
      closed_at: null,
      first_response_due_at: firstDue,
      first_response_at: null,
      first_response: 'running',
      resolution_due_at: resolutionDue,
      resolution_at: null,
      resolution: 'running',
      due_at: firstDue,
      sla_policy: 'standard 1',
      calendar: 'cn-bank 1',
      provisional: false,
      verdict: null,
      summary: sealed('summary'),
      search: [sealed('summary'), sealed('description')],
      position: 1,
      revision: 0,
    });
  });

  it('says of one imported closed that nobody knows how its deadlines were kept', () => {
    expect(row(imported({ verdict: 'untimely' }))).toStrictEqual({
      ...row(opened()),
      status: 'closed',
      opened_by: null,
      source_system: 'cfpb',
      source_id: '42',
      opened_at: '2019-04-01T04:00:00.000Z',
      opened_month: '2019-04',
      first_response_due_at: null,
      first_response: 'unknown',
      resolution_due_at: null,
      resolution: 'unknown',
      due_at: null,
      sla_policy: null,
      calendar: null,
      verdict: 'untimely',
    });
    expect(row(imported({ closedAt: '2019-04-09T10:00:00+02:00' })).closed_at).toBe('2019-04-09T08:00:00.000Z');
  });

  it('says of one imported open how its clocks run', () => {
    const late = { ...versions, provisional: true, firstResponse: clock('2019-04-02T09:30:00.000Z'), resolution: clock('2019-04-16T09:30:00.000Z') };
    expect(row(imported({ closed: false, sla: late }))).toMatchObject({
      status: 'open',
      first_response: 'running',
      resolution: 'running',
      due_at: '2019-04-02T09:30:00.000Z',
      provisional: true,
      calendar: 'cn-bank 1',
    });
  });

  it('follows its status and who has it', () => {
    const life = [
      opened(),
      assigned('dai'),
      assigned('eve'),
      started(noon, 'eve'),
      resolved(),
      reopened(resolutionDue),
      started(noon, 'eve'),
      resolved(),
      closed(),
    ];
    const seen = life.map((_, index) => {
      const { status, assignee, revision } = row(...life.slice(0, index + 1));
      return [status, assignee, revision];
    });
    expect(seen).toStrictEqual([
      ['open', null, 0],
      ['assigned', 'dai', 1],
      ['assigned', 'eve', 2],
      ['in-progress', 'eve', 3],
      ['resolved', 'eve', 4],
      ['assigned', 'eve', 5],
      ['in-progress', 'eve', 6],
      ['resolved', 'eve', 7],
      ['closed', 'eve', 8],
    ]);
    expect(row(imported(), reopened(resolutionDue))).toMatchObject({ status: 'open', assignee: null, closed_at: null });
  });

  it('has the time of closing while it is closed', () => {
    const life = [opened(), started(), resolved(), closed('2026-03-05T01:00:00.000Z')];
    expect(row(...life).closed_at).toBe('2026-03-05T01:00:00.000Z');
    expect(row(...life, reopened(resolutionDue)).closed_at).toBeNull();
  });

  it('is not made up where the ticket is not there', () => {
    expect(() => tickets.apply(undefined, recorded(stream, assigned()), ticketId)).toThrow('TicketAssigned of a ticket that is not there');
  });

  it('has a cell for each column of its table and no other', () => {
    expect(Object.keys(row(opened())).sort()).toStrictEqual(Object.keys(tickets.table.columns).sort());
    for (const one of [row(opened()), row(imported()), row(opened(), started(), resolved(), reopened(resolutionDue))]) {
      for (const [name, column] of Object.entries(tickets.table.columns)) {
        const cell = one[name as keyof TicketRow];
        expect(cell === undefined || (cell === null && !('nullable' in column))).toBe(false);
      }
    }
  });
});

describe('a deadline', () => {
  const late = '2026-03-04T02:00:00.001Z';
  it('of first response is met by the start of work until it is due, and breached after it', () => {
    expect(standing(opened(), started(firstDue))).toMatchObject({ first_response: 'met', first_response_at: firstDue, resolution: 'running' });
    expect(standing(opened(), started(late))).toMatchObject({ first_response: 'breached', first_response_at: late });
  });
  it('of first response stays answered, however often work starts', () => {
    expect(standing(opened(), started(firstDue), assigned(), started(late))).toMatchObject({ first_response: 'met', first_response_at: firstDue });
    expect(standing(opened(), started(firstDue), resolved(), reopened('2026-04-01T00:00:00.000Z'), started(late))).toMatchObject({
      first_response: 'met',
      first_response_at: firstDue,
    });
  });
  it('of resolution is met by resolving until it is due, and breached after it', () => {
    expect(standing(opened(), started(), resolved(resolutionDue))).toStrictEqual({
      first_response: 'met',
      first_response_at: noon,
      resolution: 'met',
      resolution_at: resolutionDue,
      due_at: null,
    });
    expect(standing(opened(), started(), resolved('2026-03-10T09:30:00.001Z'))).toMatchObject({
      resolution: 'breached',
      resolution_at: '2026-03-10T09:30:00.001Z',
      due_at: null,
    });
  });
  it('is breached as soon as its timer says so, and stays so when it is answered', () => {
    expect(standing(opened(), breached('first-response', firstDue))).toMatchObject({
      first_response: 'breached',
      first_response_at: null,
      resolution: 'running',
      due_at: firstDue,
    });
    expect(standing(opened(), breached('first-response', firstDue), started(late))).toMatchObject({
      first_response: 'breached',
      first_response_at: late,
      due_at: resolutionDue,
    });
    expect(standing(opened(), started(), breached('resolution', resolutionDue))).toMatchObject({
      first_response: 'met',
      resolution: 'breached',
      due_at: resolutionDue,
    });
  });
  it('is not touched by its warning', () => {
    const { revision, ...before } = row(opened());
    expect(row(opened(), warned('resolution', resolutionDue))).toStrictEqual({ ...before, revision: revision + 1 });
  });
  it('of resolution runs anew after a reopening, by the versions of then', () => {
    const again = '2026-04-01T09:30:00.000Z';
    const life = [
      opened(),
      breached('first-response', firstDue),
      started(late),
      breached('resolution', resolutionDue),
      resolved('2026-03-11T00:00:00.000Z'),
      reopened(again, noon, true),
    ];
    expect(row(...life)).toMatchObject({
      first_response: 'breached',
      first_response_at: late,
      resolution: 'running',
      resolution_at: null,
      resolution_due_at: again,
      due_at: again,
      sla_policy: 'standard 2',
      calendar: 'cn-bank 3',
      provisional: true,
    });
    expect(row(...life, started(), resolved(again))).toMatchObject({ resolution: 'met', resolution_at: again, due_at: null });
  });
  it('that was unknown stays unknown for the first response and runs for the resolution after a reopening', () => {
    const life = [imported(), reopened(resolutionDue), started()];
    expect(standing(...life)).toStrictEqual({
      first_response: 'unknown',
      first_response_at: null,
      resolution: 'running',
      resolution_at: null,
      due_at: resolutionDue,
    });
    expect(standing(...life, resolved())).toMatchObject({ first_response: 'unknown', resolution: 'met', due_at: null });
  });
  it('that is nearest is the row’s', () => {
    const reversed = { ...versions, firstResponse: clock(resolutionDue), resolution: clock(firstDue) };
    expect(row(opened({ sla: reversed })).due_at).toBe(firstDue);
    expect(row(opened({ sla: reversed }), started()).due_at).toBe(firstDue);
    expect(row(opened(), started()).due_at).toBe(resolutionDue);
  });
});

describe('the month of a ticket', () => {
  const month = (receivedAt: string): string => row(imported({ receivedAt })).opened_month;
  it('is that of the day in the source’s own zone', () => {
    expect(month('2019-03-31[America/New_York]')).toBe('2019-03');
    expect(month('2019-04-01[Asia/Shanghai]')).toBe('2019-04');
    expect(month('2019-03-31T23:30:00-04:00')).toBe('2019-03');
    expect(month('2019-04-01T00:30:00+08:00')).toBe('2019-04');
  });
  it('is that of the day in the bank’s zone for one opened here', () => {
    const at = (startedAt: string): string => row(opened({ sla: { ...sla, firstResponse: clock(firstDue, startedAt) } }, startedAt)).opened_month;
    expect(['2026-03-31T15:59:59.999Z', '2026-03-31T16:00:00.000Z', '2026-12-31T16:00:00.000Z'].map(at)).toStrictEqual([
      '2026-03',
      '2026-04',
      '2027-01',
    ]);
  });
  it('begins where the source’s day begins, also where the clocks change at midnight', () => {
    expect(row(imported({ receivedAt: '2018-11-04[America/Sao_Paulo]' })).opened_at).toBe('2018-11-04T03:00:00.000Z');
    expect(row(imported({ receivedAt: '2019-03-31T23:30:00.5-04:00' })).opened_at).toBe('2019-04-01T03:30:00.500Z');
  });
});
