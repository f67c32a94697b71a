// What every route that issues commands shares: the key under which a retry is known, and the problem that an outcome is.
import type { IncomingHttpHeaders } from 'node:http';
import type { AnyCommand } from '../commands/command.ts';
import type { Outcome } from '../commands/handler.ts';
import { notFound, Problem } from './problems.ts';
import { refusalTitle } from './refusals.ts';
import { badHeader } from './request.ts';

const ETAG = /^"(0|[1-9][0-9]{0,9})"$/;
const KEY = /^[\x21-\x7e]{1,128}$/;

/** @throws Problem where it is malformed */
export function idempotencyKeyOf(headers: IncomingHttpHeaders): string | undefined {
  const key = headers['idempotency-key'] as string | undefined;
  if (key !== undefined && !KEY.test(key)) throw badHeader('Idempotency-Key', 'has 1 to 128 visible ASCII characters');
  return key;
}

/** The revision in an `If-Match`. @throws Problem where it is malformed, or the command creates */
export function revisionIn(ifMatch: string, creates: boolean): number {
  if (creates) throw badHeader('If-Match', 'is for what is there already: leave it out to create something');
  const etag = ETAG.exec(ifMatch);
  if (!etag) throw badHeader('If-Match', 'is one ETag of a command or a read, in quotes, such as "3"; not a list, not a weak one, not *');
  return Number(etag[1]);
}

export function problemOf(command: AnyCommand, outcome: Exclude<Outcome, { kind: 'accepted' }>): Problem {
  switch (outcome.kind) {
    case 'refused': {
      const { rejected, detail, pointer } = outcome.rejection;
      const status = (command.rejections as Record<string, number>)[rejected] ?? 409;
      // What is not there looks the same everywhere, also to who may not know.
      if (status === 404) return notFound();
      const errors = pointer === undefined ? undefined : [{ pointer, detail }];
      return new Problem(rejected, detail, { errors }, { status, title: refusalTitle(rejected) });
    }
    case 'moved':
      if (outcome.revision < 0) return notFound();
      return new Problem('PreconditionFailed', undefined, { headers: { etag: `"${outcome.revision}"` } });
    case 'key-reused':
      return new Problem('KeyReused');
    case 'not-found':
      return notFound();
    case 'proposed':
      // Only routes of commands themselves answer 202, and only those commands can be named by a policy.
      throw new Error(`${command.name} was proposed where nothing answers a proposal`);
    default:
      return outcome satisfies never;
  }
}
