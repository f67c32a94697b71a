// The claim of a source's customer: whoever holds it is the customer here that it stands for.
import type { Claim } from '../commands/command.ts';
import type { SourceReference } from '../domain/kernel/source.ts';

export function sourceClaim({ system, id }: SourceReference): Claim {
  return { kind: 'source', value: `${system}|${id}` };
}
