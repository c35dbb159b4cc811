import { equalInConstantTime } from '../tokens/constant-time.ts'
import type { Permission } from './route.ts'

/** A token for the control plane. Tokens of repositories are not taken there, nor these by Git. */
export interface ApiToken {
  readonly token: string
  /** `edit` includes `read`. Default `edit`. */
  readonly permission?: Permission
}

/**
 * Decides what a request to the control plane may do: `none` for somebody who is known and may do nothing here, `undefined` for
 * nobody.
 *
 * @param token of `Authorization: Bearer`, where the request has one.
 */
export type AuthenticateApi = (
  token: string | undefined,
  request: Request,
) => Promise<Permission | 'none' | undefined> | Permission | 'none' | undefined

/** Takes the tokens of a list, and nothing else. */
export function authenticateByTokens(tokens: readonly (string | ApiToken)[]): AuthenticateApi {
  const known = tokens.map((token) => (typeof token === 'string' ? { token } : token))
  return (presented) => {
    if (presented === undefined) return undefined
    let permission: Permission | undefined
    // All of them are compared, so that the time does not tell which one was near.
    for (const token of known) {
      if (equalInConstantTime(token.token, presented)) permission = token.permission ?? 'edit'
    }
    return permission
  }
}

/** The token of `Authorization: Bearer`. */
export function readBearer(request: Request): string | undefined {
  return /^bearer +(\S+) *$/i.exec(request.headers.get('Authorization') ?? '')?.[1]
}
