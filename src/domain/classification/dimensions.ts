// The dimensions that a bank starts with, and the life of a definition: each change is a new version. What the law says of AML grades and
// of investors' tolerance holds for every version.
import type { Decider, Rejection } from '../kernel/decider.ts';
import type { Role } from '../kernel/roles.ts';
import type { Definition, DimensionFact } from './events.ts';
import { AML_GRADE, INVESTOR_TOLERANCE, TIER_WATCH, VALUE_TIER, WATCHED } from './vocabulary.ts';

export interface DimensionState {
  /** 0 before it was ever defined here: then a built-in one holds. */
  readonly version: number;
  readonly definition: Definition | undefined;
}

export interface DefineDimension {
  readonly dimension: string;
  readonly definition: Definition;
  readonly by: string;
}

export type DimensionRejection = 'DimensionNotYours' | 'DimensionAgainstLaw';

export const dimension: Decider<DefineDimension, DimensionState, DimensionFact, DimensionRejection> = {
  initialState: { version: 0, definition: undefined },
  evolve: (_, { data: { version, definition } }) => ({ version, definition }),
  decide,
};

const everyone = ['rm', 'teller', 'agent', 'risk', 'operations', 'auditor'] as const satisfies readonly Role[];
const business = ['rm', 'risk', 'operations', 'auditor'] as const satisfies readonly Role[];
const plain = { needsAssessment: false, downNeedsReason: false, customersOnly: false } as const;
const named = (...names: readonly [code: string, name: string][]) => names.map(([code, name]) => ({ code, name }));

/** Defaults of our own, but for what `againstLaw` holds to. By code. */
export const builtInDimensions: ReadonlyMap<string, Definition> = new Map<string, Definition>([
  [
    VALUE_TIER,
    {
      ...plain,
      name: 'Value tier 价值等级',
      values: named(['mass', '大众'], ['affluent', '富裕'], ['wealth', '财富'], ['diamond', '钻石'], ['private', '私行']),
      assignedBy: ['operations'],
      readBy: [...everyone],
      customersOnly: true,
    },
  ],
  [
    TIER_WATCH,
    {
      ...plain,
      name: 'Below the tier 关注客户',
      values: named([WATCHED, '关注']),
      assignedBy: ['operations'],
      readBy: [...business],
      customersOnly: true,
    },
  ],
  [
    AML_GRADE,
    {
      ...plain,
      name: 'Money-laundering risk 洗钱风险等级',
      // Highest at least every 6 months, each lower one at most twice the one above (金融机构洗钱和恐怖融资风险评估及客户分类管理指引, 银发〔2013〕2号).
      values: [
        { code: 'low', name: '低', reviewMonths: 24 },
        { code: 'medium', name: '中', reviewMonths: 12 },
        { code: 'high', name: '高', reviewMonths: 6 },
      ],
      assignedBy: ['risk'],
      readBy: [...business],
      downNeedsReason: true,
      customersOnly: true,
    },
  ],
  [
    INVESTOR_TOLERANCE,
    {
      ...plain,
      name: 'Investor tolerance 风险承受能力',
      values: named(['C1', '保守'], ['C2', '稳健'], ['C3', '平衡'], ['C4', '成长'], ['C5', '进取']),
      assignedBy: ['rm', 'operations'],
      readBy: [...everyone],
      validMonths: 12,
      needsAssessment: true,
    },
  ],
  [
    'product-preference',
    {
      ...plain,
      name: 'Product preference 产品偏好',
      values: named(
        ['deposits', '存款'],
        ['wealth-products', '理财'],
        ['funds', '基金'],
        ['insurance', '保险'],
        ['metals', '贵金属'],
        ['loans', '贷款'],
        ['cards', '信用卡'],
      ),
      assignedBy: ['rm', 'operations'],
      readBy: [...everyone],
    },
  ],
  [
    'behaviour',
    {
      ...plain,
      name: 'Behaviour 行为特征',
      values: named(['branch-first', '网点'], ['phone-first', '电话'], ['digital-first', '线上'], ['mixed', '混合']),
      assignedBy: ['rm', 'operations'],
      readBy: [...everyone],
    },
  ],
  [
    'life-cycle',
    {
      ...plain,
      name: 'Life cycle 生命周期',
      values: named(
        ['prospect', '潜在'],
        ['active', '活跃'],
        ['dormant', '睡眠'],
        ['at-risk', '流失预警'],
        ['lost', '流失'],
        ['closed', '销户'],
        ['deceased', '身故'],
      ),
      assignedBy: ['rm', 'operations'],
      readBy: [...everyone],
    },
  ],
]);

/** As it stands: what was defined here, or else what is built in; undefined where it is neither. */
export function definitionOf(
  code: string,
  { version, definition }: DimensionState,
): { readonly version: number; readonly definition: Definition } | undefined {
  const standing = definition ?? builtInDimensions.get(code);
  return standing && { version, definition: standing };
}

function decide(command: DefineDimension, state: DimensionState): readonly DimensionFact[] | Rejection<DimensionRejection> {
  const { dimension: code, definition, by } = command;
  const owner = code === AML_GRADE ? 'risk' : 'operations';
  if (by !== owner) return { rejected: 'DimensionNotYours', detail: `${code} is defined by the role ${owner}.` };
  const wrong = againstLaw(code, definition);
  if (wrong !== undefined) return { rejected: 'DimensionAgainstLaw', ...wrong };
  if (JSON.stringify(definition) === JSON.stringify(definitionOf(code, state)?.definition)) return [];
  return [{ type: 'DimensionDefined', data: { dimension: code, version: state.version + 1, definition } }];
}

interface Wrong {
  readonly detail: string;
  readonly pointer: string;
}

function againstLaw(code: string, definition: Definition): Wrong | undefined {
  if (code === AML_GRADE) return againstAmlRules(definition);
  if (code !== INVESTOR_TOLERANCE) return undefined;
  const { values, validMonths, needsAssessment } = definition;
  if (values.length < 5) return { detail: 'An investor’s tolerance has at least five levels: give five or more.', pointer: '/values' };
  if (validMonths === undefined || validMonths > 12)
    return { detail: 'An assessment holds for at most 12 months: give 12 or fewer.', pointer: '/validMonths' };
  return needsAssessment ? undefined : { detail: 'Each tolerance comes from an assessment: let it need one.', pointer: '/needsAssessment' };
}

function againstAmlRules({ values, assignedBy, downNeedsReason, validMonths }: Definition): Wrong | undefined {
  if (values.length < 3) return { detail: 'There are at least three grades: give three or more.', pointer: '/values' };
  if (assignedBy.some((role) => role !== 'risk')) return { detail: 'Grades are given by the role risk alone.', pointer: '/assignedBy' };
  if (validMonths !== undefined)
    return { detail: 'A customer is never without a grade: let none end by itself, but be reviewed.', pointer: '/validMonths' };
  if (!downNeedsReason) return { detail: 'A lower grade needs a reason: let it.', pointer: '/downNeedsReason' };
  let most = 6;
  for (const [index, { name, reviewMonths }] of [...values.entries()].reverse()) {
    if (reviewMonths === undefined || reviewMonths > most)
      return { detail: `${name} is reviewed at least every ${most} months: give ${most} or fewer.`, pointer: `/values/${index}/reviewMonths` };
    most = 2 * reviewMonths;
  }
  return undefined;
}
