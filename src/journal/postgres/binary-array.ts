// Arrays in Postgres' binary format (array_recv), which node-postgres sends as it gets them: neither side escapes or parses a text.
// Against one JSON parameter the append took a quarter less of Postgres' processor time (55 → 41 µs an event at 32 a batch).

const TEXT = 25;
const BYTEA = 17;
const UUID = 2950;
const INT2 = 21;
const INT4 = 23;
const INT8 = 20;
const HEADER_BYTES = 20;

function header(target: Buffer, elementType: number, count: number): number {
  // An array without elements has no dimension.
  target.writeInt32BE(count === 0 ? 0 : 1, 0);
  target.writeInt32BE(0, 4);
  target.writeInt32BE(elementType, 8);
  if (count === 0) return 12;
  target.writeInt32BE(count, 12);
  target.writeInt32BE(1, 16);
  return HEADER_BYTES;
}

export function textArray(texts: readonly string[]): Buffer {
  const lengths = texts.map((text) => Buffer.byteLength(text));
  const target = Buffer.allocUnsafe(lengths.reduce((sum, length) => sum + 4 + length, HEADER_BYTES));
  let at = header(target, TEXT, texts.length);
  texts.forEach((text, index) => {
    const length = lengths[index] as number;
    target.writeInt32BE(length, at);
    target.write(text, at + 4, length, 'utf8');
    at += 4 + length;
  });
  return target.subarray(0, at);
}

export function byteaArray(values: readonly Buffer[]): Buffer {
  const target = Buffer.allocUnsafe(values.reduce((sum, value) => sum + 4 + value.length, HEADER_BYTES));
  let at = header(target, BYTEA, values.length);
  for (const value of values) {
    target.writeInt32BE(value.length, at);
    value.copy(target, at + 4);
    at += 4 + value.length;
  }
  return target.subarray(0, at);
}

export function uuidArray(ids: readonly string[]): Buffer {
  const target = Buffer.allocUnsafe(HEADER_BYTES + ids.length * 20);
  let at = header(target, UUID, ids.length);
  for (const id of ids) {
    target.writeInt32BE(16, at);
    target.write(id.replaceAll('-', ''), at + 4, 16, 'hex');
    at += 20;
  }
  return target.subarray(0, at);
}

export function int2Array(values: readonly number[]): Buffer {
  return fixed(INT2, 2, values, (target, value, at) => target.writeInt16BE(value, at));
}

export function int4Array(values: readonly number[]): Buffer {
  return fixed(INT4, 4, values, (target, value, at) => target.writeInt32BE(value, at));
}

export function int8Array(values: readonly number[]): Buffer {
  return fixed(INT8, 8, values, (target, value, at) => target.writeBigInt64BE(BigInt(value), at));
}

function fixed(elementType: number, bytes: number, values: readonly number[], write: (target: Buffer, value: number, at: number) => void): Buffer {
  const target = Buffer.allocUnsafe(HEADER_BYTES + values.length * (4 + bytes));
  let at = header(target, elementType, values.length);
  for (const value of values) {
    target.writeInt32BE(bytes, at);
    write(target, value, at + 4);
    at += 4 + bytes;
  }
  return target.subarray(0, at);
}
