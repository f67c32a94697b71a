// Waiting for many at once where what is left running would do harm.

/** Like `Promise.all`, but it ends after the last of them, also where one fails: then nothing of a page goes on behind its row's back. */
export async function allDone<Result>(running: readonly Promise<Result>[]): Promise<Result[]> {
  const settled = await Promise.allSettled(running);
  return settled.map((one) => {
    if (one.status === 'rejected') throw one.reason;
    return one.value;
  });
}
