// Loaded into a process of ours ahead of it (`NODE_OPTIONS=--import=…`), so that a test can have it suffer at a signal: SIGUSR2 stops its
// event loop for five seconds, SIGWINCH uses up its memory.
const STALL_MS = 5_000;

process.on('SIGUSR2', () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, STALL_MS));
process.on('SIGWINCH', () => {
  for (const kept: number[][] = []; ; ) kept.push(new Array(5_000_000).fill(Math.random()));
});

export {};
