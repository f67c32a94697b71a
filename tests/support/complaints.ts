// Complaints of the form that the Bureau's export has, drawn from a seed: as many as a test wants, with known sums.
import { complaintColumns } from '../../src/cli/complaints.ts';

const products = [
  'Checking or savings account',
  'Credit card or prepaid card',
  'Mortgage',
  'Credit reporting, credit repair services, or other personal consumer reports',
];
const ways = ['Web', 'Referral', 'Phone', 'Postal mail', 'Fax', 'Web Referral', 'Email'];
const issues = ['Managing an account', 'Problem with a purchase shown on your statement', 'Trouble during payment process'];

export interface ComplaintSums {
  readonly rows: number;
  readonly open: number;
  readonly timely: number;
  readonly untimely: number;
}

export function complaintsCsv(rows: number, seed = 1): { readonly csv: string; readonly sums: ComplaintSums } {
  let state = seed;
  const draw = (below: number): number => {
    // A small linear congruential generator (Numerical Recipes' constants).
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state % below;
  };
  const lines = [complaintColumns.join(',')];
  const sums = { rows, open: 0, timely: 0, untimely: 0 };
  for (let n = 0; n < rows; n += 1) {
    const open = n % 41 === 7;
    const untimely = !open && n % 23 === 3;
    if (open) sums.open += 1;
    else if (untimely) sums.untimely += 1;
    else sums.timely += 1;
    const received = `20${17 + draw(6)}-${String(1 + draw(12)).padStart(2, '0')}-${String(1 + draw(28)).padStart(2, '0')}`;
    const cells = [
      String(2_000_000 + n),
      ways[draw(ways.length)],
      received,
      received,
      'NY',
      `"${products[draw(products.length)]}"`,
      'Checking account',
      issues[draw(issues.length)],
      draw(2) === 0 ? '' : 'Deposits and withdrawals',
      '',
      open ? 'In progress' : 'Closed with explanation',
      open ? '' : untimely ? 'No' : 'Yes',
    ];
    lines.push(cells.join(','));
  }
  return { csv: `${lines.join('\n')}\n`, sums };
}
