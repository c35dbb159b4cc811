import { yieldToHost } from '../bytes/yield-to-host.ts'
import type { IdTable } from '../object/id-table.ts'
import type { ObjectId } from '../object/object-id.ts'
import { BLOB, COMMIT, TAG, TREE, type ObjectType } from '../object/object-type.ts'
import { CommitTable } from './commit-table.ts'
import { excludeByType } from './exclude-objects.ts'
import { tryTypeRule } from './filter-rule.ts'
import { walkFiltered, type AskedObjects } from './filtered-walk.ts'
import { markKnownTrees } from './mark-known-trees.ts'
import type { BoundFilter } from './object-filter.ts'
import type { ObjectSource } from './object-source.ts'
import { peelAll, peelPresent } from './peel.ts'
import { INCLUDED, KNOWN, type ReachabilityMarks } from './reachability-marks.ts'
import { walkCommits } from './walk-commits.ts'
import { ObjectWalk } from './object-walk.ts'

/** Objects looked at between two turns of the host. */
const TURN = 32768

export interface EnumerateRequest {
  /** Raw ids of any type; each must be present. */
  readonly wants: readonly Uint8Array[]
  /** Raw ids whose closure is left out; what is absent is ignored. */
  readonly haves: readonly Uint8Array[]
  /** Commits to treat as having no parents, besides those that are shallow in the repository itself. */
  readonly shallow?: ReadonlySet<ObjectId>
  /** Leave out what this filter leaves out, unless it is among the wants itself or is what a wanted tag names. */
  readonly filter?: BoundFilter | undefined
  /** Check that every blob is present as well. Everything else is looked at anyway. */
  readonly verifyBlobs?: boolean
  readonly signal?: AbortSignal | undefined
  /** Called now and then with the number of objects found so far. */
  readonly onProgress?: (found: number) => void
}

/** The objects that the wants reach and the haves do not. */
export interface Enumeration {
  /** Objects in packs whose reachability is written down, as marks: included or known. */
  readonly marks: ReachabilityMarks
  /** Included objects that are elsewhere. */
  readonly objects: IdTable
  /** Object type by ordinal of {@link objects}. */
  readonly types: ObjectType[]
  /** Objects elsewhere that are known to be in the closure of the haves: those met at the boundary. */
  readonly known: IdTable
  /** Raw ids of the root trees at the boundary, those of the haves themselves first. */
  readonly boundaryTrees: readonly Uint8Array[]
}

/**
 * Enumerates the objects reachable from the wants and not from the haves.
 *
 * Where reachability is written down this is a walk over numbers; elsewhere trees are read. The closure of the haves is not computed:
 * like git, only the trees at the boundary are compared. An object that moved there from elsewhere in old history may therefore be
 * enumerated though the haves reach it; none is ever left out.
 *
 * @throws GitError `MISSING_OBJECT` (`details`: id, type, neededBy), `CORRUPT_OBJECT`, `CORRUPT_PACK`; the signal's
 * reason when aborted
 */
export async function enumerateObjects(
  source: ObjectSource,
  request: EnumerateRequest,
): Promise<Enumeration> {
  const { signal, onProgress } = request
  const walk = new ObjectWalk(source, request.verifyBlobs === true)
  const report = async (found: number): Promise<void> => {
    onProgress?.(found)
    await yieldToHost()
    signal?.throwIfAborted()
  }
  if (isWholeHistory(source, request)) {
    if (!walk.tryIncludeEverything(request.wants)) {
      for (const want of request.wants) walk.includeHistory(want)
      await walk.finish(report)
    }
    onProgress?.(walk.found)
    return walk
  }
  const table = new CommitTable(source, request.shallow)
  const exclude: number[] = []
  const knownTrees: Uint8Array[] = []
  for (const have of request.haves) {
    const peeled = await peelPresent(source, have)
    if (peeled === undefined) continue
    for (const tag of peeled.tags) walk.know(tag)
    if (peeled.type === COMMIT) exclude.push(table.add(peeled.id))
    else if (peeled.type === TREE) knownTrees.push(peeled.id)
    else walk.know(peeled.id)
  }
  const include: number[] = []
  const others: { readonly id: Uint8Array; readonly type: ObjectType }[] = []
  for (const peeled of await peelAll(source, request.wants)) {
    for (const tag of peeled.tags) others.push({ id: tag, type: TAG })
    if (peeled.type === COMMIT) include.push(table.add(peeled.id))
    else others.push({ id: peeled.id, type: peeled.type })
  }

  const range = await walkCommits(table, include, exclude, { signal })
  for (const commit of exclude) walk.know(table.ids.view(commit))
  const asHave = new Set(exclude)
  const boundary = range.boundary.filter((commit) => asHave.has(commit))
  boundary.push(...range.boundary.filter((commit) => !asHave.has(commit)))
  for (const commit of boundary) {
    walk.know(table.ids.view(commit))
    const tree = table.tree(commit).slice()
    knownTrees.push(tree)
    walk.boundaryTrees.push(tree)
  }
  const commits = range.commits.map((commit) => ({
    id: table.ids.id(commit),
    tree: table.tree(commit).slice(),
  }))
  const roots = [
    ...commits.map(({ tree }) => tree),
    ...others.filter(({ type }) => type === TREE).map(({ id }) => id),
  ]
  const { filter } = request
  const rule = filter === undefined ? undefined : tryTypeRule(filter)
  const opensTrees = rule === undefined || rule.showsType(TREE) || rule.showsType(BLOB)
  if (opensTrees) await markKnown(source, walk, roots, knownTrees, signal)
  const asked: AskedObjects = { commits, others, tips: include.map((commit) => table.ids.id(commit)) }
  if (filter !== undefined && rule === undefined) {
    await walkFiltered(source, walk, asked, filter, report)
  } else {
    await includeAll(walk, asked, opensTrees, report)
  }
  onProgress?.(walk.found)
  return rule === undefined ? walk : excludeByType(source, walk, asked, rule)
}

/** Whether nothing bounds the history that is asked for: then no commit needs its date, and none is looked at twice. */
function isWholeHistory(
  source: ObjectSource,
  { haves, shallow, filter, verifyBlobs }: EnumerateRequest,
): boolean {
  if (verifyBlobs === true || filter !== undefined || haves.length > 0) return false
  return source.shallow.size === 0 && (shallow === undefined || shallow.size === 0)
}

/** Includes everything that is asked for and what it reaches; what lies below commits only if trees are to be opened. */
async function includeAll(
  walk: ObjectWalk,
  { commits, others }: AskedObjects,
  opensTrees: boolean,
  report: (found: number) => Promise<void>,
): Promise<void> {
  for (const { id } of commits) walk.include(id, COMMIT)
  for (const { id, type } of others) if (type !== TREE) walk.include(id, type)
  let reported = 0
  for (const { id, tree } of opensTrees ? commits : []) {
    walk.includeTree(tree, id)
    if (walk.found - reported < TURN) continue
    reported = walk.found
    await report(reported)
  }
  for (const { id, type } of others) {
    if (type !== TREE) continue
    if (opensTrees) walk.includeTree(id, undefined)
    else walk.includeAlone(id, 0, TREE)
  }
  await walk.finish(report)
}

/** Marks what the trees at the boundary contain: by number where that is written down, by reading trees elsewhere. */
async function markKnown(
  source: ObjectSource,
  walk: ObjectWalk,
  roots: readonly Uint8Array[],
  knownTrees: readonly Uint8Array[],
  signal: AbortSignal | undefined,
): Promise<void> {
  const unwritten = knownTrees.filter((tree) => !walk.knowTree(tree))
  if (unwritten.length === 0) return
  await markKnownTrees(source, roots, unwritten, walk, signal)
}

/** Whether an object, wherever it is, is to be sent. */
export function isIncluded({ marks, objects }: Enumeration, id: Uint8Array, at = 0): boolean {
  const node = marks.set.find(id, at)
  return node === undefined ? objects.has(id, at) : marks.has(node, INCLUDED)
}

/** Whether an object, wherever it is, is known to be in the closure of the haves. */
export function isKnown({ marks, known }: Enumeration, id: Uint8Array, at = 0): boolean {
  const node = marks.set.find(id, at)
  return node === undefined ? known.has(id, at) : marks.has(node, KNOWN)
}

/** Raw ids of everything that is to be sent, as views. */
export function* includedIds({ marks, objects }: Enumeration): Generator<Uint8Array, void, undefined> {
  for (const [pack, included] of marks.marks.entries()) {
    for (let position = 0; position < included.length; position++)
      if ((included[position]! & INCLUDED) !== 0) yield marks.set.id(pack, position)
  }
  for (let ordinal = 0; ordinal < objects.size; ordinal++) yield objects.view(ordinal)
}

/** Includes one more object, which is not a tree, unless it is included or known already. */
export function includeObject(enumeration: Enumeration, id: Uint8Array, type: ObjectType): void {
  const { marks, objects, types, known } = enumeration
  const node = marks.set.find(id)
  if (node !== undefined) {
    marks.mark(node, INCLUDED, () => undefined)
  } else if (!known.has(id)) {
    const before = objects.size
    if (objects.add(id) === before) types.push(type)
  }
}
