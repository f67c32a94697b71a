// The reference: /openapi.json for programs, /docs for people (Swagger UI from our own files, so that it works offline).
import { gzipSync } from 'node:zlib';
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';
import type { OpenAPIV3 } from 'openapi-types';
import { z } from 'zod';
import { type Operation, openApiDocument } from './openapi.ts';
import { revalidates } from './read-route.ts';

export const DOCS_PATH = '/docs';
const JSON_TYPE = 'application/json; charset=utf-8';

/** Only from here, and nothing from elsewhere; the interface sets styles on elements. */
const CSP =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

export const openApiOperation: Operation = {
  method: 'GET',
  path: '/openapi.json',
  roles: undefined,
  description: {
    kind: 'plain',
    name: 'GetOpenApi',
    summary: 'This document',
    answers: { 200: { description: 'OpenAPI 3.1', content: { 'application/json': z.looseObject({}) } } },
  },
};

/** To be called when all other routes are there. */
export async function docsRoutes(app: FastifyInstance, operations: readonly Operation[]): Promise<void> {
  const document = openApiDocument([...operations, openApiOperation]);
  const text = JSON.stringify(document);
  const compressed = gzipSync(text);
  app.get('/openapi.json', { config: { public: true } }, (request, reply) => {
    const known = revalidates(request, reply, text);
    // Says nothing about anyone.
    reply.header('cache-control', 'public, no-cache').header('vary', 'accept-encoding').header('content-type', JSON_TYPE);
    if (known) return reply.code(304).send();
    if (/\bgzip\b/.test(String(request.headers['accept-encoding'] ?? ''))) return reply.header('content-encoding', 'gzip').send(compressed);
    return reply.send(text);
  });
  // The plugin's type knows 3.0 here; it hands the document on as it is.
  await app.register(swagger, { mode: 'static', specification: { document: document as unknown as OpenAPIV3.Document } });
  await app.register(swaggerUi, {
    routePrefix: DOCS_PATH,
    staticCSP: CSP,
    // The bar for other documents than ours.
    theme: { title: 'Shiji 史记: API reference', css: [{ filename: 'shiji.css', content: '.swagger-ui .topbar { display: none }' }] },
    uiConfig: { deepLinking: true, displayRequestDuration: true, persistAuthorization: false, tryItOutEnabled: true, docExpansion: 'list' },
  });
}
