/** The repository that a request is about, by the names in its path. */
export interface RepositoryAddress {
  readonly namespace: string
  readonly name: string
}

const REST = /^\/client\/v4\/accounts\/[^/]+\/artifacts\/namespaces\/([^/]+)\/repos\/([^/]+)\/([^/]+)/
const GIT = /^\/git\/([^/]+)\/([^/]+)\.git\//

/**
 * Reads which repository's object has to answer a request; `undefined` for what the registry alone decides: lists, and making,
 * describing and deleting repositories. An import is about a repository that does not exist yet.
 */
export function parseRepositoryAddress(pathname: string): RepositoryAddress | undefined {
  const rest = REST.exec(pathname)
  if (rest !== null && (rest[3] === 'import' || rest[3] === 'tokens')) return undefined
  const [, namespace, name] = rest ?? GIT.exec(pathname) ?? []
  if (namespace === undefined || name === undefined) return undefined
  try {
    return { namespace: decodeURIComponent(namespace), name: decodeURIComponent(name) }
  } catch (error) {
    if (error instanceof URIError) return undefined
    throw error
  }
}
