// Exact rational numbers, for shares of shares: no float ever rounds an owner over or under a threshold.

export class Fraction {
  static readonly zero = new Fraction(0n, 1n);
  static readonly one = new Fraction(1n, 1n);
  readonly numerator: bigint;
  /** Positive, and without a divisor in common. */
  readonly denominator: bigint;

  private constructor(numerator: bigint, denominator: bigint) {
    this.numerator = numerator;
    this.denominator = denominator;
  }

  /** @throws RangeError where the denominator is 0 */
  static of(numerator: bigint, denominator: bigint): Fraction {
    if (denominator === 0n) throw new RangeError('a fraction over 0');
    const sign = denominator < 0n ? -1n : 1n;
    const divisor = commonDivisor(numerator < 0n ? -numerator : numerator, denominator * sign) * sign;
    return new Fraction(numerator / divisor, denominator / divisor);
  }

  plus(other: Fraction): Fraction {
    return Fraction.of(this.numerator * other.denominator + other.numerator * this.denominator, this.denominator * other.denominator);
  }

  times(other: Fraction): Fraction {
    return Fraction.of(this.numerator * other.numerator, this.denominator * other.denominator);
  }

  /** Less than 0, 0, or more than 0, as this is less than the other, the same, or more. */
  compare(other: Fraction): number {
    const difference = this.numerator * other.denominator - other.numerator * this.denominator;
    return difference < 0n ? -1 : difference > 0n ? 1 : 0;
  }

  get isNegative(): boolean {
    return this.numerator < 0n;
  }

  get isZero(): boolean {
    return this.numerator === 0n;
  }

  /** Of one: `1/3`. */
  toString(): string {
    return `${this.numerator}/${this.denominator}`;
  }

  /** As a percentage with up to six decimals, rounded half up: `33.333333`. For reading; comparisons are exact. */
  toPercent(): string {
    const scaled = this.numerator * 2n * 100n * MICRO;
    const rounded = (scaled + this.denominator) / (2n * this.denominator);
    const digits = String(rounded).padStart(7, '0');
    return `${digits.slice(0, -6)}.${digits.slice(-6)}`.replace(/\.?0+$/, '');
  }
}

const MICRO = 1_000_000n;
/** Whole units of a percentage with six decimals in 100 %. */
export const WHOLE = 100_000_000;

/** Exact decimal text of a percentage as whole units of a millionth of a percent. @throws RangeError where it is none */
export function unitsOf(percent: string): number {
  const found = /^(\d{1,3})(?:\.(\d{1,6}))?$/.exec(percent);
  if (!found) throw new RangeError('no percentage');
  return Number(found[1]) * 1_000_000 + Number((found[2] ?? '').padEnd(6, '0'));
}

export function fractionOf(units: number): Fraction {
  return Fraction.of(BigInt(units), BigInt(WHOLE));
}

function commonDivisor(one: bigint, other: bigint): bigint {
  let [left, right] = [one, other];
  while (right !== 0n) [left, right] = [right, left % right];
  return left === 0n ? 1n : left;
}
