// The client of `visible`, a process of its own: opens tickets at even times, whatever the answers do, and looks for each at once. No
// omission can hide a stall: the next command is sent when it is due, not when the last one was answered.
import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { serve } from './child.ts';
import { type Latency, latencyOf } from './measurement.ts';

export interface VisibleLoad {
  readonly url: string;
  readonly token: string;
  readonly body: object;
  readonly perSecond: number;
  readonly seconds: number;
  /** Whether the GET brings the `Shiji-After` of the command just answered; else it reads, at the same moment, a ticket of a second ago. */
  readonly after: boolean;
}

export interface VisibleLoadResult {
  /** From the command's answer to the GET's. */
  readonly read: Latency;
  /** From when the command was due to its answer. */
  readonly command: Latency;
  readonly reads: number;
}

interface Answered {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

interface Ticket {
  readonly id: string;
  readonly position: string;
}

const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });
/** Kept over the rounds: what a round without `after` reads first was opened by the one before. */
const opened: string[] = [];

if (import.meta.main) serve(load);

async function load({ url, token, body, perSecond, seconds, after }: VisibleLoad): Promise<VisibleLoadResult> {
  const count = Math.round(perSecond * seconds);
  const reads: number[] = [];
  const commands: number[] = [];
  const authorization = `Bearer ${token}`;
  const text = JSON.stringify(body);

  const one = async (dueMs: number): Promise<void> => {
    const { id, position } = await open(`${url}/v1/tickets`, authorization, text);
    const answeredMs = performance.now();
    commands.push(answeredMs - dueMs);
    opened.push(id);
    const earlier = opened[opened.length - 1 - perSecond];
    if (!after && earlier === undefined) return;
    const target = after ? id : earlier;
    const seen = await send('GET', `${url}/v1/tickets/${target}`, after ? { authorization, 'shiji-after': position } : { authorization });
    if (seen.status !== 200) throw new Error(`GET of a ticket ${after ? 'just' : 'a second ago'} opened: ${seen.status} ${seen.text}`);
    reads.push(performance.now() - answeredMs);
  };

  const startMs = performance.now();
  const all: Promise<void>[] = [];
  for (let index = 0; index < count; index += 1) {
    const dueMs = startMs + (index * 1_000) / perSecond;
    const waitMs = dueMs - performance.now();
    // A timer may be late by a millisecond or two: the measured time starts when it was due all the same.
    if (waitMs > 0) await sleep(waitMs);
    all.push(one(dueMs));
  }
  await Promise.all(all);
  return { read: latencyOf(Float64Array.from(reads)), command: latencyOf(Float64Array.from(commands)), reads: reads.length };
}

async function open(url: string, authorization: string, text: string): Promise<Ticket> {
  const { status, headers, text: answer } = await send('POST', url, { authorization, 'content-type': 'application/json' }, text);
  if (status !== 201) throw new Error(`POST ${url}: ${status} ${answer}`);
  return { id: (JSON.parse(answer) as { id: string }).id, position: String(headers['shiji-position']) };
}

function send(method: 'GET' | 'POST', url: string, headers: Record<string, string>, body?: string): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const sent = request(
      url,
      { method, agent, headers: body === undefined ? headers : { ...headers, 'content-length': Buffer.byteLength(body) } },
      (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (piece: string) => {
          text += piece;
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
        response.on('error', reject);
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}
