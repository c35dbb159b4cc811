import type { Codecs } from '../codec/ports.ts'
import { GitError } from '../errors.ts'
import { parseGitConfig, type GitConfig } from '../config/git-config.ts'
import { isAncestor } from '../graph/reaches.ts'
import { objectFormat, type ObjectFormat } from '../object/object-format.ts'
import { parseObjectId, type ObjectId } from '../object/object-id.ts'
import { createMemoryBudget, type MemoryBudget } from '../odb/memory-budget.ts'
import { ObjectDatabase, type OpenViewOptions } from '../odb/object-database.ts'
import type { ObjectView } from '../odb/object-view.ts'
import { indexPack } from '../pack/indexer/index-pack.ts'
import type { IndexerThreads } from '../pack/indexer/indexer-threads.ts'
import type { RefTarget } from '../refs/ref.ts'
import type { RepositoryStorage } from '../storage/repository-storage.ts'
import { AdvertisedRefs, type AdvertisedRef, type ListAdvertisedRefsOptions } from './advertised-refs.ts'
import { searchFetchDeltas } from './fetch-deltas/search-fetch-deltas.ts'
import { receivePack, type IncomingPack, type IncomingPackOptions } from './incoming-pack.ts'
import { keepAnswers } from './kept-answer.ts'
import { planFetch, type FetchPlan, type PackPlanOptions, type PackRequest } from './outgoing-pack.ts'
import type { RepositoryExtras } from './repository-extras.ts'
import { resolveRef } from './resolve-ref.ts'

export type { AdvertisedRef } from './advertised-refs.ts'

/** One repository: objects, refs and config over a storage. */
export interface Repository {
  readonly storage: RepositoryStorage
  readonly format: ObjectFormat
  readonly codecs: Codecs
  /** The repository's config as it is now. */
  readConfig(): Promise<GitConfig>
  /** Opens a view of all objects that are stored now; close it when done. */
  openView(options?: OpenViewOptions): Promise<ObjectView>
  /** HEAD as stored, also when the branch it names does not exist yet. */
  readHead(): Promise<RefTarget | undefined>
  /**
   * HEAD, when it leads to an object, then every ref in byte order; symbolic refs resolved, dangling refs left out, annotated tags
   * with what they finally name.
   */
  listAdvertisedRefs(view: ObjectView, options?: ListAdvertisedRefsOptions): Promise<readonly AdvertisedRef[]>
  /** The id a ref leads to, symbolic refs followed; `undefined` when it leads nowhere. */
  resolveRef(name: string): Promise<ObjectId | undefined>
  /**
   * Receives a pack into quarantine: verified, and visible to nobody else before `commit`.
   *
   * @param source the pack's bytes; `undefined` for a push without a pack.
   * @throws GitError `CORRUPT_PACK`, `MISSING_BASE`, `FSCK`, `LIMIT_EXCEEDED`, `UNSUPPORTED`
   */
  receivePack(
    source: AsyncIterable<Uint8Array> | undefined,
    options?: IncomingPackOptions,
  ): Promise<IncomingPack>
  /**
   * Plans the pack that answers a fetch. The view must stay open until the pack is written.
   *
   * @throws GitError as `planPack`
   */
  planPack(view: ObjectView, request: PackRequest, options?: PackPlanOptions): Promise<FetchPlan>
  /** Whether `ancestor` is `descendant` or reachable from it through parents: the fast-forward test. */
  isAncestor(view: ObjectView, ancestor: ObjectId, descendant: ObjectId): Promise<boolean>
  /** Releases caches and open files, the storage's too. */
  close(): Promise<void>
}

export interface OpenRepositoryOptions {
  /** From `packstone/codec/node` or `packstone/codec/portable`. */
  readonly codecs: Codecs
  /**
   * What names received objects. A server that strangers push to passes codecs made with `collisionDetection` here: an object made by
   * an attack on SHA-1 is then refused, and reading stays as fast as `codecs` are. Default: `codecs`.
   */
  readonly receiveCodecs?: Codecs
  /**
   * Memory for caches and for packs that are received or indexed, shared by all repositories it is passed to. Default: 48 MiB of its
   * own; `packstone/hosts/node` knows what the machine has.
   */
  readonly memoryBudget?: MemoryBudget
  /**
   * Threads that index large received packs together with this one: `packstone/threads` makes them, with codecs like `receiveCodecs`.
   * Who started them ends them.
   */
  readonly threads?: IndexerThreads
}

/** Opens a repository over its storage. */
export function openRepository(storage: RepositoryStorage, options: OpenRepositoryOptions): Repository {
  return openLeanRepository(storage, { ...options, indexPack, searchFetchDeltas, keepAnswers })
}

/**
 * {@link openRepository} for programs whose size counts: without the code of those {@link RepositoryExtras} that are not given.
 *
 * @throws GitError `UNSUPPORTED` for threads that have nothing to help with
 */
export function openLeanRepository(
  storage: RepositoryStorage,
  options: OpenRepositoryOptions & RepositoryExtras,
): Repository {
  const { codecs, threads, indexPack, searchFetchDeltas, keepAnswers } = options
  if (threads !== undefined && indexPack === undefined) {
    throw new GitError('UNSUPPORTED', 'threads help `indexPack` only; pass that too, or no threads')
  }
  const format = objectFormat(storage.objectFormat, codecs)
  const memory = options.memoryBudget ?? createMemoryBudget()
  const objectHash = (options.receiveCodecs ?? codecs)[format.name]
  const receivingDefaults = {
    objectHash,
    ...(threads === undefined ? {} : { threads }),
    ...(indexPack === undefined ? {} : { indexPack }),
  }
  const database = new ObjectDatabase(storage, format, codecs, memory)
  const advertised = new AdvertisedRefs(storage)
  /** What was parsed last, which is what comes next as a rule. */
  let config: { readonly text: string; readonly parsed: GitConfig } | undefined
  return {
    storage,
    format,
    codecs,
    readConfig: async () => {
      const text = await storage.readConfig()
      if (config?.text !== text) config = { text, parsed: parseGitConfig(text) }
      return config.parsed
    },
    openView: (viewing) => database.openView(viewing),
    readHead: async () => {
      const [head] = await storage.readRefs(['HEAD'])
      return head?.target
    },
    listAdvertisedRefs: (view, listing) => advertised.list(view, listing),
    resolveRef: (name) => resolveRef(storage, name),
    receivePack: (source, receiving = {}) =>
      receivePack(database, source, { ...receivingDefaults, ...receiving }),
    planPack: (view, request, planning) =>
      planFetch(view, request, { ...planning, searchFetchDeltas, keepAnswers }),
    isAncestor: (view, ancestor, descendant) =>
      isAncestor(view, parseObjectId(ancestor, format), parseObjectId(descendant, format)),
    close: async () => {
      await database.close()
      await storage.close()
    },
  }
}
