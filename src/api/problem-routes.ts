// What a problem's `type` leads to: the catalogue, for whoever follows the link.
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { AnyCommand } from '../commands/command.ts';
import { notFound, problems } from './problems.ts';
import { refusals, refusalTitle } from './refusals.ts';

export interface ProblemEntry {
  readonly code: string;
  /** One status; of a refusal that several commands give, each. */
  readonly statuses: readonly number[];
  readonly title: string;
  readonly remedy: string;
  /** The commands that refuse with it; none where any request may meet it. */
  readonly commands: readonly string[];
}

/** Every code that an answer can have: the general ones, then the refusals by name. */
export function problemCatalogue(commands: readonly AnyCommand[]): readonly ProblemEntry[] {
  const general = Object.entries(problems).map(([code, { status, title, remedy }]) => ({ code, statuses: [status], title, remedy, commands: [] }));
  const refused = new Map<string, { statuses: Set<number>; commands: string[] }>();
  for (const { name, rejections } of commands) {
    for (const [code, status] of Object.entries(rejections as Record<string, number>)) {
      const entry = refused.get(code) ?? { statuses: new Set(), commands: [] };
      entry.statuses.add(status);
      entry.commands.push(name);
      refused.set(code, entry);
    }
  }
  const special = [...refused]
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([code, { statuses, commands: names }]) => ({
      code,
      statuses: [...statuses],
      title: refusalTitle(code),
      remedy: refusals[code]?.remedy ?? '`detail` says what would be right.',
      commands: names,
    }));
  return [...general, ...special];
}

const Entry = z.object({
  code: z.string(),
  statuses: z.array(z.int()),
  title: z.string(),
  remedy: z.string().meta({ description: 'What the caller can do' }),
  commands: z.array(z.string()).meta({ description: 'The commands that refuse with it; none where any request may meet it' }),
});
const params = z.strictObject({ code: z.string().regex(/^[A-Za-z]{1,64}$/) });

export function problemRoutes(app: FastifyInstance, commands: readonly AnyCommand[]): void {
  const catalogue = new Map(problemCatalogue(commands).map((entry) => [entry.code, JSON.stringify(entry)]));
  app.get(
    '/problems/:code',
    {
      schema: { params },
      config: {
        public: true,
        openapi: {
          kind: 'plain',
          name: 'GetProblem',
          summary: 'What a problem means and what to do about it',
          params,
          answers: { 200: { description: 'The entry of the catalogue', content: { 'application/json': Entry } } },
          problems: [404],
        },
      },
    },
    (request, reply) => {
      const entry = catalogue.get((request.params as z.output<typeof params>).code);
      if (entry === undefined) throw notFound();
      reply.header('cache-control', 'public, max-age=3600').header('content-type', 'application/json; charset=utf-8').send(entry);
    },
  );
}

/** docs/errors.md. */
export function errorsPage(commands: readonly AnyCommand[]): string {
  const lines = problemCatalogue(commands).map(({ code, statuses, title, remedy, commands: names }) => {
    const by = names.length === 0 ? '' : ` Refused by ${names.map((name) => `\`${name}\``).join(', ')}.`;
    return `| \`${code}\` | ${statuses.join(', ')} | ${title} | ${remedy}${by} |`;
  });
  return `# Errors

Every answer that is no success is a problem, RFC 9457 (\`application/problem+json\`). Its \`type\` is \`/problems/<code>\`, which can be
followed; \`instance\` is the id of the request, by which the operators find it in the log; \`errors\` lists what is wrong field by field.
This page is made from the code: \`npx vitest run --project unit problems -u\` writes it.

| code | status | title | what to do |
|---|---|---|---|
${lines.join('\n')}
`;
}
