import type { HubContext } from '../hub-context.ts'
import type { RepositoryRecord } from '../registry/records.ts'
import { tokenState } from '../registry/records.ts'
import { findPresentedToken } from '../tokens/token-actions.ts'
import type { GitAddress } from './git-address.ts'
import { readGitToken } from './git-credentials.ts'

/** What a request of a Git client may do. */
export type GitAuthorisation =
  | { readonly kind: 'granted'; readonly repository: RepositoryRecord }
  /** Git asks its user, or a credential helper, and comes again. */
  | { readonly kind: 'anonymous' }
  | { readonly kind: 'refused'; readonly status: 403 | 409; readonly message: string }

/** The answer to a token that does not open the repository, for whatever reason: nobody learns which repositories there are. */
const NOT_OPENED: GitAuthorisation = {
  kind: 'refused',
  status: 403,
  message: 'Invalid or expired token',
}

/**
 * Decides by the token of a request, asking the registry anew every time: what is revoked, expired or deleted opens nothing from the
 * next request on.
 *
 * @param pushToReadOnly whether read-only repositories take pushes, as Cloudflare Artifacts was seen to let them.
 */
export async function authoriseGit(
  hub: HubContext,
  request: Request,
  { namespace, name, service }: GitAddress,
  pushToReadOnly: boolean,
): Promise<GitAuthorisation> {
  const presented = readGitToken(request.headers.get('Authorization'))
  if (presented === undefined) return { kind: 'anonymous' }
  const token = await findPresentedToken(hub, presented)
  if (token === undefined || tokenState(token, hub.now()) !== 'active') return NOT_OPENED
  const repository = await hub.registry.findRepository(namespace, name)
  if (repository === undefined || repository.id !== token.repository) return NOT_OPENED
  if (repository.status !== 'ready') {
    return { kind: 'refused', status: 409, message: 'Repository is not ready yet' }
  }
  if (service === 'git-receive-pack') {
    if (token.scope !== 'write') {
      return { kind: 'refused', status: 403, message: 'Insufficient permissions' }
    }
    if (repository.readOnly && !pushToReadOnly) {
      return { kind: 'refused', status: 403, message: 'Repository is read-only' }
    }
  }
  return { kind: 'granted', repository }
}
