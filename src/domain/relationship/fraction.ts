// Exact rational numbers, for shares of shares: no float ever rounds an owner over or under a threshold.

export class Fraction {
  static readonly zero = new Fraction(0n, 1n);
  static readonly one = new Fraction(1n, 1n);
  readonly numerator: bigint;
  /** Positive; may have a divisor in common with the numerator (`reduced`). */
  readonly denominator: bigint;

  private constructor(numerator: bigint, denominator: bigint) {
    this.numerator = numerator;
    this.denominator = denominator;
  }

  /** @throws RangeError where the denominator is 0 */
  static of(numerator: bigint, denominator: bigint): Fraction {
    if (denominator === 0n) throw new RangeError('a fraction over 0');
    return denominator < 0n ? new Fraction(-numerator, -denominator) : new Fraction(numerator, denominator);
  }

  /** Without a divisor in common. */
  reduced(): Fraction {
    const divisor = commonDivisor(this.numerator < 0n ? -this.numerator : this.numerator, this.denominator);
    return divisor === 1n ? this : new Fraction(this.numerator / divisor, this.denominator / divisor);
  }

  plus(other: Fraction): Fraction {
    // Shares along chains have powers of one denominator: looking for divisors at each step would cost most of the time.
    if (this.denominator % other.denominator === 0n)
      return new Fraction(this.numerator + other.numerator * (this.denominator / other.denominator), this.denominator);
    if (other.denominator % this.denominator === 0n) return other.plus(this);
    const numerator = this.numerator * other.denominator + other.numerator * this.denominator;
    return new Fraction(numerator, this.denominator * other.denominator).reduced();
  }

  times(other: Fraction): Fraction {
    return new Fraction(this.numerator * other.numerator, this.denominator * other.denominator);
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

  /** Of one, reduced: `1/3`. */
  toString(): string {
    const { numerator, denominator } = this.reduced();
    return `${numerator}/${denominator}`;
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
