import { describe, expect, it } from 'vitest';
import { child, createLogger } from '../../src/logging.ts';

function logged(write: (log: ReturnType<typeof createLogger>) => void): { text: string; line: Record<string, unknown> } {
  let text = '';
  write(
    createLogger({
      level: 'info',
      destination: {
        write: (line) => {
          text += line;
        },
      },
    }),
  );
  return { text, line: JSON.parse(text) as Record<string, unknown> };
}

const SECRET = '张三丰';

describe('a log line', () => {
  it('names its subsystem and level', () => {
    expect(logged((log) => child(log, 'journal').info({ count: 3 }, 'appended')).line).toMatchObject({
      level: 'info',
      subsystem: 'journal',
      count: 3,
      msg: 'appended',
    });
  });

  it('has of a customer and an event only what identifies them', () => {
    const { line, text } = logged((log) =>
      log.info({ customer: { id: 'customer-1', name: SECRET }, event: { id: 'e', type: 'TicketOpened', data: { summary: SECRET } } }, 'seen'),
    );
    expect(line).toMatchObject({ customer: 'customer-1', event: { id: 'e', type: 'TicketOpened' } });
    expect(text).not.toContain(SECRET);
  });

  it('has of a database error its code and constraint, and none of the values it quotes', () => {
    const duplicate = Object.assign(new Error('duplicate key value violates unique constraint "u"'), {
      code: '23505',
      constraint: 'u',
      detail: `Key (name)=(${SECRET}) exists`,
    });
    const malformed = Object.assign(new Error(`invalid input syntax for type integer: "${SECRET}"`), { code: '22P02', where: SECRET });
    const parsed = ((): unknown => {
      try {
        return JSON.parse(`{"name": ${SECRET}`);
      } catch (error) {
        return error;
      }
    })();
    for (const cause of [duplicate, malformed, parsed]) {
      const { line, text } = logged((log) => log.error({ err: new Error('append failed', { cause }) }, 'failed'));
      expect(text).not.toContain(SECRET);
      expect(line).toMatchObject({ err: { message: 'append failed', cause: { stack: expect.stringMatching(/^ {4}at /) } } });
    }
    expect(logged((log) => log.error({ err: duplicate }, 'failed')).line).toMatchObject({ err: { code: '23505', constraint: 'u' } });
  });
});
