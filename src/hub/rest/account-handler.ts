import type { HubContext } from '../hub-context.ts'
import { readBearer, type AuthenticateApi } from './api-access.ts'
import { AUTHENTICATION_ERROR, failureResponse, resultResponse } from './envelope.ts'

/** Where tools look for the accounts that an API token opens, behind the hub's origin. */
const PATHS = ['/client/v4/accounts', '/client/v4/memberships']

/**
 * Answers what tools ask before they ask for anything of Artifacts: which accounts there are. `undefined` for every other request.
 */
export function createAccountHandler(
  hub: HubContext,
  authenticate: AuthenticateApi,
): (request: Request, path: string) => Promise<Response | undefined> {
  const account = { id: hub.account, name: hub.account }
  return async (request, path) => {
    if (request.method !== 'GET' || !PATHS.includes(path)) return undefined
    const permission = await authenticate(readBearer(request), request)
    if (permission === undefined) return failureResponse(401, [AUTHENTICATION_ERROR])
    const known = permission === 'none' ? [] : [account]
    const result = path.endsWith('/accounts')
      ? known
      : known.map((one) => ({ id: one.id, status: 'accepted', account: one }))
    const count = result.length
    return resultResponse(result, {
      info: { page: 1, per_page: 50, total_pages: count, count, total_count: count },
    })
  }
}
