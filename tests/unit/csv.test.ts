import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Cell, csvHeader, csvRows, formFor } from '../../src/api/csv.ts';

const columns = [
  { header: 'one', value: (row: readonly Cell[]) => row[0] },
  { header: 'two', value: (row: readonly Cell[]) => row[1] },
];

describe('a table', () => {
  it('is RFC 4180: lines end in CR LF, cells are quoted where they must be', () => {
    expect(
      csvHeader(columns) +
        csvRows(columns, [
          ['a,b', 'say "x"'],
          ['two\nlines', null],
          [1.5, true],
          [undefined, ''],
        ]),
    ).toBe('one,two\r\n"a,b","say ""x"""\r\n"two\nlines",\r\n1.5,true\r\n,\r\n');
  });

  it('has no cell that a spreadsheet would run (F101)', () => {
    for (const start of ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠', '\0=', '\0\0+']) {
      const [row] = parse(csvRows(columns, [[`${start}cmd|' /C calc'!A0`, 'x']])) as string[][];
      expect(row?.[0]?.startsWith("'"), JSON.stringify(start)).toBe(true);
    }
    expect(csvRows(columns, [[-5, 'a-b']])).toBe('-5,a-b\r\n');
  });

  it('is read back as it was written by any reader', () => {
    const cell = fc.string({ unit: 'grapheme' }).filter((text) => !/^[=+\-@\t\r\n＝＋－＠]/.test(text) && !text.includes('\0'));
    fc.assert(
      fc.property(fc.array(fc.tuple(cell, cell), { minLength: 1, maxLength: 5 }), (rows) => {
        expect(parse(csvRows(columns, rows), { skip_empty_lines: false })).toStrictEqual(rows);
      }),
      { numRuns: 200 },
    );
  });

  it.each([
    [undefined, 'json', 'json'],
    ['', 'json', 'json'],
    ['*/*', 'json', 'json'],
    ['application/json', 'json', 'json'],
    ['text/html', 'json', 'json'],
    ['text/csv', 'table', undefined],
    ['TEXT/CSV; header=present', 'table', undefined],
    ['text/csv, */*', 'table', 'json'],
    ['text/csv, application/json;q=0.5', 'table', 'json'],
    ['text/csv;q=0.9, application/json;q=0.1', 'table', 'json'],
    ['application/json, text/csv;q=0.1', 'json', 'json'],
    ['text/csv;q=0', 'json', 'json'],
    ['text/csv;q=0, text/*', 'json', 'json'],
    ['text/csv, application/json;q=0', 'table', undefined],
    ['text/csvx', 'json', 'json'],
  ])('is given to who asks for it: %j', (accept, where, elsewhere) => {
    expect([formFor(accept, true), formFor(accept, false)]).toStrictEqual([where, elsewhere]);
  });
});
