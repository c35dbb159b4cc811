import { Hono, type Context } from 'hono'
import type { HubContext } from '../hub-context.ts'
import { createRateLimiter } from '../rate-limiter.ts'
import { isArtifactsError } from '../artifacts-error.ts'
import { readBearer, type AuthenticateApi } from './api-access.ts'
import {
  ACCESS_DENIED,
  AUTHENTICATION_ERROR,
  errorResponse,
  failureResponse,
  TOO_MANY_REQUESTS,
} from './envelope.ts'
import { readJsonBody } from './read-body.ts'
import type { Route } from './route.ts'
import { validate } from './validate.ts'

/** Behind the hub's origin. */
export const REST_BASE = '/client/v4/accounts/:account/artifacts'

/** Segments of the path in front of those of a route: `client`, `v4`, `accounts`, the account, `artifacts`. */
const BASE_SEGMENTS = 5

/** Bytes of a request's body, where a route does not say otherwise. */
const MAX_BODY_BYTES = 1 << 20

/**
 * Creates the REST interface: what a request may do, what it says, and then its route. Paths that have no route get 404 as plain text.
 */
export function createRestHandler(
  hub: HubContext,
  routes: readonly Route[],
  authenticate: AuthenticateApi,
): (request: Request) => Promise<Response> {
  const app = new Hono().basePath(REST_BASE)
  const rate = hub.limits.controlRate
  const limiter = rate && createRateLimiter(rate, hub.now)

  const admit = async (route: Route, context: Context): Promise<Response | undefined> => {
    const permission = await authenticate(readBearer(context.req.raw), context.req.raw)
    if (permission === undefined) return failureResponse(401, [AUTHENTICATION_ERROR])
    const isAllowed = permission === 'edit' || (permission === 'read' && route.permission === 'read')
    if (context.req.param('account') !== hub.account || !isAllowed) {
      return failureResponse(403, [ACCESS_DENIED])
    }
    const wait = limiter?.count(context.req.param('namespace')?.toLowerCase() ?? '')
    if (wait === undefined) return undefined
    return failureResponse(429, [TOO_MANY_REQUESTS], { 'Retry-After': String(wait) })
  }

  const answer = async (route: Route, context: Context): Promise<Response> => {
    const refusal = await admit(route, context)
    if (refusal !== undefined) return refusal
    const request = context.req.raw
    const path = validate(route, route.path, context.req.param())
    if (path.kind === 'invalid') return path.response
    const query = validate(route, route.query, context.req.query())
    if (query.kind === 'invalid') return query.response
    const sent =
      route.body === undefined ? undefined : await readJsonBody(request, route.maxBodyBytes ?? MAX_BODY_BYTES)
    const body = validate(route, route.body, sent)
    if (body.kind === 'invalid') return body.response
    const segments = new URL(request.url).pathname.split('/').slice(1 + BASE_SEGMENTS)
    return route.handle({
      hub,
      request,
      segments,
      path: path.value,
      query: query.value,
      body: body.value,
    })
  }

  for (const route of routes) {
    app.on(route.method.toUpperCase(), route.pattern, async (context) => {
      try {
        return await answer(route, context)
      } catch (error) {
        if (!isArtifactsError(error) || error.status >= 500) hub.onError(error)
        return errorResponse(error)
      }
    })
  }
  return async (request) => app.fetch(request)
}
