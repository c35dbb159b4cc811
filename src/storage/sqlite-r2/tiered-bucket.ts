import { decodeUtf8 } from '../../bytes/text.ts'
import type { Bucket, BucketObject, GetOptions, ListPage, PutCondition } from '../manifest/bucket.ts'
import { objectNames } from '../manifest/object-names.ts'
import { parseManifest } from '../manifest/parse-manifest.ts'
import type { SqliteBucket } from './sqlite-bucket.ts'

/** What lies in a database is answered to others by these: they are named by the key of its repository. */
export interface RepositoriesHere {
  /** As `Bucket.get`, of the manifest. */
  getManifest(key: string, options?: GetOptions): Promise<BucketObject | 'unchanged' | undefined>
  /** As `Bucket.put`, of the manifest. */
  putManifest(key: string, bytes: Uint8Array, condition?: PutCondition): Promise<string | undefined>
  /** As `Bucket.get`, of an object that belongs to the repository. */
  getObject(
    key: string,
    object: string,
    options?: GetOptions,
  ): Promise<BucketObject | 'unchanged' | undefined>
}

/** Repositories that lie in databases of others. */
export interface RepositoryPeers extends RepositoriesHere {
  /** Whether a repository lies in the database that is here. */
  isHere(key: string): boolean
}

export interface TieredBucketOptions {
  /** Small objects. Absent: none are here. */
  readonly small: SqliteBucket | undefined
  /** All others. */
  readonly large: Bucket
  readonly prefix: string
  /** Objects up to this size, in bytes, are small. */
  readonly smallBytes: number
  /** Absent: every repository is here. */
  readonly peers: RepositoryPeers | undefined
  /** Is told of every manifest that was put here; without an id when the repository was deleted. */
  readonly onChange: ((key: string, id: string | undefined) => Promise<void>) | undefined
}

const DEFAULT_LIMIT = 1000

/**
 * A bucket of two tiers: manifests and small files in a database, where asking costs nothing, large files in an object store.
 *
 * Each database has the manifests of some repositories and small files of those. A file of which another repository may get to know is
 * in the store: when somebody puts a marker that he uses the files of a repository, what is only here is copied there first.
 */
export function createTieredBucket(options: TieredBucketOptions): Bucket {
  const { small, large, peers, smallBytes } = options
  const names = objectNames(options.prefix)
  const location = small === undefined ? large.location : `${small.location}+${large.location}`
  /** Ids of repositories that are here. */
  const ids = new Set<string>()

  const manifestKey = (key: string): string | undefined =>
    key.startsWith(names.manifests) ? key.slice(names.manifests.length) : undefined

  const noteManifest = (repository: string, bytes: Uint8Array): string | undefined => {
    if (bytes.length === 0) return undefined
    const { id } = parseManifest(bytes, `${location}:${repository}`)
    ids.add(id)
    return id
  }

  /** The id of the repository that a file belongs to. */
  const fileOwner = (key: string): string | undefined =>
    key.startsWith(names.repositories)
      ? /^([^/]+)\/f\//.exec(key.slice(names.repositories.length))?.[1]
      : undefined

  const isSmallFile = (key: string, size: number): boolean => {
    const owner = fileOwner(key)
    return owner !== undefined && size <= smallBytes && ids.has(owner)
  }

  /** Copies what others will read to where they can. */
  const copyFiles = async (owner: string): Promise<void> => {
    if (small === undefined) return
    for (const key of await small.listUncopied(`${names.repository(owner)}f/`)) {
      const object = await small.get(key)
      if (object === undefined || object === 'unchanged') continue
      await large.put(key, object.bytes)
      await small.noteCopied(key)
    }
  }

  /** A small file that only another database has. */
  const getElsewhere = async (
    key: string,
    given: GetOptions | undefined,
  ): Promise<BucketObject | 'unchanged' | undefined> => {
    const owner = fileOwner(key)
    if (peers === undefined || owner === undefined || ids.has(owner)) return undefined
    const named = await large.get(names.keyOf(owner))
    if (named === undefined || named === 'unchanged') return undefined
    const repository = decodeUtf8(named.bytes)
    return peers.isHere(repository) ? undefined : peers.getObject(repository, key, given)
  }

  return {
    location,
    limits: large.limits,

    async get(key, given) {
      const repository = manifestKey(key)
      if (repository !== undefined && peers?.isHere(repository) === false)
        return peers.getManifest(repository, given)
      const found = await small?.get(key, given)
      if (repository !== undefined) {
        if (found !== undefined && found !== 'unchanged') noteManifest(repository, found.bytes)
        return found
      }
      return found ?? (await large.get(key, given)) ?? getElsewhere(key, given)
    },

    async put(key, bytes, condition) {
      const repository = manifestKey(key)
      if (repository !== undefined) {
        if (small === undefined || peers?.isHere(repository) === false) {
          return peers?.putManifest(repository, bytes, condition)
        }
        const id = noteManifest(repository, bytes)
        const etag = await small.put(key, bytes, condition)
        if (etag !== undefined) await options.onChange?.(repository, id)
        return etag
      }
      if (small !== undefined && isSmallFile(key, bytes.length)) return small.put(key, bytes, condition)
      const [, owner] = /^([^/]+)\/users\//.exec(key.slice(names.repositories.length)) ?? []
      if (owner !== undefined) await copyFiles(owner)
      const etag = await large.put(key, bytes, condition)
      // A derived file is replaced, and what was small may have become large.
      if (etag !== undefined) await small?.delete([key])
      return etag
    },

    beginUpload: (key) => large.beginUpload(key),

    async list(given) {
      const limit = given.limit ?? DEFAULT_LIMIT
      const startAfter = given.cursor ?? given.startAfter
      const asked = { prefix: given.prefix, limit, ...(startAfter === undefined ? {} : { startAfter }) }
      const [here, there] = await Promise.all([small?.list(asked), large.list(asked)])
      return here === undefined ? there : mergePages(here, there, limit)
    },

    async delete(keys) {
      await small?.delete(keys)
      await large.delete(keys)
    },
  }
}

/** One page of two, in order, up to where both are known. */
function mergePages(here: ListPage, there: ListPage, limit: number): ListPage {
  const ends = [here, there].flatMap((page) =>
    page.cursor === undefined ? [] : [page.objects.at(-1)?.key ?? ''],
  )
  const end = ends.sort(compareText)[0]
  const merged = new Map([...there.objects, ...here.objects].map((object) => [object.key, object]))
  const known = [...merged.values()]
    .sort((left, right) => compareText(left.key, right.key))
    .filter(({ key }) => end === undefined || compareText(key, end) <= 0)
  const objects = known.slice(0, limit)
  const last = objects.at(-1)
  const isLast = end === undefined && known.length <= limit
  return isLast || last === undefined ? { objects } : { objects, cursor: last.key }
}

/** Keys are of ASCII: this is their order in bytes. */
function compareText(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0
}
