// A stream's slice, fixed for ever: FNV-1a over its name, modulo 1,024. Projections may be sharded by ranges of it.
export const SLICES = 1_024;

export function sliceOf(stream: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < stream.length; index += 1) {
    hash ^= stream.charCodeAt(index);
    hash = Math.imul(hash, 0x01000193);
  }
  return (hash >>> 0) % SLICES;
}
