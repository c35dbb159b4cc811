import type { ServiceName } from '../../protocol/service.ts'

/** What a request of a Git client is about. */
export interface GitAddress {
  readonly namespace: string
  readonly name: string
  readonly service: ServiceName
}

const PATH = /^\/git\/([^/]+)\/([^/]+)\.git\/(info\/refs|git-upload-pack|git-receive-pack)$/

/**
 * Reads the address of smart HTTP; `undefined` for everything else, files for clients without smart HTTP included.
 *
 * @param path below the hub's origin.
 */
export function parseGitAddress(
  method: string,
  path: string,
  query: URLSearchParams,
): GitAddress | undefined {
  const [, namespacePart, namePart, action] = PATH.exec(path) ?? []
  const namespace = decodePart(namespacePart)
  const name = decodePart(namePart)
  if (namespace === undefined || name === undefined) return undefined
  if (method !== (action === 'info/refs' ? 'GET' : 'POST')) return undefined
  const service = action === 'info/refs' ? query.get('service') : action
  if (service !== 'git-upload-pack' && service !== 'git-receive-pack') return undefined
  return { namespace, name, service }
}

function decodePart(part: string | undefined): string | undefined {
  if (part === undefined) return undefined
  try {
    return decodeURIComponent(part)
  } catch {
    // Not percent-encoded text: no name is like that.
    return undefined
  }
}
