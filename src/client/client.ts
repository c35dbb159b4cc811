import { GitError } from '../errors.ts'
import type { ObjectId } from '../object/object-id.ts'
import type { ServiceName } from '../protocol/service.ts'
import type { Repository } from '../repository/repository.ts'
import type { ClientOptions, OperationOptions } from './client-options.ts'
import { cloneInto, type CloneOptions } from './clone.ts'
import { createRemote } from './connection.ts'
import { discover, type Discovery } from './discover.ts'
import { fetchInto, type FetchOptions, type FetchResult } from './fetch.ts'
import { fetchObjectsInto, type FetchObjectsOptions, type FetchObjectsResult } from './fetch-objects.ts'
import { fetchPack } from './fetch-pack.ts'
import { assertDeepenOptions, type DeepenOptions, type FetchedPack } from './fetch-request.ts'
import { listRefs, type ListRefsOptions } from './ls-refs.ts'
import { createOfferedHaves } from './offered-haves.ts'
import { runOperation } from './operation.ts'
import { pushFrom, type PushOptions, type PushResult } from './push.ts'
import { withExplainedErrors } from './explained-pack.ts'
import { assertFilter } from './partial-clone.ts'
import type { RemoteRefs } from './remote-refs.ts'

export interface FetchPackOptions extends OperationOptions {
  readonly wants: readonly ObjectId[]
  /** Full names of refs to ask for too, as they are when they are sent. `UNSUPPORTED` where the remote does not offer `ref-in-want`. */
  readonly wantRefs?: readonly string[]
  /** Ids that are here, in the order in which to offer them. */
  readonly haves?: readonly ObjectId[]
  /** Commits whose parents are not here. */
  readonly shallow?: readonly ObjectId[]
  readonly deepen?: DeepenOptions
  /** Which objects to leave out, as `git clone --filter` takes it: `blob:none`, `tree:1`, … */
  readonly filter?: string
  /** Ask for annotated tags of what is sent. Default false. */
  readonly includeTag?: boolean
  /** Take deltas on objects that are not sent. Default false. */
  readonly thin?: boolean
}

/**
 * A client of one repository on a Git server that speaks smart HTTP.
 *
 * Every method rejects with a `GitError`: `UNAVAILABLE` when the server cannot be reached or fails, `FORBIDDEN`, `NOT_FOUND`, `PROTOCOL`
 * when it breaks the protocol, `LIMIT_EXCEEDED`, `UNSUPPORTED`, `ABORTED`. Its message has what the server said to people.
 */
export interface Client {
  /** The repository's address, without user name and password. */
  readonly url: string
  /** Asks what the server speaks and offers. Default service: `git-upload-pack`. */
  discover(options?: OperationOptions & { readonly service?: ServiceName }): Promise<Discovery>
  /** Lists the server's refs. */
  lsRefs(options?: OperationOptions & ListRefsOptions): Promise<RemoteRefs>
  /** Fetches into a repository. Refs are written in one transaction, with the objects that they name. */
  fetch(repository: Repository, options?: FetchOptions): Promise<FetchResult>
  /** Fetches into an empty repository, `HEAD` included. */
  clone(repository: Repository, options?: CloneOptions): Promise<FetchResult>
  /**
   * Fetches objects by id into a partial clone of the remote, such as the blobs of a file that is to be read: those that are here already
   * are not asked for. Refs stay as they are.
   */
  fetchObjects(
    repository: Repository,
    ids: readonly ObjectId[],
    options?: FetchObjectsOptions,
  ): Promise<FetchObjectsResult>
  /** Pushes from a repository. */
  push(repository: Repository, options: PushOptions): Promise<PushResult>
  /** Fetches a pack alone, as a stream. Close it when it is not read to its end. */
  fetchPack(options: FetchPackOptions): Promise<FetchedPack>
}

/**
 * Creates a client. Nothing is sent before a method is called.
 *
 * @throws GitError `INVALID_ARGUMENT`, `UNSUPPORTED`
 */
export function createClient(options: ClientOptions): Client {
  const remote = createRemote(options)
  return {
    url: remote.base,
    discover: ({ service = 'git-upload-pack', ...rest } = {}) =>
      runOperation(remote, rest, ({ connection }) => discover(connection, service)),
    lsRefs: (listing = {}) => listRefs(remote, listing),
    fetch: (repository, fetching = {}) => fetchInto(remote, repository, fetching),
    clone: (repository, cloning = {}) => cloneInto(remote, repository, cloning),
    fetchObjects: (repository, ids, fetching = {}) => fetchObjectsInto(remote, repository, ids, fetching),
    push: (repository, pushing) => pushFrom(remote, repository, pushing),
    fetchPack: (asked) =>
      runOperation(remote, asked, async ({ connection, messages }) => {
        assertFetchPackOptions(asked)
        const discovery = await discover(connection, 'git-upload-pack')
        const request = {
          wants: asked.wants,
          wantRefs: asked.wantRefs ?? [],
          haves: asked.haves && createOfferedHaves(asked.haves),
          shallow: asked.shallow ?? [],
          deepen: asked.deepen,
          filter: asked.filter,
          includeTag: asked.includeTag ?? false,
          thin: asked.thin ?? false,
        }
        return withExplainedErrors(await fetchPack(connection, discovery, request, messages), messages)
      }),
  }
}

function assertFetchPackOptions(options: FetchPackOptions): void {
  const { wants, wantRefs = [], haves = [], shallow = [], filter, deepen } = options
  if (wants.length + wantRefs.length === 0)
    throw new GitError('INVALID_ARGUMENT', 'a fetch needs at least one id to ask for')
  for (const id of [...wants, ...haves, ...shallow]) {
    if (!/^([0-9a-f]{40}|[0-9a-f]{64})$/.test(id)) {
      throw new GitError('INVALID_ID', `'${id.slice(0, 80)}' is not an object id`)
    }
  }
  if (filter !== undefined) assertFilter(filter)
  if (deepen !== undefined) assertDeepenOptions(deepen)
}

/** Clones in one call: a client of `url`, and its `clone` into an empty repository. */
export function clone(
  options: ClientOptions & CloneOptions & { readonly repository: Repository },
): Promise<FetchResult> {
  return createClient(options).clone(options.repository, options)
}
