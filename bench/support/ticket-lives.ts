// A bank's tickets from a seed: each opened, assigned, started, resolved and closed within its days, their events interleaved by time
// as they would have come in. Decided by the product's own deciders; how they become bytes is journal-fill.ts.
import type { AnyCommand } from '../../src/commands/command.ts';
import { createdIdOf } from '../../src/commands/command-id.ts';
import { assignTicket, closeTicket, openTicket, resolveTicket, startTicket } from '../../src/commands/ticket.ts';
import { isRejection } from '../../src/domain/kernel/decider.ts';
import type { Actor, Fact } from '../../src/domain/kernel/event.ts';
import { TicketChannel, TicketPriority, TicketType } from '../../src/domain/ticket/vocabulary.ts';
import { Draw } from './draw.ts';

/** One command of a life, with what was decided. */
export interface Step {
  readonly atMs: number;
  readonly stream: string;
  /** Of the stream before it, -1 where it opens it. */
  readonly revision: number;
  readonly commandId: string;
  readonly command: AnyCommand;
  readonly actor: Actor;
  readonly body: unknown;
  readonly facts: readonly Fact[];
}

interface Life {
  readonly id: string;
  readonly openedBy: Actor;
  readonly assignee: Actor;
  state: unknown;
  revision: number;
  /** Index of the next command in `course`. */
  next: number;
  atMs: number;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const TICKETS_A_DAY = 2_000;
/** How busy each hour of a day is, Beijing time. */
const BUSY = [1, 1, 1, 1, 1, 1, 2, 5, 20, 40, 45, 35, 20, 22, 38, 40, 35, 25, 15, 12, 10, 8, 4, 2];
const BUSY_SUM = BUSY.reduce((sum, weight) => sum + weight, 0);
const ZONE_MS = 8 * HOUR_MS;

const course: readonly { readonly command: AnyCommand /** Longest wait before it. */; readonly withinMs: number }[] = [
  { command: openTicket, withinMs: 0 },
  { command: assignTicket, withinMs: 2 * HOUR_MS },
  { command: startTicket, withinMs: 8 * HOUR_MS },
  { command: resolveTicket, withinMs: 3 * DAY_MS },
  { command: closeTicket, withinMs: 2 * DAY_MS },
];

const products = ['个人住房贷款', '借记卡', '信用卡', '手机银行', '理财产品', '汽车分期', '跨境汇款'];
const matters = [
  '提前还款的手续与违约金',
  '卡片在境外被拒付',
  '账单金额与消费不符',
  '收不到短信验证码',
  '赎回资金尚未到账',
  '利率调整后的还款计划',
  '汇款被退回的原因',
  '密码锁定后如何解锁',
];
const circumstances = ['客户希望书面答复', '客户已提供材料', '系第二次来电', '需转支行核实', '客户情绪激动，需主管回电', '涉及代理人办理'];
const outcomes = ['已向客户说明并得到认可', '已更正并退回款项', '已由支行联系客户办结', '系统故障，已修复'];

/** Steps in order of time, until so many events are there or a few more. Ids come from the seed too: the same seed gives the same journal. */
export function* ticketLives({ seed, events, fromMs }: { readonly seed: number; readonly events: number; readonly fromMs: number }): Generator<Step> {
  const draw = new Draw(seed);
  const waiting = new ByTime();
  const openings = openingTimes(draw, fromMs);
  let opening = openings.next().value;
  for (let written = 0; written < events; ) {
    // Whoever is next: the next ticket to be opened, or the next step of one that is.
    const life = waiting.firstMs() < opening ? waiting.take() : open(draw, opening);
    if (life.next === 0) opening = openings.next().value;
    const step = advance(draw, life);
    written += step.facts.length;
    yield step;
    const following = course[life.next];
    if (!following) continue;
    life.atMs += 1 + Math.floor(draw.share() * following.withinMs);
    waiting.add(life);
  }
}

/** One after the other, without end, close together when the bank is busy. */
function* openingTimes(draw: Draw, fromMs: number): Generator<number, never> {
  for (let atMs = fromMs; ; ) {
    const busy = BUSY[Math.floor(((atMs + ZONE_MS) % DAY_MS) / HOUR_MS)] as number;
    const anHour = (TICKETS_A_DAY * busy) / BUSY_SUM;
    atMs += (-Math.log(1 - draw.share()) * HOUR_MS) / anHour;
    yield Math.floor(atMs);
  }
}

function open(draw: Draw, atMs: number): Life {
  return {
    id: createdIdOf(drawId(draw, atMs)),
    openedBy: { subject: `agent-${draw.below(200)}`, role: 'agent' },
    assignee: { subject: `agent-${draw.below(200)}`, role: 'agent' },
    state: openTicket.decider.initialState,
    revision: -1,
    next: 0,
    atMs,
  };
}

function advance(draw: Draw, life: Life): Step {
  const { command } = course[life.next] as (typeof course)[number];
  const body = command.body.parse(bodyOf(draw, command, life));
  const actor = life.next < 2 ? life.openedBy : life.assignee;
  const { state, revision, atMs, id } = life;
  const params = command.target === undefined ? {} : { ticketId: id };
  const decided = command.decider.decide(
    command.command({ params, body }, { now: new Date(atMs).toISOString(), actor, id, zone: 'Asia/Shanghai', referred: [] }),
    state,
  );
  if (isRejection(decided)) throw new Error(`${command.name} was refused: ${decided.detail}`);
  const facts = decided as readonly Fact[];
  life.state = facts.reduce(command.decider.evolve, state);
  life.revision += facts.length;
  life.next += 1;
  return { atMs, stream: `ticket-${id}`, revision, commandId: drawId(draw, atMs), command, actor, body, facts };
}

function bodyOf(draw: Draw, command: AnyCommand, { assignee }: Life): unknown {
  switch (command) {
    case openTicket:
      return {
        type: draw.of(TicketType.options),
        priority: draw.of(TicketPriority.options),
        channel: draw.of(TicketChannel.options),
        product: draw.of(products),
        summary: `客户来电询问${draw.of(matters)}，${draw.of(circumstances)}，编号${draw.below(1_000_000)}`,
      };
    case assignTicket:
      return { to: assignee.subject };
    case resolveTicket:
      return { resolution: `${draw.of(outcomes)}，回访编号${draw.below(1_000_000)}。` };
    default:
      return {};
  }
}

/** Lives by when they go on: a binary heap. */
class ByTime {
  readonly #heap: Life[] = [];

  firstMs(): number {
    return this.#heap[0]?.atMs ?? Number.POSITIVE_INFINITY;
  }

  add(life: Life): void {
    const heap = this.#heap;
    let at = heap.length;
    while (at > 0) {
      const above = (at - 1) >> 1;
      if ((heap[above] as Life).atMs <= life.atMs) break;
      heap[at] = heap[above] as Life;
      at = above;
    }
    heap[at] = life;
  }

  take(): Life {
    const heap = this.#heap;
    const first = heap[0] as Life;
    const last = heap.pop() as Life;
    let at = 0;
    while (heap.length > 0) {
      let below = 2 * at + 1;
      if (below + 1 < heap.length && (heap[below + 1] as Life).atMs < (heap[below] as Life).atMs) below += 1;
      if (below >= heap.length || (heap[below] as Life).atMs >= last.atMs) {
        heap[at] = last;
        break;
      }
      heap[at] = heap[below] as Life;
      at = below;
    }
    return first;
  }
}

/** A command's id of that time, as command-id.ts makes them: a UUIDv8 with the time before the random. */
function drawId(draw: Draw, atMs: number): string {
  const time = atMs.toString(16).padStart(12, '0');
  const hex = (digits: number): string =>
    draw
      .below(16 ** digits)
      .toString(16)
      .padStart(digits, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-8${hex(3)}-8${hex(3)}-${hex(6)}${hex(6)}`;
}
