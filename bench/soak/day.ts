// What a bank's day asks of its CRM, drawn by a seed: reads 80 %, commands 15 %, records of core banking 5 %.
import { type Draw, Weighted } from '../support/draw.ts';
import type { Answered, Asked } from './client.ts';
import type { CommandsOfTheDay } from './commands.ts';
import type { FeedOfTheDay } from './feed.ts';
import type { ReadsOfTheDay } from './reads.ts';

export interface Step extends Asked {
  /** For the table of latencies. */
  readonly kind: string;
  /** Takes what a success brings; says what is wrong with it, where something is. */
  readonly done?: (answer: Answered) => string | undefined;
  /** What it was to change moved since it was read (412), as a ticket does when its deadline is told: an answer like any other. */
  readonly moved?: (answer: Answered) => void;
  /** It was given up. */
  readonly undone?: () => void;
}

const groups = new Weighted<'read' | 'command' | 'feed'>([
  ['read', 80],
  ['command', 15],
  ['feed', 5],
]);

export class BankDay {
  readonly #draw: Draw;
  readonly #reads: ReadsOfTheDay;
  readonly #commands: CommandsOfTheDay;
  readonly #feed: FeedOfTheDay;

  constructor(draw: Draw, reads: ReadsOfTheDay, commands: CommandsOfTheDay, feed: FeedOfTheDay) {
    this.#draw = draw;
    this.#reads = reads;
    this.#commands = commands;
    this.#feed = feed;
  }

  next(): Step {
    const group = groups.draw(this.#draw);
    if (group === 'read') return this.#reads.next();
    return group === 'command' ? this.#commands.next() : this.#feed.next();
  }
}
