import { GitError } from '../errors.ts'
import { isObjectId, type ObjectId } from '../object/object-id.ts'
import type { Repository } from '../repository/repository.ts'
import { listAbsent } from './absent-objects.ts'
import type { OperationOptions } from './client-options.ts'
import type { Remote } from './connection.ts'
import { assertSameFormat, discover, type Discovery } from './discover.ts'
import { fetchPack, offersFilters } from './fetch-pack.ts'
import { receivingOptions, type ReceivingOptions } from './fetch-round.ts'
import { runOperation, type Operation } from './operation.ts'
import { DEFAULT_REMOTE, planPartialClone } from './partial-clone.ts'
import { remoteFault } from './remote-refs.ts'

export interface FetchObjectsOptions extends OperationOptions, ReceivingOptions {
  /** The remote's name in the repository's config. Default `origin`. */
  readonly remote?: string
}

export interface FetchObjectsResult {
  /** How many objects were received. */
  readonly objectCount: number
}

/** How many objects are asked for in one request. */
const MAX_WANTS = 65_536

/**
 * Fetches objects that a partial clone left out, by their ids: of a tree what lies below it too, but no blobs, and of a commit its history.
 * Those that are here are not asked for. No ref changes.
 *
 * @throws GitError `INVALID_ARGUMENT` for a repository that is no partial clone of the remote
 */
export async function fetchObjectsInto(
  remote: Remote,
  repository: Repository,
  ids: readonly ObjectId[],
  options: FetchObjectsOptions,
): Promise<FetchObjectsResult> {
  const name = options.remote ?? DEFAULT_REMOTE
  const wrong = ids.find((id) => !isObjectId(id, repository.format))
  if (wrong !== undefined) throw new GitError('INVALID_ID', `'${wrong.slice(0, 80)}' is not an object id`)
  if (!planPartialClone(await repository.readConfig(), name, undefined).isPromisor) {
    throw new GitError(
      'INVALID_ARGUMENT',
      `${repository.storage.location} is no partial clone of '${name}': what is absent cannot be left absent; fetch refs, or fetch with a filter first`,
    )
  }
  const view = await repository.openView()
  let absent: readonly ObjectId[]
  try {
    absent = await listAbsent(view, new Set(ids))
  } finally {
    await view.close()
  }
  if (absent.length === 0) return { objectCount: 0 }
  return runOperation(remote, options, async (operation) => {
    const discovery = await discover(operation.connection, 'git-upload-pack')
    assertSameFormat(discovery, repository)
    let objectCount = 0
    for (let from = 0; from < absent.length; from += MAX_WANTS) {
      const wants = absent.slice(from, from + MAX_WANTS)
      objectCount += await fetchBatch(operation, discovery, repository, wants, options)
    }
    return { objectCount }
  })
}

async function fetchBatch(
  { connection, messages }: Operation,
  discovery: Discovery,
  repository: Repository,
  wants: readonly ObjectId[],
  options: FetchObjectsOptions,
): Promise<number> {
  const request = {
    wants,
    wantRefs: [],
    haves: undefined,
    shallow: await repository.storage.readShallow(),
    deepen: undefined,
    filter: offersFilters(discovery) ? 'blob:none' : undefined,
    includeTag: false,
    thin: false,
  }
  const fetched = await fetchPack(connection, discovery, request, messages)
  try {
    const receiving = { ...receivingOptions(connection, options), promisor: true }
    const incoming = await repository.receivePack(fetched.pack, receiving)
    try {
      const [lost] = await listAbsent(incoming.view, wants)
      if (lost !== undefined)
        throw remoteFault(`the remote did not send object ${lost}, which it was asked for`)
      await incoming.commit([], { atomic: false })
      return incoming.objectCount
    } finally {
      await incoming.discard()
    }
  } finally {
    await fetched.close()
  }
}
