// Programs of the bench that run as a process of their own, so that measuring takes nothing from what is measured but its share of
// the machine: `startChild` here, `serve` there. They end with the bench, also when it is killed.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Scope } from './scope.ts';

export interface Child<Request, Answer> {
  readonly pid: number;
  /** One question at a time. */
  ask(request: Request): Promise<Answer>;
  end(): Promise<void>;
}

type Reply<Answer> = { readonly answer: Answer } | { readonly error: string };

/** @param file beside this one */
export function startChild<Request extends object, Answer>(scope: Scope, file: string): Child<Request, Answer> {
  const child: ChildProcess = fork(join(import.meta.dirname, file), [], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    serialization: 'advanced',
  });
  const exited = once(child, 'exit');
  const end = async (): Promise<void> => {
    if (child.connected) child.disconnect();
    const timer = setTimeout(() => child.kill('SIGKILL'), 20_000);
    await exited;
    clearTimeout(timer);
  };
  scope.onEnd(end);
  return {
    pid: child.pid ?? 0,
    ask: async (request) => {
      const answered = Promise.withResolvers<Answer>();
      const onMessage = (reply: unknown): void => {
        const got = reply as Reply<Answer>;
        if ('error' in got) answered.reject(new Error(`${file}: ${got.error}`));
        else answered.resolve(got.answer);
      };
      const onExit = (code: number | null): void => answered.reject(new Error(`${file} ended with ${code} before it answered`));
      child.once('message', onMessage);
      child.once('exit', onExit);
      child.send(request, (error) => {
        if (error) answered.reject(new Error(`${file} does not listen`, { cause: error }));
      });
      try {
        return await answered.promise;
      } finally {
        child.off('message', onMessage);
        child.off('exit', onExit);
      }
    },
    end,
  };
}

/** The child's side: answers each question, and ends the process when the bench goes away. */
export function serve<Request, Answer>(answerTo: (request: Request) => Promise<Answer>): void {
  process.on('message', (request: unknown) => {
    void answerTo(request as Request).then(
      (answer) => process.send?.({ answer }),
      (error: unknown) => process.send?.({ error: explained(error) }),
    );
  });
  process.on('disconnect', () => process.exit(0));
  // Ctrl-C reaches the whole group: the bench decides when we end.
  process.on('SIGINT', () => {});
}

function explained(error: unknown): string {
  const messages: string[] = [];
  for (let inner = error; inner instanceof Error; inner = inner.cause) messages.push(inner.message);
  return messages.join(': ') || String(error);
}
