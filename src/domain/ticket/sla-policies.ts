// The SLA targets that the bank starts with: defaults of the bank's own, no law (docs of each rule name its row in the
// requirements, section 1.11). Statutory terms of complaints (15, 30, 60 natural days) are no SLA and stand apart.
import { SlaPolicy } from './sla.ts';

/**
 * The default policy, first match wins; each warns at 80 %. By rows of requirements 1.11:
 * - urgent, of any type (紧急: 挂失、盗刷、系统故障): answer in 15 minutes, solve in 4 hours, both 7×24. It stands before
 *   complaints, because a stolen card does not wait for being called a complaint.
 * - complaint (消费投诉): acknowledge in 1 working day, solve in 10, the bank's internal term.
 * - high (高): 1 working hour, 1 working day.
 * - normal (中, 一般请求): 4 working hours, 3 working days.
 * - low (低, 建议、咨询转办): 1 working day, 5 working days.
 */
export const standardSlaPolicy = SlaPolicy.parse({
  id: 'standard',
  version: 1,
  rules: [
    {
      priorities: ['urgent'],
      firstResponse: { amount: 15, unit: 'minutes', time: 'natural' },
      resolution: { amount: 4, unit: 'hours', time: 'natural' },
    },
    {
      types: ['complaint'],
      firstResponse: { amount: 1, unit: 'days', time: 'business' },
      resolution: { amount: 10, unit: 'days', time: 'business' },
    },
    {
      priorities: ['high'],
      firstResponse: { amount: 1, unit: 'hours', time: 'business' },
      resolution: { amount: 1, unit: 'days', time: 'business' },
    },
    {
      priorities: ['normal'],
      firstResponse: { amount: 4, unit: 'hours', time: 'business' },
      resolution: { amount: 3, unit: 'days', time: 'business' },
    },
    {
      priorities: ['low'],
      firstResponse: { amount: 1, unit: 'days', time: 'business' },
      resolution: { amount: 5, unit: 'days', time: 'business' },
    },
  ],
});

const policies: readonly SlaPolicy[] = [standardSlaPolicy];

/** The built-in policy of that id and version, undefined if there is none. */
export function slaPolicyAt(id: string, version: number): SlaPolicy | undefined {
  return policies.find((policy) => policy.id === id && policy.version === version);
}
