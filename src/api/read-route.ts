// A read is one declaration, like a command: its route, roles, parameters and answer; what it waits for (`Shiji-After`), whether what
// it shows is personal and therefore recorded, how its pages go on and whether it comes as a table follow from here.
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Actor } from '../domain/kernel/event.ts';
import type { Role } from '../domain/kernel/roles.ts';
import { type AfterParts, waitForAfter } from './after.ts';
import { CSV_TYPE, type CsvColumn, csvHeader, csvRows, formFor } from './csv.ts';
import type { CursorBinding, Cursors } from './cursors.ts';
import { addVary, sendStream, sendText } from './gzip.ts';
import { type PageParameters, type PageRequest, pageOf } from './page.ts';
import { notFound, Problem } from './problems.ts';
import type { ReadOf, ReadRecorder, ReadRecords } from './read-record.ts';
import type { TableSlots } from './table-slots.ts';

export interface ReadRouteParts extends AfterParts {
  readonly cursors: Cursors;
  readonly recorder: ReadRecorder;
  readonly tables: TableSlots;
}

export interface ReadDeclaration<Params extends z.ZodType, Query extends z.ZodType, Answer extends z.ZodType> {
  /** `GetTicket`: its name in the reference. */
  readonly name: string;
  readonly summary: string;
  readonly route: `GET /v1/${string}`;
  readonly roles: readonly Role[];
  readonly params?: Params;
  readonly query?: Query;
  /** What leaves: a property that is not in it does not. */
  readonly answer: Answer;
  /** The read models it looks at: with `Shiji-After` it waits for them. */
  readonly projections?: readonly string[];
  /** Whether it shows anything of a person. Then `read` must record it, the answer is `no-store` and has no validator of a cache. */
  readonly personal: boolean;
  /** Of a list (`items`): with `Accept: text/csv` it comes as a table, all pages in one. */
  readonly csv?: readonly CsvColumn<ItemOf<z.output<Answer>>>[];
  readonly read: (input: ReadInput<z.output<Params>, z.output<Query>>) => Promise<z.output<Answer>>;
}

type ItemOf<Answer> = Answer extends { items: readonly (infer Item)[] } ? Item : never;

export interface ReadInput<Params, Query> {
  readonly params: Params;
  readonly query: Query;
  readonly actor: Actor;
  readonly request: FastifyRequest;
  /** Records what will be shown; to be awaited before returning it. `records`: where, if not where all reads are. */
  record(read: Omit<ReadOf, 'outcome'>, records?: ReadRecords): Promise<void>;
  /** Records that it was asked for and not shown, and gives the 404 to throw. */
  denied(ids: readonly string[]): Promise<Problem>;
  /** One page of a query under this route's `limit`, `cursor` and `count` (pageParameters). */
  page<DB, TB extends keyof DB, Row>(request: Pick<PageRequest<DB, TB, Row>, 'query' | 'sort'>): Promise<Page<Row>>;
  /** Position-keyed lists that are not read by Kysely: the same cursors. */
  cursorFrom(sort: string): readonly (string | null)[] | undefined;
  cursorTo(values: readonly (string | null)[], sort: string): string;
  /** The revision for `If-Match`, sent as `ETag`. */
  etag(revision: number): void;
}

export interface Page<Item> {
  readonly items: Item[];
  readonly next: string | null;
  readonly total?: number;
}

/** The answer of a list. */
export function pageAnswer<Item extends z.ZodType>(item: Item) {
  return z.object({
    items: z.array(item),
    next: z.string().nullable().meta({ description: 'The cursor of the next page, null on the last one' }),
    total: z.int().nonnegative().optional().meta({ description: 'How many there are in all, with `count=true`' }),
  });
}

const JSON_TYPE = 'application/json; charset=utf-8';
const CSV_PAGE = 500;
const none = z.strictObject({});

export function readRoute<Params extends z.ZodType = typeof none, Query extends z.ZodType = typeof none, Answer extends z.ZodType = z.ZodType>(
  app: FastifyInstance,
  parts: ReadRouteParts,
  declaration: ReadDeclaration<Params, Query, Answer>,
): void {
  const { answer, personal, projections = [], csv } = declaration;
  const params = declaration.params ?? none;
  const query = declaration.query ?? none;
  const path = declaration.route.slice('GET '.length);

  app.route({
    method: 'GET',
    url: path.replace(/\{([A-Za-z]+)\}/g, ':$1'),
    schema: { params, querystring: query },
    config: {
      roles: declaration.roles,
      openapi: {
        kind: 'read',
        name: declaration.name,
        summary: declaration.summary,
        params,
        query,
        answer,
        personal,
        waits: projections.length > 0,
        csv: csv !== undefined,
      },
    },
    handler: async (request, reply) => {
      const after = request.headers['shiji-after'];
      if (after !== undefined) await waitForAfter(after, request.actor, projections, parts);
      const form = formFor(request.headers.accept, csv !== undefined);
      if (form === undefined) throw new Problem('NotAcceptable');
      if (csv !== undefined) addVary(reply, 'accept');
      const run = runner(declaration, request, reply, path, parts);
      if (form === 'table' && csv !== undefined) return sendTable(request, reply, csv, run, parts.tables);
      const shown = z.encode(answer, await run(request.query as z.output<Query>));
      const text = JSON.stringify(shown);
      if (personal) reply.header('cache-control', 'no-store');
      else if (revalidates(request, reply, text)) return reply.code(304).send();
      return sendText(request, reply, text, JSON_TYPE);
    },
  });
}

/** Runs the read for one page, and fails closed where personal data was not recorded. */
function runner<Params extends z.ZodType, Query extends z.ZodType, Answer extends z.ZodType>(
  { name, personal, read }: ReadDeclaration<Params, Query, Answer>,
  request: FastifyRequest,
  reply: FastifyReply,
  route: string,
  { cursors, recorder }: ReadRouteParts,
): (query: z.output<Query>) => Promise<z.output<Answer>> {
  return async (query) => {
    let recorded = false;
    const parameters = query as z.output<Query> & Partial<PageParameters>;
    const binding = (sort: string): CursorBinding => ({
      actor: request.actor,
      route: `${route} ${JSON.stringify(request.params)}`,
      filter: filterOf(query),
      sort,
    });
    const cursorFrom = (sort: string) => (parameters.cursor === undefined ? undefined : cursors.open(parameters.cursor, binding(sort)));
    const cursorTo = (values: readonly (string | null)[], sort: string): string => cursors.seal(values, binding(sort));
    const answer = await read({
      params: request.params as z.output<Params>,
      query,
      actor: request.actor,
      request,
      record: async (shown, records) => {
        await recorder.recordRead(request, shown, records);
        recorded = true;
      },
      denied: async (ids) => {
        await recorder.recordRead(request, { ids, fields: [], outcome: 'denied' });
        return notFound();
      },
      page: async ({ query: select, sort }) => {
        const order = JSON.stringify(sort);
        const { limit = 50, count = false } = parameters;
        const { items, next, total } = await pageOf({ query: select, sort, limit, count, after: cursorFrom(order) });
        return { items: [...items], next: next === undefined ? null : cursorTo(next, order), ...(total === undefined ? {} : { total }) };
      },
      cursorFrom,
      cursorTo,
      etag: (revision) => {
        reply.header('etag', `"${revision}"`);
      },
    });
    if (personal && !recorded) throw new Error(`${name} shows personal data and did not record it`);
    return answer;
  };
}

function sendTable<Query, Answer>(
  request: FastifyRequest,
  reply: FastifyReply,
  columns: readonly CsvColumn<ItemOf<Answer>>[],
  run: (query: Query) => Promise<Answer>,
  tables: TableSlots,
) {
  const asked = request.query as Query & { limit?: number; cursor?: string };
  type Items = { items: ItemOf<Answer>[]; next?: string | null };
  return (async () => {
    // The first page before the header, so that a refusal is still a problem with a status.
    const release = tables.take();
    const first = await run({ ...asked, ...('limit' in asked ? { limit: CSV_PAGE } : {}) }).catch((error: unknown) => {
      release();
      throw error;
    });
    let page = first as unknown as Items;
    async function* lines() {
      yield csvHeader(columns) + csvRows(columns, page.items);
      while (typeof page.next === 'string') {
        page = (await run({ ...asked, limit: CSV_PAGE, cursor: page.next })) as unknown as Items;
        yield csvRows(columns, page.items);
      }
    }
    reply.header('cache-control', 'no-store');
    const table = Readable.from(lines(), { objectMode: false });
    table.once('close', release);
    return sendStream(request, reply, table, CSV_TYPE);
  })();
}

/** Every parameter but those that only turn the page. */
function filterOf(query: unknown): string {
  const { limit: _limit, cursor: _cursor, count: _count, ...filter } = (query ?? {}) as Record<string, unknown>;
  return JSON.stringify(Object.entries(filter).sort(([one], [other]) => (one < other ? -1 : 1)));
}

/** Sets the validator of an answer without identity; true where the caller has it already. */
export function revalidates(request: FastifyRequest, reply: FastifyReply, text: string): boolean {
  const etag = `"${createHash('sha256').update(text).digest('base64url').slice(0, 22)}"`;
  reply.header('etag', etag).header('cache-control', 'private, no-cache');
  const known = request.headers['if-none-match'];
  return known?.split(',').some((one) => one.trim().replace(/^W\//, '') === etag) ?? false;
}
