import type { ServiceName } from '../protocol/service.ts'
import { parseRepositoryFile, type RepositoryFile } from './repository-file.ts'

/** What a request's method and address ask for. */
export type GitRoute =
  /** `GET <path>/info/refs?service=<service>` */
  | { readonly kind: 'advertisement'; readonly path: string; readonly service: ServiceName }
  /** `POST <path>/<service>` */
  | { readonly kind: 'service'; readonly path: string; readonly service: ServiceName }
  /** `GET <path>/<file>`, as clients without smart HTTP do */
  | { readonly kind: 'file'; readonly path: string; readonly file: RepositoryFile }
  | { readonly kind: 'refused'; readonly status: 400 | 403 | 404; readonly message: string }
  | { readonly kind: 'wrong-method'; readonly allow: string }

const SERVICES: readonly ServiceName[] = ['git-upload-pack', 'git-receive-pack']

/** How many segments of a path, at most, name a file within a repository. */
const FILE_SEGMENTS = 3

/**
 * Reads the route of smart HTTP (gitprotocol-http) from a request line.
 *
 * The repository's path comes out decoded, without slashes at either end, and with no segment that is empty, `.` or
 * `..` or that contains a slash, a backslash or a control character.
 */
export function parseGitRoute(method: string, pathname: string, query: URLSearchParams): GitRoute {
  const segments = decodeSegments(pathname)
  if (segments === undefined) return refused(400, 'the path of this request is not a valid one')
  const last = segments.at(-1)
  const reads = method === 'GET' || method === 'HEAD'

  if (last === 'refs' && segments.at(-2) === 'info') {
    if (!reads) return { kind: 'wrong-method', allow: 'GET, HEAD' }
    const service = query.get('service')
    if (service === null) return fileRoute(segments) ?? refused(404, NO_REPOSITORY)
    if (!isServiceName(service)) return refused(403, `unsupported service '${printable(service)}'`)
    return withPath(segments.slice(0, -2), 'advertisement', service)
  }
  if (last !== undefined && isServiceName(last)) {
    if (method !== 'POST') return { kind: 'wrong-method', allow: 'POST' }
    return withPath(segments.slice(0, -1), 'service', last)
  }
  const file = fileRoute(segments)
  if (file !== undefined) return reads ? file : { kind: 'wrong-method', allow: 'GET, HEAD' }
  return refused(404, 'not found: this server answers Git clients; clone a repository by its address')
}

const NO_REPOSITORY = 'not found: the address names no repository'

/** The route of a file; `undefined` when the path ends like none, or names no repository before it. */
function fileRoute(segments: readonly string[]): GitRoute | undefined {
  for (let count = 1; count <= FILE_SEGMENTS && count < segments.length; count++) {
    const file = parseRepositoryFile(segments.slice(-count).join('/'))
    if (file !== undefined) return { kind: 'file', path: segments.slice(0, -count).join('/'), file }
  }
  return undefined
}

function withPath(
  segments: readonly string[],
  kind: 'advertisement' | 'service',
  service: ServiceName,
): GitRoute {
  if (segments.length === 0) return refused(404, NO_REPOSITORY)
  return { kind, path: segments.join('/'), service }
}

function refused(status: 400 | 403 | 404, message: string): GitRoute {
  return { kind: 'refused', status, message }
}

function isServiceName(word: string): word is ServiceName {
  return (SERVICES as readonly string[]).includes(word)
}

/** The decoded segments; `undefined` when one could mean something else to a file system. */
function decodeSegments(pathname: string): string[] | undefined {
  const segments: string[] = []
  for (const raw of pathname.split('/')) {
    if (raw === '') continue
    let segment: string
    try {
      segment = decodeURIComponent(raw)
    } catch {
      return undefined
    }
    // eslint-disable-next-line no-control-regex -- control characters are what is looked for
    if (segment === '.' || segment === '..' || /[/\\\u0000-\u001f\u007f]/.test(segment)) return undefined
    segments.push(segment)
  }
  return segments
}

/** What may be repeated in a one-line message. */
function printable(text: string): string {
  return text.slice(0, 80).replace(/[^\x20-\x7e]/g, '?')
}
