// A firm's name without its legal form: 北京华远科技有限公司 and 华远科技股份有限公司 may be one firm.
import { folded } from './text.ts';

const CHINESE_FORMS = /(?:股份有限公司|有限责任公司|有限公司|股份公司|集团公司|总公司|分公司|公司|集团|合伙企业|个体工商户|厂)+$/u;
const BRACKETS = /[((][^))]*[))]/gu;
const LATIN_FORMS = new Set(
  'ltd limited llc inc incorporated corp corporation co company plc gmbh ag sa sas sarl srl spa bv nv oy ab as pty pte llp lp sro kg ohg kft zrt the and'.split(
    ' ',
  ),
);
const LATIN_DOTTED = /\b(?:[a-z]\.\s?){2,}[a-z]?\b\.?/g;

/** What is left of the name: lower case, without spaces, brackets and legal forms. The whole where nothing else would be left. */
export function firmCore(name: string): string {
  const plain = folded(name).replace(BRACKETS, ' ');
  const joined = plain.replace(LATIN_DOTTED, (dotted) => ` ${dotted.replace(/[.\s]/g, '')} `);
  const words = joined.match(/[\p{L}\p{N}]+/gu) ?? [];
  const named = words.filter((word) => !LATIN_FORMS.has(word)).map((word) => word.replace(CHINESE_FORMS, ''));
  const core = named.join('');
  return core === '' ? words.join('') : core;
}
