// Exact solutions of small linear systems over whole numbers: Gauss-Jordan elimination without fractions (Bareiss), where every division
// is exact and numbers grow no longer than determinants.
import { Fraction } from './fraction.ts';

/**
 * @param rows coefficients with the right side at their end: n rows of n + 1
 * @returns the one solution; undefined where there is none, or many
 */
export function solve(rows: readonly (readonly bigint[])[]): Fraction[] | undefined {
  const matrix = rows.map((row) => [...row]);
  const size = matrix.length;
  let previous = 1n;
  for (let step = 0; step < size; step += 1) {
    const pivotAt = matrix.findIndex((row, index) => index >= step && row[step] !== 0n);
    if (pivotAt === -1) return undefined;
    const pivotRow = matrix[pivotAt] as bigint[];
    matrix[pivotAt] = matrix[step] as bigint[];
    matrix[step] = pivotRow;
    const pivot = pivotRow[step] as bigint;
    for (const [index, row] of matrix.entries()) {
      if (index === step) continue;
      const factor = row[step] as bigint;
      for (let column = 0; column <= size; column += 1)
        row[column] = (pivot * (row[column] as bigint) - factor * (pivotRow[column] as bigint)) / previous;
    }
    previous = pivot;
  }
  return matrix.map((row, index) => Fraction.of(row[size] as bigint, row[index] as bigint));
}
