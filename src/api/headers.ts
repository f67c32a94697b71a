// The headers that every answer carries: constants, so that they cost a write each. For an API that serves JSON to programs; the
// reference at /docs has a content security policy of its own (docs-routes.ts). OWASP REST security cheat sheet, ASVS 5.0 V3.4.
import type { FastifyReply } from 'fastify';

export const securityHeaders = {
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'strict-transport-security': 'max-age=31536000; includeSubDomains',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
} as const;

export function setSecurityHeaders(reply: FastifyReply): void {
  for (const name in securityHeaders) reply.header(name, securityHeaders[name as keyof typeof securityHeaders]);
}
