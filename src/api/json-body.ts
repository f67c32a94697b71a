// JSON as we take it: RFC 8259, and nothing that two parsers could read differently (evidence.md 97 to 99). One pass over the text
// before JSON.parse bounds the depth and finds numbers that would lose digits; one over the value finds duplicate names, because
// then it has fewer of them than the text has colons. Together they add half of what JSON.parse costs for a ticket.
import { Problem } from './problems.ts';

const MAX_DEPTH = 32;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const BRACE = 0x7b;
const BRACE_END = 0x7d;
const BRACKET = 0x5b;
const BRACKET_END = 0x5d;
const ZERO = 0x30;
const NINE = 0x39;
const POINT = 0x2e;
const PLUS = 0x2b;
const MINUS = 0x2d;
const LOWER_E = 0x65;
const UPPER_E = 0x45;

/** The parsed text; an empty one is an empty object, so that validation names what is missing. @throws Problem MalformedRequest */
export function parseJson(text: string): unknown {
  if (text.length === 0) return {};
  const colons = scan(text);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw malformed('The body is not JSON.');
  }
  if (namesOf(value) !== colons) throw malformed('The body has one name twice in one object.');
  // Postgres keeps no NUL. It can only come escaped, so most bodies are not looked through for it.
  if (text.includes('\\u0000') && hasNul(value)) throw malformed('The body has a NUL character in a string.');
  return value;
}

/** Counts the colons between names and values. */
function scan(text: string): number {
  let depth = 0;
  let colons = 0;
  for (let at = 0; at < text.length; at += 1) {
    const char = text.charCodeAt(at);
    if (char === QUOTE) {
      at = endOfString(text, at);
    } else if (char === COLON) colons += 1;
    else if (char === BRACE || char === BRACKET) {
      depth += 1;
      if (depth > MAX_DEPTH) throw malformed(`The body is nested deeper than ${MAX_DEPTH} levels.`);
    } else if (char === BRACE_END || char === BRACKET_END) depth -= 1;
    else if (char >= ZERO && char <= NINE) at = endOfNumber(text, at);
  }
  return colons;
}

function endOfString(text: string, from: number): number {
  for (let end = text.indexOf('"', from + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let backslashes = 0;
    while (text.charCodeAt(end - 1 - backslashes) === BACKSLASH) backslashes += 1;
    if (backslashes % 2 === 0) return end;
  }
  return text.length;
}

function endOfNumber(text: string, from: number): number {
  let end = from;
  let exponent = false;
  for (;;) {
    end += 1;
    const char = text.charCodeAt(end);
    if (char === LOWER_E || char === UPPER_E) exponent = true;
    else if (!((char >= ZERO && char <= NINE) || char === POINT || char === PLUS || char === MINUS)) break;
  }
  // Up to 15 digits every number is exact, unless an exponent moves it.
  if (end - from > 15 || exponent) {
    const value = Number(text.slice(from, end));
    if (!(value <= Number.MAX_SAFE_INTEGER)) throw malformed('The body has a number beyond 2^53: send it as a string.');
  }
  return end - 1;
}

function namesOf(value: unknown): number {
  if (typeof value === 'string') {
    // UTF-8 has no lone surrogate: it would not come back as it was sent.
    if (!value.isWellFormed()) throw malformed('The body has half a surrogate pair in a string.');
    return 0;
  }
  if (typeof value !== 'object' || value === null) return 0;
  let names = 0;
  if (Array.isArray(value)) {
    for (const item of value) names += namesOf(item);
    return names;
  }
  for (const name in value) {
    if (name === '__proto__' || name === 'constructor') throw malformed(`The body has a property named ${name}, which is never accepted.`);
    names += 1 + namesOf((value as Record<string, unknown>)[name]);
  }
  return names;
}

function hasNul(value: unknown): boolean {
  if (typeof value === 'string') return value.includes('\0');
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(([name, inner]) => name.includes('\0') || hasNul(inner));
}

function malformed(detail: string): Problem {
  return new Problem('MalformedRequest', detail);
}
