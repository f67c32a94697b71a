// From what zod finds wrong to what the caller reads: each field by itself, with what would be right. Values are never repeated.
import type { FastifySchemaCompiler } from 'fastify';
import { z } from 'zod';
import { type FieldError, Problem } from './problems.ts';

type Part = 'body' | 'query' | 'path' | 'header';
type Issue = z.core.$ZodIssue;

const MAX_ERRORS = 50;

const partOf: Readonly<Record<string, Part>> = { body: 'body', querystring: 'query', params: 'path', headers: 'header' };

/** For Fastify: a zod schema a part of the request. */
export const validatorCompiler: FastifySchemaCompiler<z.ZodType> = ({ schema, httpPart }) => {
  const part = partOf[httpPart ?? 'body'] ?? 'body';
  return (data: unknown) => {
    const nul = part === 'body' ? undefined : nulRefused(data, part);
    if (nul !== undefined) return { error: nul };
    // A missing body is an empty one, so that what is missing in it is named.
    const result = schema.safeParse(data ?? {});
    return result.success ? { value: result.data } : { error: validationFailed(result.error.issues, part, schema) };
  };
};

/** Postgres keeps no NUL; in a body none comes this far (json-body.ts). */
function nulRefused(data: unknown, part: Part): Problem | undefined {
  const names = Object.entries(data ?? {}).filter(([, value]) => [value].flat().some((text) => typeof text === 'string' && text.includes('\0')));
  if (names.length === 0) return undefined;
  const errors = names.map(([name]) => ({ pointer: pointerTo([name], part), detail: 'must have no NUL character' }));
  return new Problem('ValidationFailed', undefined, { errors });
}

export function validationFailed(issues: readonly Issue[], part: Part, schema: z.ZodType): Problem {
  const errors = issues.flatMap((issue) => errorsOf(issue, [], part, schema));
  const shown = errors.slice(0, MAX_ERRORS);
  if (errors.length > MAX_ERRORS) shown.push({ pointer: '', detail: `and ${errors.length - MAX_ERRORS} more` });
  return new Problem('ValidationFailed', undefined, { errors: shown });
}

function errorsOf(issue: Issue, above: readonly PropertyKey[], part: Part, schema: z.ZodType): FieldError[] {
  const path = [...above, ...issue.path];
  if (issue.code === 'unrecognized_keys') {
    const known = knownNames(schemaAt(schema, path));
    const right = known.length > 0 ? `the known ones are ${known.join(', ')}` : 'none is known here';
    return issue.keys.map((key) => ({ pointer: pointerTo([...path, key], part), detail: `unknown: ${right}` }));
  }
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    // The branch that fits best says most.
    const [closest = []] = [...issue.errors].sort((one, other) => one.length - other.length);
    return closest.flatMap((inner) => errorsOf(inner, path, part, schema));
  }
  return [{ pointer: pointerTo(path, part), detail: detailOf(issue) }];
}

function pointerTo(path: readonly PropertyKey[], part: Part): string {
  if (part !== 'body') return path.map(String).join('.');
  return path.map((step) => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

function detailOf(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_type':
      if (!issue.message.startsWith('Invalid input')) return issue.message;
      return issue.message.endsWith('received undefined') ? `missing: must be ${article(issue.expected)}` : `must be ${article(issue.expected)}`;
    case 'invalid_value':
      return `must be ${issue.values.length > 1 ? 'one of ' : ''}${issue.values.map(String).join(', ')}`;
    case 'too_small':
      // A limit of form may stand for another one, which its message tells.
      if (!issue.message.startsWith('Too ')) return issue.message;
      return issue.origin === 'string' || issue.origin === 'array'
        ? `must have at least ${issue.minimum} ${unitOf(issue.origin, issue.minimum)}`
        : `must be ${issue.inclusive === false ? 'more than' : 'at least'} ${issue.minimum}`;
    case 'too_big':
      if (!issue.message.startsWith('Too ')) return issue.message;
      return issue.origin === 'string' || issue.origin === 'array'
        ? `must have at most ${issue.maximum} ${unitOf(issue.origin, issue.maximum)}`
        : `must be ${issue.inclusive === false ? 'less than' : 'at most'} ${issue.maximum}`;
    case 'not_multiple_of':
      return `must be a multiple of ${issue.divisor}`;
    case 'invalid_format':
      return issue.message.startsWith('Invalid ') ? `must be ${formats[issue.format] ?? article(issue.format)}` : issue.message;
    default:
      return issue.message;
  }
}

const formats: Readonly<Record<string, string>> = {
  uuid: 'a UUID',
  datetime: 'an instant as RFC 3339 has it, such as 2026-03-03T01:00:00.000Z',
  date: 'a date such as 2026-03-03',
  email: 'an e-mail address',
  regex: 'in the form that the reference says',
};

function article(kind: string): string {
  const name = ({ int: 'whole number', record: 'object', undefined: 'left out' } as Record<string, string>)[kind] ?? kind;
  return name === 'left out' ? name : `${/^[aeio]/.test(name) ? 'an' : 'a'} ${name}`;
}

function unitOf(origin: string, count: number | bigint): string {
  const unit = origin === 'string' ? 'character' : 'item';
  return Number(count) === 1 ? unit : `${unit}s`;
}

/** The schema that a path leads to, as far as it can be followed. */
function schemaAt(schema: z.ZodType, path: readonly PropertyKey[]): z.ZodType | undefined {
  let at: z.ZodType | undefined = unwrapped(schema);
  for (const step of path) {
    if (at instanceof z.ZodObject) at = at.shape[String(step)] as z.ZodType | undefined;
    else if (at instanceof z.ZodArray) at = at.element as z.ZodType;
    else return undefined;
    at = at && unwrapped(at);
  }
  return at;
}

function unwrapped(schema: z.ZodType): z.ZodType {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable || schema instanceof z.ZodDefault)
    return unwrapped(schema.unwrap() as z.ZodType);
  if (schema instanceof z.ZodPipe) return unwrapped(schema.in as z.ZodType);
  return schema;
}

function knownNames(schema: z.ZodType | undefined): string[] {
  return schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
}
