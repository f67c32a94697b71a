// What the refusals of commands are called and what the caller can do: a title and a remedy for each code of a declaration's
// `rejections`, whose status stands there. tests/unit/problems.test.ts finds a code without an entry, and an entry without a code.

export interface RefusalText {
  readonly title: string;
  readonly remedy: string;
}

export const refusals: Readonly<Record<string, RefusalText>> = {
  TicketNotFound: { title: 'There is no such ticket', remedy: 'Check the ticket’s id.' },
  TicketTransitionIllegal: {
    title: 'The ticket is not where this can be done',
    remedy: 'Read the ticket; `detail` says what can be done with it now.',
  },
  ClockOnlyForward: { title: 'The clock only moves forward', remedy: 'Give an instant that is not before what the clock shows.' },
};

/** `TicketClosed` → `Ticket closed`, for a code without an entry. */
export function refusalTitle(code: string): string {
  const words = code.replace(/(?<=[a-z0-9])(?=[A-Z])/g, ' ').toLowerCase();
  return refusals[code]?.title ?? words.charAt(0).toUpperCase() + words.slice(1);
}
