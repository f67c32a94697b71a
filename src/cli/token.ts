// npm run -s token -- --role agent --subject alice [--on-behalf-of bob] [--scope branch:3100] [--expires 12h]: prints a token and nothing
// else on stdout. For a server whose secret is known here: JWT_SECRET, or the one in the data folder.
import { parseArgs } from 'node:util';
import { mintToken, ScopeClaim } from '../api/auth.ts';
import { loadConfig } from '../config.ts';
import { readJwtSecret } from '../data-folder.ts';
import type { Scope } from '../domain/kernel/event.ts';
import { Role } from '../domain/kernel/roles.ts';
import { StartError } from '../start-error.ts';

try {
  process.stdout.write(`${token(process.argv.slice(2))}\n`);
} catch (error) {
  if (!(error instanceof StartError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}

function token(args: string[]): string {
  const given = parsed(args);
  const role = Role.safeParse(given.role);
  if (!role.success) throw new StartError(`--role ${given.role ?? ''} is no role: give ${Role.options.join(', ').replace(/, ([^,]*)$/, ' or $1')}.`);
  if (given.subject === undefined) throw new StartError('--subject is missing: give a name, as in --subject alice.');
  const { jwt, dataDir } = loadConfig();
  if (jwt.jwksUrl !== undefined) throw new StartError('JWT_JWKS_URL is set, so tokens come from that issuer: ask it for one.');
  const secret = jwt.secret ?? readJwtSecret(dataDir);
  try {
    return mintToken({
      secret,
      issuer: jwt.issuer,
      audience: jwt.audience,
      subject: given.subject,
      role: role.data,
      onBehalfOf: given['on-behalf-of'],
      scope: scopeIn(given.scope),
      expiresIn: given.expires,
    });
  } catch (error) {
    if (error instanceof RangeError) throw new StartError(`No token was made: ${error.message}.`, { cause: error });
    throw error;
  }
}

function scopeIn(given: string | undefined): Scope | undefined {
  if (given === undefined) return undefined;
  const scope = ScopeClaim.safeParse(given);
  if (!scope.success) throw new StartError(`--scope ${given} is no scope: give bank, or one branch as in branch:3100.`);
  return scope.data as Scope;
}

function parsed(args: string[]) {
  try {
    return parseArgs({
      args,
      options: {
        role: { type: 'string' },
        subject: { type: 'string' },
        'on-behalf-of': { type: 'string' },
        scope: { type: 'string' },
        expires: { type: 'string', default: '12h' },
      },
    }).values;
  } catch (error) {
    throw new StartError(
      `${error instanceof Error ? error.message.split('.')[0] : 'The arguments are not accepted'}: give --role ROLE --subject NAME [--on-behalf-of NAME] [--scope bank|branch:CODE] [--expires 12h].`,
    );
  }
}
