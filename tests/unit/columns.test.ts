// A row that Postgres would refuse is found before it is written, or its key could not be told from the others.
import { describe, expect, it } from 'vitest';
import { checkRow, RowRefused } from '../../src/projections/engine/columns.ts';
import type { Table } from '../../src/projections/engine/projection.ts';

const columns = [
  { name: 'id', type: 'text' },
  { name: 'day', type: 'date' },
  { name: 'at', type: 'timestamptz' },
] as const;
const table = {
  name: 'things',
  key: 'id',
  columns: { id: { type: 'text' }, day: { type: 'date' }, at: { type: 'timestamptz' } },
  indexes: [],
} as const satisfies Table;
const check = (day: string, at: string): void => checkRow(table, columns, 'a', { id: 'a', day, at }, new Set());

describe('a row', () => {
  it('with days and instants that there are is taken', () => {
    for (const day of ['0001-01-01', '2020-02-29', '9999-12-31']) check(day, `${day}T23:59:59.999Z`);
  });

  it.each(['0000-01-01', '2020-02-30', '2021-02-29', '2020-13-01', '2020-1-1'])('with the day %s is refused', (day) => {
    expect(() => check(day, '2020-01-01T00:00:00.000Z')).toThrow(RowRefused);
    expect(() => check('2020-01-01', `${day}T00:00:00.000Z`)).toThrow(RowRefused);
  });
});
