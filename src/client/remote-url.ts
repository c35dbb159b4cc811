import { GitError } from '../errors.ts'
import type { ServiceName } from '../protocol/service.ts'

/** Where a repository is, taken apart. */
export interface RemoteUrl {
  /** The address without user name, password and a slash at the end. */
  readonly base: string
  /** The user name and password that stood in the address. */
  readonly userinfo?: { readonly username: string; readonly password: string }
}

/**
 * Takes apart the address of a repository.
 *
 * @throws GitError `INVALID_ARGUMENT` when it is no address of a repository, `UNSUPPORTED` for a scheme other than http and https.
 */
export function parseRemoteUrl(text: string): RemoteUrl {
  let url: URL
  try {
    url = new URL(text)
  } catch (cause) {
    throw new GitError('INVALID_ARGUMENT', `'${withoutUserinfo(text)}' is not a URL`, { cause })
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new GitError('UNSUPPORTED', `cannot speak to '${url.protocol}' URLs; expected http: or https:`)
  }
  if (url.search !== '' || url.hash !== '') {
    throw new GitError(
      'INVALID_ARGUMENT',
      `the URL '${withoutUserinfo(text)}' has a query or a fragment; expected the address of a repository`,
    )
  }
  const base = `${url.origin}${url.pathname}`.replace(/\/+$/, '')
  if (url.username === '' && url.password === '') return { base }
  const decode = (part: string): string => {
    try {
      return decodeURIComponent(part)
    } catch (cause) {
      throw new GitError('INVALID_ARGUMENT', 'the user name or password in the URL is badly escaped', {
        cause,
      })
    }
  }
  return { base, userinfo: { username: decode(url.username), password: decode(url.password) } }
}

/** The address at which the refs and capabilities of a service are found. */
export function advertisementUrl(base: string, service: ServiceName): string {
  return `${base}/info/refs?service=${service}`
}

/**
 * The repository's address after an advertisement was redirected: what stands in front of the part that asked for it.
 *
 * @throws GitError `PROTOCOL` when the redirect leads to another scheme or not to an advertisement.
 */
export function redirectedBase(from: string, location: string, service: ServiceName): string {
  const suffix = advertisementUrl('', service)
  let target: URL
  try {
    target = new URL(location, from)
  } catch (cause) {
    throw new GitError('PROTOCOL', 'the remote redirects to something that is not a URL', { cause })
  }
  const shown = `${target.origin}${target.pathname}`
  if (target.protocol !== new URL(from).protocol) {
    throw new GitError('PROTOCOL', `the remote redirects to another scheme: ${shown}`)
  }
  const whole = `${shown}${target.search}`
  if (!whole.endsWith(suffix)) {
    throw new GitError(
      'PROTOCOL',
      `the remote redirects to ${shown}, which is not a repository's '${suffix}'`,
    )
  }
  return whole.slice(0, -suffix.length)
}

function withoutUserinfo(text: string): string {
  return text.replace(/\/\/[^/@]*@/, '//').slice(0, 200)
}
