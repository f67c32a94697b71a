// The environment, checked once: the only place that reads process.env. What each variable means stands here and in .env.example.
// An empty variable counts as absent, since compose files pass those on.
import { isIP } from 'node:net';
import { z } from 'zod';
import { StartError } from './start-error.ts';

export type JwtAlgorithm = 'HS256' | 'RS256' | 'ES256';

export interface Config {
  /** As given; openDataFolder makes it absolute. */
  readonly dataDir: string;
  readonly host: string;
  readonly port: number;
  /** Undefined: the embedded Postgres in the data folder. */
  readonly database: { readonly url: string /** Runs migrations. */; readonly ownerUrl: string } | undefined;
  /** Most connections of one pool. */
  readonly databasePool: number;
  readonly journal: { readonly store: 'postgres' } | { readonly store: 'eventstoredb'; readonly url: string };
  readonly natsUrl: string | undefined;
  readonly clock: 'system' | 'manual';
  /** The bank's IANA time zone, in which its business dates are. */
  readonly zone: string;
  readonly jwt: {
    /** The one that is accepted. */
    readonly algorithm: JwtAlgorithm;
    readonly issuer: string;
    readonly audience: string;
    /** With HS256; undefined on an embedded server that draws its own (DataFolder.jwtSecret). */
    readonly secret: string | undefined;
    /** With RS256 and ES256. */
    readonly jwksUrl: string | undefined;
  };
  /** `key` is 32 bytes in base64; undefined on an embedded server that draws its own (DataFolder.masterKey). */
  readonly masterKey: { readonly key: string | undefined; readonly version: number };
  readonly logLevel: string;
  /** Requests a subject and minute; 0 for no limit. */
  readonly rateLimitPerMinute: number;
  /** What command-line clients talk to and as whom; undefined: the server on the data folder, with a token minted there. */
  readonly client: { readonly url: string | undefined; readonly token: string | undefined };
}

/** Lists each bad variable: its name, its value unless secret, and what is accepted. */
export class ConfigError extends StartError {
  override readonly name = 'ConfigError';
  readonly problems: readonly string[];
  constructor(problems: readonly string[]) {
    super(
      problems.length === 1
        ? `${problems[0]}.`
        : `${problems.length} settings are not accepted:\n${problems.map((problem) => `  ${problem}.`).join('\n')}`,
    );
    this.problems = problems;
  }
}

interface Variable<Value> {
  readonly schema: z.ZodType<Value, string>;
  /** What is accepted, as an error says it. */
  readonly accepts: string;
  readonly meaning: string;
  /** As it would stand in the environment; absent where the variable may be missing. */
  readonly default?: string;
  /** Never shown; a URL is shown without its password. */
  readonly secret?: true;
}

function oneOf<const Values extends readonly [string, ...string[]]>(values: Values): { schema: z.ZodType<Values[number], string>; accepts: string } {
  return { schema: z.enum(values), accepts: values.join(', ').replace(/, ([^,]*)$/, ' or $1') };
}

function wholeNumber(from: number, to: number): { schema: z.ZodType<number, string>; accepts: string } {
  const inRange = (text: string): boolean => /^\d{1,9}$/.test(text) && Number(text) >= from && Number(text) <= to;
  return { schema: z.string().refine(inRange).transform(Number), accepts: `a whole number from ${from} to ${to}` };
}

function urlOf(schemes: readonly string[], example: string): { schema: z.ZodType<string, string>; accepts: string } {
  const isUrl = (text: string): boolean => URL.canParse(text) && schemes.includes(new URL(text).protocol.slice(0, -1));
  return { schema: z.string().refine(isUrl), accepts: `a URL such as ${example}` };
}

/** A cluster's: URLs, or hosts of one, with commas between. The client reads the rest. */
function clusterUrlOf(schemes: readonly string[], example: string): { schema: z.ZodType<string, string>; accepts: string } {
  const pattern = new RegExp(`^(${schemes.map(RegExp.escape).join('|')})://[^\\s/]+`);
  return { schema: z.string().regex(pattern), accepts: `a URL such as ${example}` };
}

const postgresUrl = urlOf(['postgres', 'postgresql'], 'postgres://user:password@host:5432/database');
const text = z.string().trim().min(1);

/** Every variable there is, in the order of .env.example. */
export const variables = {
  SHIJI_DATA: {
    schema: text,
    accepts: 'a folder',
    default: '.shiji',
    meaning: 'Data folder of the embedded server: its Postgres, secrets and server.pid',
  },
  HOST: {
    schema: text.refine((host) => isIP(host) !== 0 || /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i.test(host)),
    accepts: 'an IP address or a host name of this machine',
    default: '127.0.0.1',
    meaning: 'Address that HTTP listens on; 0.0.0.0 for every one of this machine',
  },
  PORT: { ...wholeNumber(0, 65535), default: '8080', meaning: 'Port that HTTP listens on; 0 takes a free one' },
  DATABASE_URL: { ...postgresUrl, meaning: 'Postgres of yours, version 16 or newer; without it the embedded one is started' },
  DATABASE_OWNER_URL: {
    ...postgresUrl,
    meaning: 'The same database as an owner who may make tables and roles, for migrations; DATABASE_URL where absent',
  },
  DATABASE_POOL: { ...wholeNumber(2, 500), default: '16', meaning: 'Most connections of one pool' },
  JOURNAL: { ...oneOf(['postgres', 'eventstoredb']), default: 'postgres', meaning: 'Where events live' },
  EVENTSTOREDB_URL: {
    ...clusterUrlOf(['esdb', 'esdb+discover', 'kurrentdb', 'kurrentdb+discover'], 'esdb://127.0.0.1:2113?tls=false'),
    meaning: 'EventStoreDB, needed with JOURNAL=eventstoredb',
  },
  NATS_URL: {
    ...clusterUrlOf(['nats', 'tls', 'ws', 'wss'], 'nats://127.0.0.1:4222'),
    meaning: 'NATS JetStream that events are published to (docs/nats.md); nothing is published without it',
  },
  SHIJI_CLOCK: {
    ...oneOf(['system', 'manual']),
    default: 'system',
    meaning: 'manual lets POST /v1/clock move the clock forward, for demos and tests; embedded only',
  },
  SHIJI_ZONE: {
    schema: text.refine(isZone),
    accepts: 'an IANA time zone such as Asia/Shanghai',
    default: 'Asia/Shanghai',
    meaning: "The bank's time zone: its business dates and opening hours",
  },
  JWT_SECRET: {
    schema: z.string().refine((secret) => Buffer.byteLength(secret) >= 32),
    accepts: 'a secret of at least 32 bytes',
    secret: true,
    meaning: 'Secret of HS256 tokens; an embedded server draws its own into the data folder',
  },
  JWT_JWKS_URL: {
    ...urlOf(['https', 'http'], 'https://login.example.com/.well-known/jwks.json'),
    meaning: 'Where the public keys of RS256 or ES256 tokens are fetched',
  },
  JWT_ALGORITHM: {
    ...oneOf(['HS256', 'RS256', 'ES256']),
    meaning: 'The one algorithm accepted; RS256 with JWT_JWKS_URL and HS256 without, where absent',
  },
  JWT_ISSUER: { schema: text, accepts: 'an issuer', default: 'shiji', meaning: 'Issuer that tokens must name' },
  JWT_AUDIENCE: { schema: text, accepts: 'an audience', default: 'shiji', meaning: 'Audience that tokens must name' },
  SHIJI_MASTER_KEY: {
    schema: z.string().refine((key) => /^[A-Za-z0-9+/]{43}=$/.test(key)),
    accepts: '32 bytes in base64, as openssl rand -base64 32 prints them',
    secret: true,
    meaning: 'Key that wraps the keys of personal data; needed with DATABASE_URL, an embedded server draws its own into the data folder',
  },
  SHIJI_MASTER_KEY_VERSION: { ...wholeNumber(1, 32767), default: '1', meaning: 'Version of the master key, raised when it changes' },
  LOG_LEVEL: {
    ...oneOf(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']),
    default: 'info',
    meaning: 'Least level that is logged, as JSON lines on stderr',
  },
  RATE_LIMIT_PER_MINUTE: {
    ...wholeNumber(0, 100_000_000),
    default: '60000',
    meaning: 'Requests a subject may make in a minute; 0 for no limit. The default, 1,000 a second, stops a client gone wild, not a busy one',
  },
  SHIJI_URL: {
    ...urlOf(['http', 'https'], 'http://127.0.0.1:8080'),
    meaning: 'Server that the command-line clients talk to; the one on the data folder where absent',
  },
  SHIJI_TOKEN: {
    schema: z.string().regex(/^\S+$/),
    accepts: 'a token as npm run -s token prints it',
    secret: true,
    meaning: 'Token of the command-line clients; minted by them on an embedded server',
  },
} satisfies Record<string, Variable<string | number>>;

type Name = keyof typeof variables;
type Values = {
  readonly [N in Name]: (typeof variables)[N] extends { default: string }
    ? z.output<(typeof variables)[N]['schema']>
    : z.output<(typeof variables)[N]['schema']> | undefined;
};

/** @throws ConfigError listing every bad variable at once */
export function loadConfig(env: Readonly<Record<string, string | undefined>> = process.env): Config {
  const problems = misspelt(env);
  const values: Partial<Record<Name, unknown>> = {};
  for (const [name, variable] of Object.entries(variables) as [Name, Variable<unknown>][]) {
    const given = env[name] || variable.default;
    if (given === undefined) continue;
    const parsed = variable.schema.safeParse(given);
    if (parsed.success) values[name] = parsed.data;
    else problems.push(`${name}=${shown(variable, given)} is not accepted: give ${variable.accepts}`);
  }
  // What belongs together is looked at only where each is good by itself.
  if (problems.length > 0) throw new ConfigError(problems);
  const config = values as Values;
  problems.push(...contradictions(config));
  if (problems.length > 0) throw new ConfigError(problems);
  return assemble(config);
}

function assemble(values: Values): Config {
  return {
    dataDir: values.SHIJI_DATA,
    host: values.HOST,
    port: values.PORT,
    database:
      values.DATABASE_URL === undefined ? undefined : { url: values.DATABASE_URL, ownerUrl: values.DATABASE_OWNER_URL ?? values.DATABASE_URL },
    databasePool: values.DATABASE_POOL,
    journal: values.JOURNAL === 'eventstoredb' ? { store: 'eventstoredb', url: values.EVENTSTOREDB_URL ?? '' } : { store: 'postgres' },
    natsUrl: values.NATS_URL,
    clock: values.SHIJI_CLOCK,
    zone: values.SHIJI_ZONE,
    jwt: {
      algorithm: algorithmOf(values),
      issuer: values.JWT_ISSUER,
      audience: values.JWT_AUDIENCE,
      secret: values.JWT_SECRET,
      jwksUrl: values.JWT_JWKS_URL,
    },
    masterKey: { key: values.SHIJI_MASTER_KEY, version: values.SHIJI_MASTER_KEY_VERSION },
    logLevel: values.LOG_LEVEL,
    rateLimitPerMinute: values.RATE_LIMIT_PER_MINUTE,
    client: { url: values.SHIJI_URL, token: values.SHIJI_TOKEN },
  };
}

function algorithmOf(values: Values): JwtAlgorithm {
  return values.JWT_ALGORITHM ?? (values.JWT_JWKS_URL === undefined ? 'HS256' : 'RS256');
}

function contradictions(values: Values): string[] {
  const problems: string[] = [];
  const embedded = values.DATABASE_URL === undefined;
  const algorithm = algorithmOf(values);
  const jwks = values.JWT_JWKS_URL !== undefined;
  if (embedded && values.DATABASE_OWNER_URL !== undefined) problems.push('DATABASE_OWNER_URL is set and DATABASE_URL is not: set both or neither');
  if (values.JOURNAL === 'eventstoredb' && values.EVENTSTOREDB_URL === undefined) {
    problems.push(`EVENTSTOREDB_URL is missing and JOURNAL=eventstoredb needs it: give ${variables.EVENTSTOREDB_URL.accepts}`);
  }
  if (!embedded && values.SHIJI_CLOCK === 'manual')
    problems.push('SHIJI_CLOCK=manual is for the embedded server only: give system, or leave DATABASE_URL out');
  if (jwks && values.JWT_SECRET !== undefined) problems.push('JWT_SECRET and JWT_JWKS_URL are both set: set one, since one algorithm is accepted');
  if (jwks && algorithm === 'HS256') problems.push('JWT_ALGORITHM=HS256 is not accepted with JWT_JWKS_URL: give RS256 or ES256');
  if (!jwks && algorithm !== 'HS256') problems.push(`JWT_ALGORITHM=${algorithm} needs JWT_JWKS_URL: give ${variables.JWT_JWKS_URL.accepts}`);
  if (!(embedded || jwks) && values.JWT_SECRET === undefined)
    problems.push('JWT_SECRET or JWT_JWKS_URL is missing and DATABASE_URL needs one: only the embedded server draws a secret');
  if (!embedded && values.SHIJI_MASTER_KEY === undefined)
    problems.push(`SHIJI_MASTER_KEY is missing and DATABASE_URL needs it: give ${variables.SHIJI_MASTER_KEY.accepts}`);
  return problems;
}

function shown(variable: Variable<unknown>, value: string): string {
  if (variable.secret) return '(not shown)';
  // Whatever stands before the @ may be a password or a token, also where the whole is no URL.
  return value.replace(/^([a-z0-9+.-]*:\/\/)?.*@/i, '$1***@').replace(/(password=)[^&]*/gi, '$1***');
}

function isZone(name: string): boolean {
  // An offset is no zone: it knows nothing of summer time.
  if (!/^[A-Za-z]/.test(name)) return false;
  try {
    Temporal.Now.zonedDateTimeISO(name);
    return true;
  } catch {
    return false;
  }
}

function misspelt(env: Readonly<Record<string, string | undefined>>): string[] {
  const names = Object.keys(variables);
  return Object.keys(env)
    .filter((name) => name.startsWith('SHIJI_') && !names.includes(name))
    .map((name) => `${name} is not a setting of Shiji: did you mean ${nearest(name, names)}`);
}

function nearest(name: string, names: readonly string[]): string {
  const own = names.filter((candidate) => candidate.startsWith('SHIJI_'));
  return own.reduce((best, candidate) => (distance(name, candidate) < distance(name, best) ? candidate : best));
}

/** How many letters to put in, leave out or exchange (Levenshtein). */
function distance(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (const [i, letter] of [...one].entries()) {
    const next = [i + 1];
    for (const [j, otherLetter] of [...other].entries()) {
      next.push(Math.min((next[j] ?? 0) + 1, (row[j + 1] ?? 0) + 1, (row[j] ?? 0) + (letter === otherLetter ? 0 : 1)));
    }
    row = next;
  }
  return row[other.length] ?? 0;
}
