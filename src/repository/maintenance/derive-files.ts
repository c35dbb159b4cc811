import { CommitTable } from '../../graph/commit-table.ts'
import type { GraphCommits } from '../../graph/commit-graph/encode-commit-graph.ts'
import { peel } from '../../graph/peel.ts'
import { walkCommits } from '../../graph/walk-commits.ts'
import { compareRanges } from '../../bytes/compare.ts'
import { isGitError } from '../../errors.ts'
import { parseObjectId } from '../../object/object-id.ts'
import { COMMIT } from '../../object/object-type.ts'
import type { ObjectView } from '../../odb/object-view.ts'
import { indexStoredPack } from '../../pack/indexer/windowed-indexer.ts'
import type { GitFileFormats, GitFiles, RepositoryFileKind } from '../../storage/git-files.ts'
import type { Repository } from '../repository.ts'
import type { MaintenanceStep } from './maintenance-result.ts'
import type { MaintainedPack, RepositoryState, Roots } from './repository-state.ts'
import type { StepContext } from './step-context.ts'

/** Writes down the reachability of a pack that lacks it; the next of them, so that the caller can stop in between. */
export async function deriveReachability(
  { storage, codecs, format }: Repository,
  { ordinary, pinned }: RepositoryState,
  { packing, signal }: StepContext,
): Promise<MaintenanceStep | undefined> {
  const own = [...ordinary, ...pinned.filter(({ description }) => description.pinned !== 'borrowed')]
  for (const { file } of own) {
    if (file.reachability !== undefined) continue
    if ((await storage.readDerived(file.name, 'reachability')) !== undefined) continue
    const indexed = await indexStoredPack(await file.data.file(), {
      codecs,
      format,
      signal,
      reachability: true,
      memoryBytes: packing.memoryBytes,
    })
    if (indexed.reachability === undefined) continue
    await storage.writeDerived(file.name, 'reachability', indexed.reachability)
    return { kind: 'derive', file: 'reachability', pack: file.name }
  }
  return undefined
}

/**
 * Writes what git reads beside packs, where the layout is git's and it is not there yet: `.rev` and bitmaps for a pack of everything, a
 * commit-graph, an index over several packs.
 *
 * They are for git beside us. Our own walks go over the written reachability of packs, which every storage has: parents and dates of all
 * commits, and what all trees name, as numbers, so that a commit costs about a microsecond and no walk reads an object. Generation
 * numbers would save some of those microseconds where no walk is asked to go back far, and bitmaps and an index over few packs none.
 */
export async function deriveGitFiles(
  repository: Repository,
  state: RepositoryState,
  roots: Roots,
  context: StepContext,
): Promise<readonly MaintenanceStep[]> {
  const files = repository.storage.maintenance?.gitFiles
  if (files === undefined) return []
  const steps: MaintenanceStep[] = []
  const [only] = state.ordinary
  if (only !== undefined && state.ordinary.length === 1 && context.options.mode !== 'geometric')
    steps.push(...(await derivePackFiles(repository, state, only, roots, context, files.formats)))
  if (await deriveCommitGraph(repository, state.view, roots, context.signal, files))
    steps.push({ kind: 'derive', file: 'commit-graph' })
  if (await deriveMultiPackIndex(repository, state, files))
    steps.push({ kind: 'derive', file: 'multi-pack-index' })
  return steps
}

/** The `.rev` file and the bitmaps of a pack; these only when all that its commits reach is in it. */
async function derivePackFiles(
  { storage, format }: Repository,
  { view }: RepositoryState,
  { file, description }: MaintainedPack,
  { refIds }: Roots,
  { made }: StepContext,
  formats: GitFileFormats,
): Promise<readonly MaintenanceStep[]> {
  const steps: MaintenanceStep[] = []
  const { index, reachability, name } = file
  if ((await storage.readDerived(name, 'rev')) === undefined) {
    await storage.writeDerived(name, 'rev', formats.encodeReverseIndex(index, format))
    steps.push({ kind: 'derive', file: 'rev', pack: name })
  }
  const isClosed =
    reachability?.externalCount === 0 && description.partial !== true && view.shallow.size === 0
  if (!isClosed || (await storage.readDerived(name, 'bitmap')) !== undefined) return steps
  const tips: number[] = []
  for (const id of refIds) {
    const { type, id: raw } = await peel(view, parseObjectId(id, format))
    const rank = type === COMMIT ? index.find(raw) : -1
    if (rank >= 0) tips.push(index.positions[rank]!)
  }
  const contents = made.get(name)
  const hashes =
    contents &&
    Uint32Array.from({ length: index.objectCount }, (_, rank) => {
      const ordinal = contents.objects.find(index.bytes, index.idAt(rank))
      return ordinal < 0 ? 0 : contents.pathHashes[ordinal]!
    })
  const closures = formats.commitClosures(reachability, formats.selectBitmapCommits(reachability, tips))
  const bitmaps = formats.encodePackBitmaps(index, reachability, closures, format, hashes)
  await storage.writeDerived(name, 'bitmap', bitmaps)
  return [...steps, { kind: 'derive', file: 'bitmap', pack: name }]
}

/** Writes the commit-graph of everything that refs reach, unless the one that is there has it all. */
async function deriveCommitGraph(
  { storage, format }: Repository,
  view: ObjectView,
  { refIds }: Roots,
  signal: AbortSignal,
  files: GitFiles,
): Promise<boolean> {
  // Git does not use one where histories are cut or commits are replaced.
  if (view.shallow.size > 0 || (await storage.listRefs('refs/replace/')).length > 0) return false
  const table = new CommitTable(view)
  const tips: number[] = []
  for (const id of refIds) {
    const peeled = await peel(view, parseObjectId(id, format))
    if (peeled.type === COMMIT) tips.push(table.add(peeled.id))
  }
  if (tips.length === 0) return false
  const former = await readIfUsable(files, 'commit-graph', (bytes) =>
    files.formats.parseCommitGraph(bytes, format),
  )
  if (former !== undefined && tips.every((tip) => former.find(table.ids.view(tip)) >= 0)) return false
  const { commits } = await walkCommits(table, tips, [], { signal })
  await files.write('commit-graph', files.formats.encodeCommitGraph(inIdOrder(table, commits), format))
  return true
}

function inIdOrder(table: CommitTable, commits: readonly number[]): GraphCommits {
  const { ids, idLength } = table.ids
  const sorted = [...commits].sort((left, right) =>
    compareRanges(ids, left * idLength, ids, right * idLength, idLength),
  )
  const positions = new Map(sorted.map((commit, position) => [commit, position]))
  const columns = {
    ids: new Uint8Array(sorted.length * idLength),
    trees: new Uint8Array(sorted.length * idLength),
  }
  sorted.forEach((commit, position) => {
    columns.ids.set(table.ids.view(commit), position * idLength)
    columns.trees.set(table.tree(commit), position * idLength)
  })
  return {
    ...columns,
    parents: sorted.map((commit) => table.parents(commit).flatMap((parent) => positions.get(parent) ?? [])),
    times: Float64Array.from(sorted, (commit) => table.time(commit)),
  }
}

/**
 * Writes one index over all packs of the repository's own, where there are several. None is left that names a pack which is gone: who repacks
 * with git, and has begun before it was written, does not know of it.
 */
async function deriveMultiPackIndex(
  { format, storage }: Repository,
  { ordinary, unreachable, pinned }: RepositoryState,
  files: GitFiles,
): Promise<boolean> {
  const own = [...ordinary, ...unreachable, ...pinned].filter(
    ({ description }) => description.pinned !== 'borrowed',
  )
  const names = own.map(({ file }) => file.name).sort()
  const former = await readIfUsable(files, 'multi-pack-index', (bytes) =>
    files.formats.parseMultiPackIndex(bytes, format),
  )
  if (own.length < 2) {
    if (former?.packs.some((name) => !names.includes(name)) === true) await files.remove('multi-pack-index')
    return false
  }
  if (former?.packs.join() === names.join()) return false
  const packs = own.map(({ file, description }) => ({
    name: file.name,
    index: file.index,
    modified: description.modified,
  }))
  await files.write('multi-pack-index', files.formats.encodeMultiPackIndex(packs, format))
  const there = new Set((await storage.listPacks()).map(({ name }) => name))
  if (names.every((name) => there.has(name))) return true
  await files.remove('multi-pack-index')
  return false
}

/** A derived file that is there and can be used; what cannot is written anew. */
async function readIfUsable<T>(
  files: GitFiles,
  kind: RepositoryFileKind,
  parse: (bytes: Uint8Array) => T,
): Promise<T | undefined> {
  const bytes = await files.read(kind)
  if (bytes === undefined) return undefined
  try {
    return parse(bytes)
  } catch (error) {
    if (isGitError(error, 'CORRUPT_INDEX')) return undefined
    throw error
  }
}
