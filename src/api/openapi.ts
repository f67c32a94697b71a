// The API described for programs and people: OpenAPI 3.1, made from the declarations themselves, so that it can't drift. Each route's
// roles stand in `x-roles`. Served by docs-routes.ts, linted by tests/integration/openapi.test.ts.
import { z } from 'zod';
import { isProposable } from '../commands/approval.ts';
import type { AnyCommand } from '../commands/command.ts';
import type { ActingRole } from '../domain/kernel/roles.ts';
import { problems } from './problems.ts';

/** What a route says of itself for the document; method, path and roles come with the route. */
export type OperationDescription =
  | { readonly kind: 'command'; readonly command: AnyCommand; readonly params: z.ZodType; readonly body: z.ZodType }
  | {
      readonly kind: 'read';
      readonly name: string;
      readonly summary: string;
      readonly params: z.ZodType;
      readonly query: z.ZodType;
      readonly answer: z.ZodType;
      readonly personal: boolean;
      readonly waits: boolean;
      readonly csv: boolean;
    }
  /** Any other: health, metrics, feeds. */
  | {
      readonly kind: 'plain';
      readonly name: string;
      readonly summary: string;
      readonly params?: z.ZodType;
      readonly query?: z.ZodType;
      /** By media type; a schema, or nothing where it is text. */
      readonly body?: Readonly<Record<string, z.ZodType | undefined>>;
      readonly answers: Readonly<
        Record<number, { readonly description: string; readonly content?: Readonly<Record<string, z.ZodType | undefined>> }>
      >;
      /** Where it issues commands, their headers are its own: of one on what is there (`If-Match`), or of many. */
      readonly commands?: 'one' | 'many';
      /** Statuses of problems beside those that every route has. */
      readonly problems?: readonly number[];
    };

export interface Operation {
  readonly method: string;
  /** With parameters in braces. */
  readonly path: string;
  readonly roles: readonly ActingRole[] | undefined;
  readonly description: OperationDescription;
}

type Json = Record<string, unknown>;

export function openApiDocument(operations: readonly Operation[]): Json {
  const paths: Record<string, Json> = {};
  const sorted = [...operations].sort((one, other) => (one.path < other.path ? -1 : one.path > other.path ? 1 : 0));
  for (const operation of sorted) {
    paths[operation.path] ??= {};
    (paths[operation.path] as Json)[operation.method.toLowerCase()] = operationOf(operation);
  }
  const tags = [...new Set(sorted.map(({ path }) => tagOf(path)))];
  return {
    openapi: '3.1.0',
    info: {
      title: 'Shiji 史记',
      version: '1.0.0',
      summary: 'The Records of the bank: commands become events, everything shown is computed from them',
      description: [
        'A command is a POST. `Idempotency-Key` makes it safe to repeat, `If-Match` makes it wait for no one else’s change, and its answer',
        'carries `Shiji-Position`: sent as `Shiji-After` to a read, it makes that read see the command.',
        'Lists answer `{"items": […], "next": cursor or null}`. Anything else than success is a problem (RFC 9457), listed under /problems.',
      ].join('\n'),
      license: { name: 'Proprietary', identifier: 'LicenseRef-Proprietary' },
    },
    servers: [{ url: '/', description: 'This server' }],
    security: [{ bearer: [] }],
    tags: tags.map((name) => ({ name, description: `Everything under \`${name === 'server' ? '/' : `/v1/${name}`}\`` })),
    paths,
    components: {
      securitySchemes: {
        bearer: {
          type: 'http',
          scheme: 'bearer',
          bearerFormat: 'JWT',
          description: 'An access token with the claims `sub` and `role`, for this server’s issuer and audience',
        },
      },
      schemas: { Problem: problemSchema },
      headers: headerComponents,
      parameters: parameterComponents,
      responses: Object.fromEntries(problemStatuses().map((status) => [problemName(status), problemResponse(status)])),
    },
  };
}

function operationOf({ method, path, roles, description }: Operation): Json {
  const visible = roles?.filter((role) => role !== 'system');
  const common = {
    tags: [tagOf(path)],
    ...(visible === undefined ? { security: [] } : { 'x-roles': visible }),
  };
  const always = [
    400,
    431,
    500,
    503,
    ...(visible === undefined ? [] : [401, 403, 429]),
    ...(method === 'GET' ? [] : [408]),
    ...(path.includes('{') ? [414] : []),
  ];
  switch (description.kind) {
    case 'command': {
      const { command, params, body } = description;
      const creates = command.target === undefined;
      const rejections = Object.entries(command.rejections as Record<string, number>);
      const statuses = [...always, 410, 413, 415, 422, ...(creates ? [] : [404, 412]), ...rejections.map(([, status]) => status)];
      const refusals =
        rejections.length === 0 ? '' : `\n\nRefused with: ${rejections.map(([code, status]) => `\`${code}\` (${status})`).join(', ')}.`;
      return {
        operationId: command.name,
        summary: command.summary,
        description: `${command.summary}.${refusals}`,
        ...common,
        parameters: [
          ...parametersIn('path', params),
          ...refs('parameters', ['IdempotencyKey', ...(creates ? [] : ['IfMatch']), 'ShijiSight', 'ShijiPurpose', 'CorrelationId', 'RequestId']),
        ],
        ...(method === 'DELETE' && isEmptyObject(body)
          ? {}
          : { requestBody: { required: !isEmptyObject(body), content: { 'application/json': { schema: jsonSchema(body, 'input') } } } }),
        responses: {
          // The other one is not given: a command either creates or it doesn't, but for one that finds it done already.
          ...(creates ? { 201: commandResponse('Created', true) } : {}),
          200: commandResponse(creates ? 'It was so already' : 'Done', false),
          ...(isProposable(command) ? { 202: proposalResponse } : {}),
          ...problemRefs(statuses),
        },
      };
    }
    case 'read': {
      const { name, summary, params, query, answer, personal, waits, csv } = description;
      const headers = refHeaders(['XRequestId', ...(personal ? [] : ['CacheETag'])]);
      return {
        operationId: name,
        summary,
        description: `${summary}.${personal ? ' Personal data: the read is recorded before it is answered.' : ''}`,
        ...common,
        'x-personal': personal,
        parameters: [
          ...parametersIn('path', params),
          ...parametersIn('query', query),
          ...refs('parameters', [
            ...(waits ? ['ShijiAfter'] : []),
            ...(personal ? ['ShijiSight'] : []),
            'ShijiPurpose',
            'CorrelationId',
            'RequestId',
          ]),
        ],
        responses: {
          200: {
            description: 'As asked',
            headers,
            content: { 'application/json': { schema: jsonSchema(answer, 'output') }, ...(csv ? { 'text/csv': { schema: { type: 'string' } } } : {}) },
          },
          ...(personal ? {} : { 304: { description: 'As the caller has it already' } }),
          ...problemRefs([...always, 404, 406]),
        },
      };
    }
    case 'plain': {
      const { name, summary, params, query, body, answers, commands, problems: more = [] } = description;
      return {
        operationId: name,
        summary,
        description: `${summary}.`,
        ...common,
        parameters: [
          ...(params ? parametersIn('path', params) : []),
          ...(query ? parametersIn('query', query) : []),
          ...refs('parameters', [
            ...(commands === undefined
              ? []
              : ['IdempotencyKey', ...(commands === 'one' ? ['IfMatch'] : []), 'ShijiSight', 'ShijiPurpose', 'CorrelationId']),
            'RequestId',
          ]),
        ],
        ...(body ? { requestBody: { required: true, content: contentOf(body, 'input') } } : {}),
        responses: {
          ...Object.fromEntries(
            Object.entries(answers).map(([status, { description: text, content }]) => [
              status,
              {
                description: text,
                headers: refHeaders([
                  'XRequestId',
                  ...(commands === undefined ? [] : commands === 'one' ? ['ETag', 'ShijiPosition'] : ['ShijiPosition']),
                  ...(status === '202' ? ['Location'] : []),
                ]),
                ...(content ? { content: contentOf(content, 'output') } : {}),
              },
            ]),
          ),
          ...problemRefs([...always, ...more].filter((status) => !(status in answers))),
        },
      };
    }
    default:
      return description satisfies never;
  }
}

function tagOf(path: string): string {
  return /^\/v1\/([a-z-]+)/.exec(path)?.[1] ?? 'server';
}

function commandResponse(description: string, created: boolean): Json {
  return {
    description,
    headers: refHeaders(['ETag', 'ShijiPosition', 'XRequestId', ...(created ? ['Location'] : [])]),
    content: {
      'application/json': {
        schema: jsonSchema(commandAnswer, 'output'),
        example: { id: '01990f7c-5f00-8aaa-8bbb-0123456789ab', revision: created ? 0 : 3 },
      },
    },
  };
}

const proposalAnswer = z.object({
  approval: z.string().meta({ description: 'The approval that it waits for' }),
  href: z.string().meta({ description: 'Where it is read and decided on' }),
  expiresAt: z.string().meta({ description: 'It ends undecided then' }),
});

const commandAnswer = z.object({
  id: z.string().meta({ description: 'Of what was created or changed' }),
  revision: z.int().nonnegative().meta({ description: 'Where its stream stands after the command; `ETag` says the same' }),
});

const proposalResponse: Json = {
  description: 'The approval policy names it: it waits for another’s approval, and nothing is done yet',
  headers: refHeaders(['ETag', 'ShijiPosition', 'XRequestId', 'Location']),
  content: { 'application/json': { schema: jsonSchema(proposalAnswer, 'output') } },
};

export function jsonSchema(schema: z.ZodType, io: 'input' | 'output'): Json {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { target: 'draft-2020-12', io, unrepresentable: 'any', reused: 'inline' }) as Json;
  return rest;
}

function contentOf(content: Readonly<Record<string, z.ZodType | undefined>>, io: 'input' | 'output'): Json {
  return Object.fromEntries(
    Object.entries(content).map(([type, schema]) => [type, { schema: schema === undefined ? { type: 'string' } : jsonSchema(schema, io) }]),
  );
}

function parametersIn(place: 'path' | 'query', schema: z.ZodType): Json[] {
  const { properties = {}, required = [] } = jsonSchema(schema, 'input') as { properties?: Record<string, Json>; required?: string[] };
  return Object.entries(properties).map(([name, { description, ...property }]) => ({
    name,
    in: place,
    required: place === 'path' || required.includes(name),
    ...(description === undefined ? {} : { description }),
    schema: property,
  }));
}

function isEmptyObject(schema: z.ZodType): boolean {
  return schema instanceof z.ZodObject && Object.keys(schema.shape).length === 0;
}

function refs(kind: string, names: readonly string[]): Json[] {
  return names.map((name) => ({ $ref: `#/components/${kind}/${name}` }));
}

function refHeaders(names: readonly string[]): Json {
  const shown: Readonly<Record<string, string>> = {
    ETag: 'ETag',
    CacheETag: 'ETag',
    ShijiPosition: 'Shiji-Position',
    XRequestId: 'X-Request-Id',
    Location: 'Location',
  };
  return Object.fromEntries(names.map((name) => [shown[name] ?? name, { $ref: `#/components/headers/${name}` }]));
}

function problemRefs(statuses: readonly number[]): Json {
  return Object.fromEntries(
    [...new Set(statuses)].sort((one, other) => one - other).map((status) => [status, { $ref: `#/components/responses/${problemName(status)}` }]),
  );
}

function problemName(status: number): string {
  return `Problem${status}`;
}

/** Of the catalogue, and 409, which most refusals have; without 405, which no operation answers. */
function problemStatuses(): number[] {
  const statuses = Object.values(problems).map(({ status }) => status as number);
  return [...new Set([...statuses, 409])].filter((status) => status !== 405).sort((one, other) => one - other);
}

function problemResponse(status: number): Json {
  const codes = Object.entries(problems).filter(([, problem]) => problem.status === status);
  const [code, { title, remedy }] = codes[0] ?? [
    'TicketClosed',
    { title: 'Ticket closed', remedy: 'The command is refused; the reference of the route says the codes.' },
  ];
  return {
    description: codes.length === 0 ? 'Refused: the state it is in does not allow it' : codes.map(([, problem]) => problem.title).join('; or '),
    headers: {
      ...refHeaders(['XRequestId']),
      ...(status === 503 || status === 429 ? { 'Retry-After': { $ref: '#/components/headers/RetryAfter' } } : {}),
      ...(status === 401 ? { 'WWW-Authenticate': { $ref: '#/components/headers/WWWAuthenticate' } } : {}),
    },
    content: {
      'application/problem+json': {
        schema: { $ref: '#/components/schemas/Problem' },
        example: {
          type: `/problems/${code}`,
          title,
          status,
          detail: remedy,
          instance: '01990f7c-5f00-8aaa-9bbb-0123456789ab',
          ...(code === 'MalformedRequest' ? { errors: [{ pointer: '/priority', detail: 'must be one of urgent, high, normal, low' }] } : {}),
        },
      },
    },
  };
}

const problemSchema = {
  type: 'object',
  description: 'Anything else than success, RFC 9457',
  required: ['type', 'title', 'status', 'detail', 'instance'],
  properties: {
    type: { type: 'string', format: 'uri-reference', description: 'Which problem; the path tells about it' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string', description: 'What is wrong here, or what the caller can do' },
    instance: { type: 'string', description: 'The id of the request, for the operators' },
    errors: {
      type: 'array',
      description: 'What is wrong, field by field',
      items: {
        type: 'object',
        required: ['pointer', 'detail'],
        properties: {
          pointer: { type: 'string', description: 'JSON Pointer into the body, or the name of a parameter or header' },
          detail: { type: 'string', description: 'What would be right' },
        },
      },
    },
  },
};

const text = { type: 'string' };
const headerComponents = {
  ETag: { description: 'The revision, for `If-Match`', schema: { type: 'string', examples: ['"3"'] } },
  CacheETag: { description: 'For `If-None-Match`', schema: text },
  ShijiPosition: { description: 'Where the command stands in the journal, for `Shiji-After`; opaque and only for the same subject', schema: text },
  XRequestId: { description: 'The id of the request, which the logs know', schema: text },
  Location: { description: 'Where what was created is', schema: { type: 'string', format: 'uri-reference' } },
  RetryAfter: { description: 'Seconds to wait before the next try', schema: { type: 'integer' } },
  WWWAuthenticate: { description: 'How to authenticate, RFC 6750', schema: text },
};

const parameterComponents = {
  IdempotencyKey: {
    name: 'Idempotency-Key',
    in: 'header',
    required: false,
    description: 'Makes the command safe to repeat: under the same key the first answer comes again. A UUIDv7 is best.',
    schema: { type: 'string', pattern: '^[!-~]{1,128}$' },
  },
  IfMatch: {
    name: 'If-Match',
    in: 'header',
    required: false,
    description: 'The `ETag` that was read: the command is refused with 412 where it has changed since.',
    schema: { type: 'string', pattern: '^"(0|[1-9][0-9]*)"$', examples: ['"3"'] },
  },
  ShijiPurpose: {
    name: 'Shiji-Purpose',
    in: 'header',
    required: false,
    description: 'Why, for the record',
    schema: { type: 'string', maxLength: 200 },
  },
  ShijiSight: {
    name: 'Shiji-Sight',
    in: 'header',
    required: false,
    description: 'For teller and agent: the `sight` that finding a customer brought, which lets see and serve that one for a quarter of an hour',
    schema: { type: 'string', pattern: '^[A-Za-z0-9_-]{1,300}$' },
  },
  ShijiAfter: {
    name: 'Shiji-After',
    in: 'header',
    required: false,
    description: '`Shiji-Position` of a command of one’s own: the read waits until it shows it, at most 5 s.',
    schema: text,
  },
  CorrelationId: {
    name: 'X-Correlation-Id',
    in: 'header',
    required: false,
    description: 'Kept with the events, so that what belongs together is found',
    schema: { type: 'string', pattern: '^[A-Za-z0-9._-]{1,64}$' },
  },
  RequestId: {
    name: 'X-Request-Id',
    in: 'header',
    required: false,
    description: 'Taken as the id of the request where it is a short token',
    schema: { type: 'string', pattern: '^[A-Za-z0-9._-]{1,64}$' },
  },
};
