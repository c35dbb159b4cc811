import { encodeUtf8 } from '../bytes/text.ts'
import { GitError } from '../errors.ts'

/** How the client says who it is. */
export type Credentials =
  | { readonly kind: 'basic'; readonly username: string; readonly password: string }
  | { readonly kind: 'bearer'; readonly token: string }

/** What is known when credentials are asked for. */
export interface CredentialRequest {
  /** The repository that wants to know, without user name and password. */
  readonly url: string
  /** The `WWW-Authenticate` header. */
  readonly challenge: string | undefined
}

/** Credentials, or where to get them when a remote asks: at most once in each operation. */
export type CredentialSource =
  Credentials | ((request: CredentialRequest) => Credentials | undefined | Promise<Credentials | undefined>)

/**
 * The `Authorization` header.
 *
 * @throws GitError `INVALID_ARGUMENT` for what the header cannot carry.
 */
export function encodeAuthorization(credentials: Credentials): string {
  if (credentials.kind === 'bearer') {
    if (/^[!-~]+$/.test(credentials.token)) return `Bearer ${credentials.token}`
    throw new GitError('INVALID_ARGUMENT', 'the bearer token has characters that no header can carry')
  }
  if (credentials.username.includes(':')) {
    throw new GitError('INVALID_ARGUMENT', `the user name has a ':', which basic authentication cannot carry`)
  }
  let text = ''
  for (const byte of encodeUtf8(`${credentials.username}:${credentials.password}`))
    text += String.fromCharCode(byte)
  return `Basic ${btoa(text)}`
}
