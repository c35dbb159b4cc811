import * as z from 'zod/mini'
import { REST_BASE } from './rest-handler.ts'
import type { Route, RouteSuccess } from './route.ts'

type Json = Record<string, unknown>

const envelopeError = z.object({
  code: z.int(),
  message: z.string(),
  documentation_url: z.url(),
  source: z.optional(z.object({ pointer: z.string() })),
})

const pageInfo = z.object({
  page: z.int(),
  per_page: z.int(),
  total_pages: z.int(),
  count: z.int(),
  total_count: z.int(),
  cursor: z.optional(z.string()),
})

const cursorInfo = z.object({ cursor: z.string(), per_page: z.int(), count: z.int() })

/** Describes the REST interface as an OpenAPI 3.1 document, made of the schemas that read its requests. */
export function createOpenApiDocument(routes: readonly Route[], origin: string): Json {
  const paths: Record<string, Json> = {}
  for (const route of routes) {
    const path = documentedPath(REST_BASE + route.pattern)
    paths[path] = { ...paths[path], [route.method]: describeRoute(route, path) }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Artifacts',
      version: 'v4',
      description: 'Namespaces, repositories and tokens. Repositories themselves are reached with Git.',
    },
    servers: [{ url: origin }],
    security: [{ apiToken: [] }],
    paths,
    components: {
      securitySchemes: { apiToken: { type: 'http', scheme: 'bearer' } },
      schemas: { Failure: failureSchema() },
    },
  }
}

function describeRoute(route: Route, path: string): Json {
  const failures = [...new Set([...route.failures, 401, 403, 429])].sort((left, right) => left - right)
  const failure = {
    description: 'Failure',
    content: { 'application/json': { schema: { $ref: '#/components/schemas/Failure' } } },
  }
  return {
    operationId: route.operationId,
    summary: route.summary,
    parameters: [...pathParameters(path), ...queryParameters(route)],
    ...(route.body === undefined
      ? {}
      : {
          requestBody: {
            required: true,
            content: { 'application/json': { schema: schemaOf(route.body, 'input') } },
          },
        }),
    responses: {
      [route.success.status]: describeSuccess(route.success),
      ...Object.fromEntries(failures.map((status) => [String(status), failure])),
    },
  }
}

function describeSuccess(success: RouteSuccess): Json {
  if ('content' in success) {
    return {
      description: 'The bytes',
      content: { [success.content]: { schema: { type: 'string', format: 'binary' } } },
    }
  }
  if (!('result' in success)) return { description: 'Done' }
  const envelope: Json = {
    type: 'object',
    properties: {
      result: schemaOf(success.result, 'output'),
      success: { const: true },
      errors: { type: 'array', maxItems: 0 },
      messages: { type: 'array' },
      ...(success.paged === true
        ? { result_info: { anyOf: [schemaOf(pageInfo, 'output'), schemaOf(cursorInfo, 'output')] } }
        : {}),
    },
    required: ['result', 'success', 'errors', 'messages', ...(success.paged === true ? ['result_info'] : [])],
  }
  return { description: 'Success', content: { 'application/json': { schema: envelope } } }
}

function failureSchema(): Json {
  return {
    type: 'object',
    properties: {
      result: { type: 'null' },
      success: { const: false },
      errors: { type: 'array', items: schemaOf(envelopeError, 'output') },
      messages: { type: 'array' },
    },
    required: ['result', 'success', 'errors', 'messages'],
  }
}

/** `:name` as OpenAPI writes it, and the rest of a path as a parameter of its own. */
function documentedPath(pattern: string): string {
  return pattern.replace(/:(\w+)(?:\{[^}]*\})?/g, '{$1}').replace(/\/\*$/, '/{path}')
}

function pathParameters(path: string): Json[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }))
}

function queryParameters(route: Route): Json[] {
  if (route.query === undefined) return []
  const { properties = {}, required = [] } = schemaOf(route.query, 'input')
  if (typeof properties !== 'object' || properties === null || !Array.isArray(required)) return []
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    in: 'query',
    required: required.includes(name),
    schema: schema as unknown,
  }))
}

function schemaOf(schema: z.ZodMiniType, io: 'input' | 'output'): Json {
  const described: Json = { ...z.toJSONSchema(schema, { io, unrepresentable: 'any' }) }
  // The document as a whole says which dialect it is in.
  delete described['$schema']
  return described
}
