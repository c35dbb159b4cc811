import type { Codecs } from '../../codec/ports.ts'
import { GitError, isGitError } from '../../errors.ts'
import { parseObjectId, type ObjectId } from '../../object/object-id.ts'
import type { MemoryBudget } from '../../odb/memory-budget.ts'
import type { ObjectView } from '../../odb/object-view.ts'
import type { Ref } from '../../refs/ref.ts'
import { noSource } from '../../storage/fork-options.ts'
import type { RepositoryStorage } from '../../storage/repository-storage.ts'
import type { ForkRepositoryOptions, Storage } from '../../storage/storage.ts'
import { isPartialClone } from '../find-unpromised.ts'
import { openRepository, type Repository } from '../repository.ts'
import { planFork } from './plan-fork.ts'

export interface ForkOptions {
  readonly codecs: Codecs
  readonly memoryBudget?: MemoryBudget
  /** The source, where it is open already: what it has in its caches is then not read again. It stays open. */
  readonly repository?: Repository
  /** The branch that HEAD of the fork names, e.g. `refs/heads/main`. Default: the one that HEAD of the source names. */
  readonly head?: string
  /**
   * The refs that the fork begins with: all, only the branch that its HEAD names, or those that a function picks by name. Symbolic refs
   * come along where what they name does. Default: all.
   */
  readonly refs?: 'all' | 'head' | ((name: string) => boolean)
  readonly signal?: AbortSignal
}

/** A repository that was just forked. */
export interface ForkedRepository {
  readonly storage: RepositoryStorage
  readonly objectCount: number
  /** The refs that it began with, `HEAD` not among them. */
  readonly refs: readonly Ref[]
}

/** How often a fork is planned anew because packs of the source went away meanwhile. */
const ATTEMPTS = 50

/**
 * Forks a repository. The fork sees exactly what its refs reach at this moment, and shares the packs that hold it: no object is read or
 * written, as long as the reachability of the source's packs is written down. What is not is written down first.
 *
 * @throws GitError `NOT_FOUND` when there is no source; `ALREADY_EXISTS`; `UNSUPPORTED` for a source that is a partial clone; `INVALID_ARGUMENT` when HEAD of the source names no branch and
 * none is given; `MISSING_OBJECT`, `CORRUPT_OBJECT`, `CORRUPT_PACK` when the source is damaged; `CONFLICT` when its packs change faster
 * than they can be listed; the signal's reason
 */
export async function forkRepository(
  storage: Storage,
  source: string,
  key: string,
  options: ForkOptions,
): Promise<ForkedRepository> {
  if (options.repository !== undefined) return forkFrom(options.repository, storage, source, key, options)
  const opened = await storage.open(source)
  if (opened === undefined) throw noSource(storage.location, source)
  const repository = openRepository(opened, options)
  try {
    return await forkFrom(repository, storage, source, key, options)
  } finally {
    await repository.close()
  }
}

async function forkFrom(
  repository: Repository,
  storage: Storage,
  source: string,
  key: string,
  options: ForkOptions,
): Promise<ForkedRepository> {
  for (let attempt = 1; ; attempt++) {
    try {
      const { objectCount, ...begin } = await describeFork(repository, options)
      return { storage: await storage.fork(source, key, begin), objectCount, refs: begin.refs }
    } catch (error) {
      if (isGitError(error, 'ALREADY_EXISTS')) throw error
      if (isGitError(error, 'CONFLICT') && attempt < ATTEMPTS) continue
      if (!(await isThere(storage, source))) throw noSource(storage.location, source)
      // A pack went away while it was being opened.
      if (!isGitError(error, 'NOT_FOUND') || attempt >= ATTEMPTS) throw error
    }
  }
}

/** Reading a repository while it is deleted may fail in many ways, which all mean that there is none. */
async function isThere(storage: Storage, key: string): Promise<boolean> {
  const stored = await storage.open(key)
  await stored?.close()
  return stored !== undefined
}

/** Everything is read before the packs are listed, which then hold all that it names. */
async function describeFork(
  repository: Repository,
  options: ForkOptions,
): Promise<ForkRepositoryOptions & { readonly objectCount: number }> {
  const { storage } = repository
  const listed = await storage.listRefs('refs/')
  const head = options.head ?? (await readHeadBranch(repository))
  const view = await openDescribedView(repository)
  try {
    if (isPartialClone(view)) throw partialSource(storage.location)
    const refs = await presentRefs(view, selectRefs(listed, head, options.refs ?? 'all'))
    const tips = new Set<ObjectId>()
    for (const { target } of refs) if (target.kind === 'direct') tips.add(target.id)
    const plan = await planFork(view, [...tips], { loose: storage.loose, signal: options.signal })
    if (plan === undefined)
      throw new GitError('CONFLICT', `packs of ${storage.location} went away; plan anew`)
    return { head, refs, ...plan }
  } finally {
    await view.close()
  }
}

function partialSource(location: string): GitError {
  return new GitError(
    'UNSUPPORTED',
    `${location} is a partial clone, and nobody has promised a fork what it lacks: fetch what is missing, or fork its remote`,
  )
}

/** A view of packs whose reachability is written down, as far as it can be. */
async function openDescribedView(repository: Repository): Promise<ObjectView> {
  const view = await repository.openView()
  if (view.packs.every(({ reachability }) => reachability !== undefined)) return view
  try {
    await view.describeAll()
  } finally {
    await view.close()
  }
  return repository.openView()
}

async function readHeadBranch(repository: Repository): Promise<string> {
  const head = await repository.readHead()
  if (head?.kind === 'symbolic') return head.target
  throw new GitError(
    'INVALID_ARGUMENT',
    `HEAD of ${repository.storage.location} names no branch; say which one HEAD of the fork is to name`,
  )
}

function selectRefs(
  listed: readonly Ref[],
  head: string,
  which: NonNullable<ForkOptions['refs']>,
): readonly Ref[] {
  if (which === 'all') return listed
  const isWanted = which === 'head' ? (name: string): boolean => name === head : which
  const wanted = listed.filter(({ name }) => isWanted(name))
  const names = new Set(wanted.map(({ name }) => name))
  return wanted.filter(({ target }) => target.kind === 'direct' || names.has(target.target))
}

/** Leaves out refs that lead nowhere, as a clone does. */
async function presentRefs(view: ObjectView, refs: readonly Ref[]): Promise<readonly Ref[]> {
  const absent = new Set<ObjectId>()
  const ids = refs.map(({ target }) => (target.kind === 'direct' ? target.id : undefined))
  let waiting = [...new Set(ids.filter((id) => id !== undefined))]
  while (waiting.length > 0) {
    waiting = waiting.filter((id) => {
      const isThere = view.tryHas(parseObjectId(id, view.format))
      if (isThere === false) absent.add(id)
      return isThere === undefined
    })
    if (waiting.length > 0) await view.settle()
  }
  return refs.filter(({ target }) => target.kind === 'symbolic' || !absent.has(target.id))
}
