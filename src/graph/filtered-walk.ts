import { GitError } from '../errors.ts'
import { isGitlinkMode, isTreeMode } from '../object/file-mode.ts'
import { IdTable } from '../object/id-table.ts'
import { encodeObjectId } from '../object/object-id.ts'
import { BLOB, COMMIT, TREE, type ObjectType } from '../object/object-type.ts'
import { TreeCursor } from '../object/tree-iterator.ts'
import { decodeLatin1 } from '../bytes/text.ts'
import {
  CLOSED,
  createFilterRule,
  needsPaths,
  needsSizes,
  SETTLED,
  SHOW,
  type FilterRule,
} from './filter-rule.ts'
import type { BoundFilter } from './object-filter.ts'
import type { ObjectSource } from './object-source.ts'
import type { ObjectWalk } from './object-walk.ts'

/** Tree entries looked at between two reports. */
const TURN = 32768

/** What a fetch asks for, taken apart. */
export interface AskedObjects {
  /** All commits to be sent, latest first, with their root trees. */
  readonly commits: readonly { readonly id: Uint8Array; readonly tree: Uint8Array }[]
  /** Those commits that were asked for themselves. */
  readonly tips: readonly Uint8Array[]
  /** Whatever else was asked for itself. */
  readonly others: readonly { readonly id: Uint8Array; readonly type: ObjectType }[]
}

/**
 * Includes what a filter lets through, walking trees with their paths in git's order: first what was asked for, then the commits'
 * trees, depth first. What was asked for is always included.
 *
 * @throws GitError `MISSING_OBJECT`, `CORRUPT_OBJECT`
 */
export async function walkFiltered(
  source: ObjectSource,
  walk: ObjectWalk,
  { commits, tips, others }: AskedObjects,
  filter: BoundFilter,
  report: (found: number) => Promise<void>,
): Promise<void> {
  const trees = new FilteredTrees(source, walk, filter)
  for (const id of tips) trees.ask(id)
  for (const { id } of others) trees.ask(id)
  for (const { id } of commits) trees.addCommit(id)
  const drain = async (): Promise<void> => {
    for (let state = trees.step(TURN); state !== 'done'; state = trees.step(TURN)) {
      await (state === 'waiting' ? source.settle() : report(walk.found))
    }
  }
  for (const { id, type } of others) {
    if (type === TREE) {
      if (trees.enter(id, undefined, false)) await drain()
    } else walk.includeAlone(id, 0, type)
  }
  for (const { id, tree } of commits) if (trees.enter(tree, id, true)) await drain()
}

/** A tree on the way from the root to where the walk is. */
interface Level {
  readonly object: number
  readonly path: string
  readonly isAsked: boolean
  readonly isClosed: boolean
  readonly neededBy: Uint8Array | undefined
  cursor: TreeCursor | undefined
  /** The entry at the cursor is still to be looked at. */
  isPending: boolean
}

class FilteredTrees {
  readonly #source: ObjectSource
  readonly #walk: ObjectWalk
  readonly #rule: FilterRule
  readonly #withPaths: boolean
  readonly #withSizes: boolean
  readonly #ids: IdTable
  readonly #asked: IdTable
  /** By object: the filter need not be asked again. */
  readonly #settled: boolean[] = []
  readonly #levels: Level[] = []
  /** Numbers of paths, and which trees were met at them. */
  readonly #paths = new Map<string, number>()
  readonly #met = new Set<number>()
  #isRooted = false

  constructor(source: ObjectSource, walk: ObjectWalk, filter: BoundFilter) {
    const { idLength } = source.format
    this.#source = source
    this.#walk = walk
    this.#rule = createFilterRule(filter)
    this.#withPaths = needsPaths(filter)
    this.#withSizes = needsSizes(filter)
    this.#ids = new IdTable(idLength)
    this.#asked = new IdTable(idLength)
  }

  /** Notes that an object was asked for itself. */
  ask(id: Uint8Array): void {
    this.#asked.add(id)
  }

  addCommit(id: Uint8Array): void {
    if (this.#decide(this.#ids.add(id), id, 0, COMMIT, '', '', 0) & SHOW) this.#walk.include(id, COMMIT)
  }

  /** Makes a tree the one that `step` walks next; false when there is nothing to do about it. */
  enter(id: Uint8Array, neededBy: Uint8Array | undefined, isRooted: boolean): boolean {
    this.#isRooted = isRooted
    return this.#enterAt(id, 0, '', '', neededBy)
  }

  #enterAt(
    bytes: Uint8Array,
    at: number,
    path: string,
    name: string,
    neededBy: Uint8Array | undefined,
  ): boolean {
    if (this.#walk.isKnown(bytes, at)) return false
    const object = this.#ids.add(bytes, at)
    if (this.#settled[object] === true) return false
    if (this.#withPaths && this.#isRooted && !this.#meetAt(object, path)) return false
    const isAsked = this.#asked.has(bytes, at)
    const verdict = this.#decide(object, bytes, at, TREE, path, name, 0)
    if (verdict & SHOW) this.#walk.includeAlone(bytes, at, TREE)
    const isClosed = (verdict & CLOSED) !== 0
    this.#levels.push({ object, path, isAsked, isClosed, neededBy, cursor: undefined, isPending: false })
    return true
  }

  /** Whether a tree is new at this path: a second visit lets nothing more through. */
  #meetAt(object: number, path: string): boolean {
    let number = this.#paths.get(path)
    if (number === undefined) {
      number = this.#paths.size
      this.#paths.set(path, number)
    }
    const { size } = this.#met
    return this.#met.add(object * 0x4000000 + number).size > size
  }

  /** Asks the filter, unless the object was asked for itself. */
  #decide(
    object: number,
    bytes: Uint8Array,
    at: number,
    type: ObjectType,
    path: string,
    name: string,
    size: number,
  ): number {
    const isAsked = this.#asked.has(bytes, at)
    const verdict = isAsked ? SHOW | SETTLED : this.#rule.meet({ object, type, path, name, size })
    if (verdict & SETTLED) this.#settled[object] = true
    return verdict
  }

  /** Walks at most so many entries further; `waiting` when an object is not resident. */
  step(entries: number): 'done' | 'waiting' | 'turn' {
    let left = entries
    for (let level = this.#levels.at(-1); level !== undefined; level = this.#levels.at(-1)) {
      if (level.isClosed) {
        this.#leave(level)
        continue
      }
      const cursor = (level.cursor ??= this.#tryOpen(level))
      if (cursor === undefined) return 'waiting'
      if (!level.isPending && !cursor.next()) {
        this.#leave(level)
        continue
      }
      level.isPending = !this.#tryEntry(level, cursor)
      if (level.isPending) return 'waiting'
      if (--left <= 0) return 'turn'
    }
    return 'done'
  }

  #leave(level: Level): void {
    this.#levels.pop()
    if (level.isAsked) return
    const verdict = this.#rule.leave(level.object)
    if (verdict & SETTLED) this.#settled[level.object] = true
    if (verdict & SHOW) this.#walk.includeAlone(this.#ids.view(level.object), 0, TREE)
  }

  /** Looks at the entry at the cursor; false when its size is not resident. */
  #tryEntry(level: Level, { body, mode, nameStart, nameEnd, idAt }: TreeCursor): boolean {
    if (isGitlinkMode(mode)) return true
    const name = this.#withPaths ? decodeLatin1(body, nameStart, nameEnd) : ''
    const path = level.path === '' ? name : `${level.path}/${name}`
    if (isTreeMode(mode)) {
      this.#enterAt(body, idAt, path, name, this.#ids.id(level.object))
      return true
    }
    if (this.#walk.isKnown(body, idAt)) return true
    const object = this.#ids.add(body, idAt)
    if (this.#settled[object] === true) return true
    let size = 0
    if (this.#withSizes) {
      const found = this.#source.trySize(this.#ids.view(object))
      if (found === undefined) return false
      size = found ?? 0
    }
    if (this.#decide(object, body, idAt, BLOB, path, name, size) & SHOW) {
      this.#walk.includeAlone(body, idAt, BLOB)
    }
    return true
  }

  #tryOpen({ object, neededBy }: Level): TreeCursor | undefined {
    const { format } = this.#source
    const tree = this.#source.tryRead(this.#ids.view(object))
    if (tree === undefined) return undefined
    if (tree?.type === TREE) return new TreeCursor(format.idLength, tree.body)
    const id = encodeObjectId(this.#ids.view(object), 0, format)
    if (tree !== null) {
      throw new GitError('CORRUPT_OBJECT', `object ${id} is named as a tree and is not one`, {
        details: { id },
      })
    }
    const by = neededBy === undefined ? undefined : encodeObjectId(neededBy, 0, format)
    throw new GitError(
      'MISSING_OBJECT',
      `tree ${id} is missing${by === undefined ? '' : `, needed by ${by}`}`,
      {
        details: { id, type: 'tree', neededBy: by },
      },
    )
  }
}
