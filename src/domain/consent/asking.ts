// Whether a customer may be asked (again). 网络数据安全管理条例 art. 22: whoever refused is not asked over and over. Asked again is only
// who comes by themselves, or for another purpose, which is another scope.
import type { LedgerState } from './ledger.ts';
import { isOver } from './marketing.ts';
import { type ConsentScope, scopeKey } from './vocabulary.ts';

export interface Asking {
  readonly mayAsk: boolean;
  /** In a sentence. */
  readonly why: string;
}

/** @param today `YYYY-MM-DD` on the bank's clock */
export function askingOf({ standing }: Pick<LedgerState, 'standing'>, scope: ConsentScope, today: string): Asking {
  const wider = [
    { ...scope, contactId: null },
    { ...scope, channel: null, contactId: null },
  ];
  for (const one of [scope, ...wider]) {
    const word = standing.get(scopeKey(one));
    if (word && word.status !== 'given')
      return {
        mayAsk: false,
        why: `${word.status === 'refused' ? 'Refused' : 'Withdrawn'} (consent ${word.consentId}): not asked again unless they come by themselves (网络数据安全管理条例 art. 22).`,
      };
  }
  const word = standing.get(scopeKey(scope));
  if (word === undefined) return { mayAsk: true, why: 'Nobody asked yet.' };
  if (isOver(word, today)) return { mayAsk: true, why: `The consent ended on ${word.expiresOn}: it may be asked for anew.` };
  return { mayAsk: false, why: 'The consent stands: there is nothing to ask.' };
}
