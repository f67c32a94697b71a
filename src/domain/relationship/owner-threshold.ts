// From what share on someone counts as a beneficial owner: data with the day from which it holds. "25% 以上" includes 25 % itself.

export interface OwnerThreshold {
  /** `YYYY-MM-DD` */
  readonly from: string;
  /** Exact decimal text. */
  readonly percent: string;
  readonly law: string;
}

/** The oldest first; days before it are asked by it as well. */
export const ownerThresholds: readonly [OwnerThreshold, ...OwnerThreshold[]] = [
  { from: '2017-10-20', percent: '25', law: '银发〔2017〕235号' },
  { from: '2026-01-20', percent: '25', law: '金融机构客户受益所有人识别管理办法（令〔2025〕12号）' },
];

/** @param day `YYYY-MM-DD` */
export function ownerThresholdOn(day: string): OwnerThreshold {
  return ownerThresholds.findLast(({ from }) => from <= day) ?? ownerThresholds[0];
}
