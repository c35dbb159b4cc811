import type { Credentials } from '../../client/credentials.ts'
import { isRefName } from '../../refs/ref-name.ts'
import { ArtifactsError } from '../artifacts-error.ts'
import type { ImportOptions } from './import-options.ts'

/** What to import. */
export interface ImportRequest {
  readonly url: string
  /** Only this branch, which becomes the default branch. Absent: all branches and tags; with a depth only what HEAD names. */
  readonly branch?: string | undefined
  /** How many commits of history. */
  readonly depth?: number | undefined
}

/** A checked source. */
export interface ImportSource {
  /** Without user name, password, query and fragment. */
  readonly url: string
  /** Used for the transfer and never stored. */
  readonly credentials: Credentials | undefined
  readonly branch: string | undefined
  readonly depth: number | undefined
}

/**
 * Checks what to import.
 *
 * @throws ArtifactsError `INVALID_INPUT`
 */
export function parseImportSource(
  request: ImportRequest,
  options: Pick<ImportOptions, 'allowLoopbackHttp'>,
): ImportSource {
  const { branch, depth } = request
  if (branch !== undefined && !isRefName(`refs/heads/${branch}`)) {
    throw invalid('branch', 'must be the name of a branch.', 'Invalid branch name')
  }
  if (depth !== undefined && !(Number.isSafeInteger(depth) && depth > 0 && depth <= 0x7fffffff)) {
    throw invalid('depth', 'must be a positive integer.', 'depth must be a positive integer')
  }
  const url = parseUrl(request.url)
  const isAllowed =
    url.protocol === 'https:' ||
    (url.protocol === 'http:' && options.allowLoopbackHttp === true && isLoopbackHost(url.hostname))
  if (!isAllowed) throw invalid('url', 'must be an HTTPS URL.', 'Must be an HTTPS URL')
  const credentials = credentialsOf(url)
  const base = `${url.origin}${url.pathname}`.replace(/\/+$/, '')
  return { url: base, credentials, branch, depth }
}

/** The URL as it is shown: it ends in `.git`. */
export function shownUrl({ url }: Pick<ImportSource, 'url'>): string {
  return url.endsWith('.git') ? url : `${url}.git`
}

/** Whether a host of a URL is this machine itself. */
function isLoopbackHost(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.\d+){3}$/.test(hostname)
}

function parseUrl(text: string): URL {
  try {
    return new URL(text)
  } catch (error) {
    if (error instanceof TypeError) throw invalid('url', 'must be a valid URL.', 'Invalid URL')
    throw error
  }
}

function credentialsOf(url: URL): Credentials | undefined {
  if (url.username === '' && url.password === '') return undefined
  try {
    const username = decodeURIComponent(url.username)
    const password = decodeURIComponent(url.password)
    if (!username.includes(':')) return { kind: 'basic', username, password }
  } catch (error) {
    if (!(error instanceof URIError)) throw error
  }
  throw invalid('url', 'must be a valid URL.', 'Invalid URL')
}

function invalid(field: string, problem: string, restMessage: string): ArtifactsError {
  return new ArtifactsError('INVALID_INPUT', `Invalid source.${field}: ${problem}`, {
    restMessage,
    pointer: `/${field}`,
  })
}
