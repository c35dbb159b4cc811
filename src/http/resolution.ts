import type { ProtocolOptions } from '../protocol/service-options.ts'
import type { ServiceName } from '../protocol/service.ts'
import type { Repository } from '../repository/repository.ts'
import type { OpenRepositoryFile } from './repository-file.ts'

/** Which services a client may use. What it may not use is answered with 403. */
export interface RepositoryAccess {
  /** Clone and fetch. */
  readonly upload: boolean
  /** Push. */
  readonly receive: boolean
  /**
   * Read files, as clients without smart HTTP do: `openRepositoryFile`, which reads them. Whoever may can read every object, those that
   * only hidden refs reach and those that none reaches included. Default: nobody may.
   */
  readonly files?: OpenRepositoryFile | undefined
}

/** What the one who mounts the handler says about an address. */
export type Resolution =
  | {
      readonly kind: 'found'
      readonly repository: Repository
      readonly access: RepositoryAccess
      /** How both services behave, git's defaults when absent; `readProtocolOptions` reads them from the repository's config. */
      readonly options?: ProtocolOptions
      /** Called exactly once, when the handler has no more need of the repository. */
      readonly release?: () => void
    }
  /** 404. Also the answer to those who may not know that the repository exists. */
  | { readonly kind: 'not-found' }
  /** 401: Git asks its user, or a credential helper, for a name and a password and comes again. */
  | { readonly kind: 'unauthorized'; readonly realm: string }
  /** 403, with a message for the user. */
  | { readonly kind: 'forbidden'; readonly message: string }

/**
 * Finds the repository of an address and decides what this request may do with it.
 *
 * @param path the repository's path, decoded: no slash at either end, no empty, `.` or `..` segment.
 * @param request for its headers; the body is not to be touched.
 * @param service what the client is about to do. A push begins with an advertisement for `git-receive-pack`: that is
 * the request to answer with `unauthorized`.
 */
export type ResolveRepository = (
  path: string,
  request: Request,
  service: ServiceName,
) => Promise<Resolution> | Resolution
