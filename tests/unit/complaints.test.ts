// Rows of the Bureau's export as lines of the tickets feed: what is taken, and which column a bad row is told by.
import { describe, expect, it } from 'vitest';
import { type ComplaintRow, complaintColumns, complaintLine } from '../../src/cli/complaints.ts';
import { ImportedTicket } from '../../src/commands/ticket.ts';

const row = (over: ComplaintRow = {}): ComplaintRow => ({
  'Complaint ID': '2471340',
  'Submitted via': 'Web',
  'Date submitted': '2017-05-01',
  'Date received': '2017-05-04',
  State: 'MO',
  Product: 'Checking or savings account',
  'Sub-product': 'Savings account',
  Issue: 'Managing an account',
  'Sub-issue': 'Funds not handled as instructed',
  'Company public response': 'Company chooses not to respond',
  'Company response to consumer': 'Closed with explanation',
  'Timely response?': 'Yes',
  ...over,
});

describe('a complaint', () => {
  it('becomes a line that the feed takes, closed without a time of closing', () => {
    const line = complaintLine(row());
    expect(line).toStrictEqual({
      source: { system: 'cfpb', id: '2471340' },
      type: 'complaint',
      priority: 'normal',
      channel: 'web',
      product: 'Checking or savings account',
      summary: 'Managing an account: Funds not handled as instructed',
      details: {
        submittedOn: '2017-05-01',
        state: 'MO',
        subProduct: 'Savings account',
        publicResponse: 'Company chooses not to respond',
        response: 'Closed with explanation',
      },
      receivedAt: '2017-05-04[America/New_York]',
      closed: true,
      verdict: 'timely',
    });
    expect(ImportedTicket.parse(line)).toStrictEqual(line);
  });

  it('is open and without a verdict while it is in progress', () => {
    const line = complaintLine(row({ 'Company response to consumer': 'In progress', 'Timely response?': '' }));
    expect([line.closed, line.closedAt, 'verdict' in line]).toStrictEqual([false, undefined, false]);
    expect(ImportedTicket.safeParse(line).success).toBe(true);
  });

  it('keeps the Bureau’s verdict as it is', () => {
    expect(complaintLine(row({ 'Timely response?': 'No' })).verdict).toBe('untimely');
  });

  it('leaves out what is empty, and names no customer', () => {
    const line = complaintLine(row({ State: '', Product: '', 'Sub-product': '', 'Sub-issue': '', 'Company public response': ' ' }));
    expect(line).not.toHaveProperty('product');
    expect(line).not.toHaveProperty('customer');
    expect(line.summary).toBe('Managing an account');
    expect(line.details).toStrictEqual({ submittedOn: '2017-05-01', response: 'Closed with explanation' });
    expect(ImportedTicket.safeParse(line).success).toBe(true);
  });

  it.each([
    ['Web', 'web'],
    ['Referral', 'referral'],
    ['Web Referral', 'referral'],
    ['Phone', 'call-centre'],
    ['Postal mail', 'post'],
    ['Fax', 'fax'],
    ['Email', 'e-mail'],
  ])('by %s came over %s', (via, channel) => {
    expect(complaintLine(row({ 'Submitted via': via })).channel).toBe(channel);
  });

  it.each([
    ['Complaint ID', '', 'Complaint ID is "", expected a number'],
    ['Complaint ID', '12a', 'Complaint ID is "12a", expected a number'],
    ['Complaint ID', '1234567890123', 'Complaint ID is "1234567890123", expected a number'],
    ['Submitted via', 'Pigeon', 'Submitted via is "Pigeon", expected one of Web, Referral, Web Referral, Phone, Postal mail, Fax, Email'],
    ['Submitted via', 'constructor', 'Submitted via is "constructor", expected one of Web, Referral, Web Referral, Phone, Postal mail, Fax, Email'],
    ['Date received', '', 'Date received is "", expected a date such as 2019-03-31'],
    ['Date received', '05/04/2017', 'Date received is "05/04/2017", expected a date such as 2019-03-31'],
    ['Date received', '2017-02-29', 'Date received is "2017-02-29", expected a date such as 2019-03-31'],
    ['Date submitted', '20170501', 'Date submitted is "20170501", expected a date such as 2019-03-31'],
    ['Date submitted', '2017-13-01', 'Date submitted is "2017-13-01", expected a date such as 2019-03-31'],
    ['Timely response?', 'Maybe', 'Timely response? is "Maybe", expected Yes, No or nothing'],
    ['Timely response?', 'toString', 'Timely response? is "toString", expected Yes, No or nothing'],
    ['Company response to consumer', ' ', 'Company response to consumer is empty, expected In progress or how it was closed'],
    ['Issue', '', 'Issue is empty'],
  ])('with %s %j is refused with a sentence', (column, value, sentence) => {
    expect(() => complaintLine(row({ [column]: value }))).toThrow(new Error(sentence));
  });

  it.each(['Complaint ID', 'Submitted via', 'Date submitted', 'Date received', 'Issue', 'Company response to consumer'])(
    'without the column %s is refused',
    (column) => {
      const { [column]: _, ...rest } = row();
      expect(() => complaintLine(rest)).toThrow(column);
    },
  );

  it('reads exactly the columns that an import asks for', () => {
    const read = new Set<string>();
    complaintLine(new Proxy(row(), { get: (target, column) => read.add(String(column)) && Reflect.get(target, column) }));
    expect([...read].sort()).toStrictEqual([...complaintColumns].sort());
  });
});

describe('an imported ticket', () => {
  const line = () => complaintLine(row());
  it.each(['2017-05-04[America/New_York]', '2017-05-04[+08:00]', '2017-05-04T09:00:00Z', '2017-05-04T09:00:00.123456789+08:00'])(
    'may be received at %s',
    (receivedAt) => {
      expect(ImportedTicket.parse({ ...line(), receivedAt })).toMatchObject({ receivedAt });
    },
  );
  it.each([
    '2017-05-04',
    '2017-05-04T09:00:00',
    '2017-02-29[Asia/Shanghai]',
    '2017-05-04[Mars/Olympus]',
    '20170504[Asia/Shanghai]',
    '20170504T090000Z',
    '2017-05-04t09:00:00z',
    '2017-05-04 09:00:00Z',
    '2017-05-04T09:00:00Z[America/New_York]',
    '+002017-05-04T09:00:00Z',
    '1899-12-31[Asia/Shanghai]',
    '2199-06-01T00:00:00Z',
    '9999-12-31T23:59:59Z',
  ])('may not be received at %s', (receivedAt) => {
    const { error } = ImportedTicket.safeParse({ ...line(), receivedAt });
    expect(error?.issues.map(({ path, message }) => [path, message])).toStrictEqual([
      [['receivedAt'], expect.stringContaining('an RFC 3339 instant such as 2017-05-01T09:00:00Z, or a date with its zone such as')],
    ]);
  });
  it('has a time of closing only where it is closed', () => {
    const closedAt = '2017-05-09[America/New_York]';
    expect(ImportedTicket.safeParse({ ...line(), closedAt }).success).toBe(true);
    expect(ImportedTicket.safeParse({ ...line(), closedAt, closed: false }).error?.issues[0]?.path).toStrictEqual(['closedAt']);
  });
});
