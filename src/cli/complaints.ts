// Complaints of the US Consumer Financial Protection Bureau, a CSV row to a line of the tickets feed. What may be concluded from them:
// no customer, no instant of response, no end of what is closed; "Timely response?" is the Bureau's verdict and stays that.
import type { z } from 'zod';
import type { ImportedTicket } from '../commands/ticket.ts';

export type ComplaintLine = z.input<typeof ImportedTicket>;

/** A row as the Bureau's export has it, by its own column names. */
export type ComplaintRow = Readonly<Record<string, string>>;

export const complaintColumns = [
  'Complaint ID',
  'Submitted via',
  'Date submitted',
  'Date received',
  'State',
  'Product',
  'Sub-product',
  'Issue',
  'Sub-issue',
  'Company public response',
  'Company response to consumer',
  'Timely response?',
] as const;

const channels: ReadonlyMap<string, ComplaintLine['channel']> = new Map([
  ['Web', 'web'],
  ['Referral', 'referral'],
  ['Web Referral', 'referral'],
  ['Phone', 'call-centre'],
  ['Postal mail', 'post'],
  ['Fax', 'fax'],
  ['Email', 'e-mail'],
]);
const verdicts: ReadonlyMap<string, ComplaintLine['verdict']> = new Map([
  ['Yes', 'timely'],
  ['No', 'untimely'],
  ['', undefined],
]);

/** @throws Error naming the column and what would be right */
export function complaintLine(row: ComplaintRow): ComplaintLine {
  const of = (column: (typeof complaintColumns)[number]): string => (row[column] ?? '').trim();
  const id = of('Complaint ID');
  if (!/^\d{1,12}$/.test(id)) throw new Error(`Complaint ID is "${id}", expected a number`);
  const channel = channels.get(of('Submitted via'));
  if (!channel) throw new Error(`Submitted via is "${of('Submitted via')}", expected one of ${[...channels.keys()].join(', ')}`);
  const received = dateOf('Date received', of('Date received'));
  const submitted = dateOf('Date submitted', of('Date submitted'));
  const answer = of('Timely response?');
  if (!verdicts.has(answer)) throw new Error(`Timely response? is "${answer}", expected Yes, No or nothing`);
  const verdict = verdicts.get(answer);
  const response = of('Company response to consumer');
  if (response === '') throw new Error('Company response to consumer is empty, expected In progress or how it was closed');
  const issue = of('Issue');
  if (issue === '') throw new Error('Issue is empty');
  const details = {
    submittedOn: submitted,
    state: of('State'),
    subProduct: of('Sub-product'),
    publicResponse: of('Company public response'),
    response,
  };
  return {
    source: { system: 'cfpb', id },
    type: 'complaint',
    priority: 'normal',
    channel,
    ...(of('Product') === '' ? {} : { product: of('Product') }),
    summary: of('Sub-issue') === '' ? issue : `${issue}: ${of('Sub-issue')}`,
    details: Object.fromEntries(Object.entries(details).filter(([, value]) => value !== '')),
    // "Date received" is when the Bureau sent it to the bank: a date without time, in the Bureau's zone.
    receivedAt: `${received}[America/New_York]`,
    closed: response !== 'In progress',
    ...(verdict ? { verdict } : {}),
  };
}

function dateOf(column: string, text: string): string {
  try {
    if (/^\d{4}-\d\d-\d\d$/.test(text)) return Temporal.PlainDate.from(text, { overflow: 'reject' }).toString();
  } catch {
    // Said below, with what would be right.
  }
  throw new Error(`${column} is "${text}", expected a date such as 2019-03-31`);
}
