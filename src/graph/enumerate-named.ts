import { yieldToHost } from '../bytes/yield-to-host.ts'
import { GitError } from '../errors.ts'
import { isGitlinkMode, isTreeMode } from '../object/file-mode.ts'
import { IdTable } from '../object/id-table.ts'
import { encodeObjectId } from '../object/object-id.ts'
import { BLOB, COMMIT, objectTypeName, TAG, TREE, type ObjectType } from '../object/object-type.ts'
import { TreeCursor } from '../object/tree-iterator.ts'
import { enterDirectory, extendPathHash, ROOT_PATH_HASH } from '../pack/path-hash.ts'
import { CommitTable } from './commit-table.ts'
import type { ObjectSource } from './object-source.ts'
import { peel } from './peel.ts'
import { walkCommits } from './walk-commits.ts'

/** Entries looked at between two turns of the host. */
const TURN = 65536

export interface EnumerateNamedOptions {
  readonly signal?: AbortSignal
  /** Called now and then with the number of objects found so far. */
  readonly onProgress?: (found: number) => void
}

/**
 * Everything that some tips reach, as columns by ordinal: commits by date, latest first, then tags, then trees and blobs in the
 * order in which checking out the commits one after the other first meets them.
 */
export interface NamedEnumeration {
  readonly objects: IdTable
  readonly types: Uint8Array
  /** Hash of the path at which a tree or blob was met first, see path-hash.ts; 0 for the others. */
  readonly pathHashes: Uint32Array
}

/**
 * Enumerates everything the tips reach, with the paths. A shallow commit of the repository has no parents.
 *
 * @throws GitError `MISSING_OBJECT`, `CORRUPT_OBJECT`, `CORRUPT_PACK`; the signal's reason when aborted
 */
export async function enumerateNamed(
  reader: ObjectSource,
  tips: readonly Uint8Array[],
  options: EnumerateNamedOptions = {},
): Promise<NamedEnumeration> {
  const { signal, onProgress } = options
  const walk = new NamedWalk(reader)
  const table = new CommitTable(reader)
  const commits: number[] = []
  const others: { readonly id: Uint8Array; readonly type: ObjectType }[] = []
  for (const tip of tips) {
    const peeled = await peel(reader, tip)
    for (const tag of peeled.tags) others.push({ id: tag, type: TAG })
    if (peeled.type === COMMIT) commits.push(table.add(peeled.id))
    else others.push({ id: peeled.id, type: peeled.type })
  }
  const range = await walkCommits(table, commits, [], { signal })
  for (const commit of range.commits) walk.add(table.ids.ids, commit * table.ids.idLength, COMMIT, 0)
  for (const { id, type } of others) if (type === TAG) walk.add(id, 0, TAG, 0)
  for (const { id, type } of others) if (type === BLOB) walk.add(id, 0, BLOB, 0)

  const drain = async (): Promise<void> => {
    for (let state = walk.step(TURN); state !== 'done'; state = walk.step(TURN)) {
      signal?.throwIfAborted()
      if (state === 'waiting') {
        await reader.settle()
      } else {
        onProgress?.(walk.objects.size)
        await yieldToHost()
      }
    }
  }
  for (const commit of range.commits) {
    if (walk.enter(table.tree(commit), 0, ROOT_PATH_HASH)) await drain()
  }
  for (const { id, type } of others) if (type === TREE && walk.enter(id, 0, ROOT_PATH_HASH)) await drain()
  onProgress?.(walk.objects.size)
  return walk.finish()
}

/** A walk through trees, depth first, each object once; it can stop anywhere and go on. */
class NamedWalk {
  readonly objects: IdTable
  readonly #reader: ObjectSource
  #types = new Uint8Array(4096)
  #pathHashes = new Uint32Array(4096)
  /** One cursor for each level of the path that is being walked, and whether its tree is read. */
  readonly #cursors: TreeCursor[] = []
  readonly #trees: number[] = []
  readonly #opened: boolean[] = []
  /** How many levels are in use. */
  #depth = 0

  constructor(reader: ObjectSource) {
    this.#reader = reader
    this.objects = new IdTable(reader.format.idLength, 4096)
  }

  /** Adds an object if it is new, and tells whether it was. */
  add(bytes: Uint8Array, at: number, type: ObjectType, pathHash: number): boolean {
    const before = this.objects.size
    const ordinal = this.objects.add(bytes, at)
    if (ordinal !== before) {
      if (this.#types[ordinal] !== type) this.#notOneType(ordinal, type)
      return false
    }
    if (ordinal === this.#types.length) {
      const types = new Uint8Array(2 * ordinal)
      types.set(this.#types)
      this.#types = types
      const pathHashes = new Uint32Array(2 * ordinal)
      pathHashes.set(this.#pathHashes)
      this.#pathHashes = pathHashes
    }
    this.#types[ordinal] = type
    this.#pathHashes[ordinal] = pathHash
    return true
  }

  /** Adds a tree if it is new, and makes it the one that `step` walks next; tells whether it was. */
  enter(bytes: Uint8Array, at: number, pathHash: number): boolean {
    if (!this.add(bytes, at, TREE, pathHash)) return false
    const depth = this.#depth++
    if (depth === this.#cursors.length) this.#cursors.push(new TreeCursor(this.objects.idLength))
    this.#trees[depth] = this.objects.size - 1
    this.#opened[depth] = false
    return true
  }

  /** Walks at most so many entries further; `waiting` when a tree is not resident. */
  step(entries: number): 'done' | 'waiting' | 'turn' {
    let left = entries
    while (this.#depth > 0) {
      const depth = this.#depth - 1
      if (this.#opened[depth] !== true) {
        if (!this.#tryOpen(depth)) return 'waiting'
        this.#opened[depth] = true
      }
      const cursor = this.#cursors[depth]!
      const from = depth === 0 ? ROOT_PATH_HASH : enterDirectory(this.#pathHashes[this.#trees[depth]!]!)
      let entered = false
      while (!entered && cursor.next()) {
        if (--left === 0) left = -1
        const { body, idAt, mode } = cursor
        if (isTreeMode(mode)) {
          const ordinal = this.objects.find(body, idAt)
          if (ordinal >= 0 && this.#types[ordinal] === TREE) continue
          entered = this.enter(body, idAt, extendPathHash(from, body, cursor.nameStart, cursor.nameEnd))
        } else if (!isGitlinkMode(mode) && this.objects.find(body, idAt) < 0) {
          this.add(body, idAt, BLOB, extendPathHash(from, body, cursor.nameStart, cursor.nameEnd))
        }
      }
      if (!entered) this.#depth--
      if (left < 0) return 'turn'
    }
    return 'done'
  }

  #tryOpen(depth: number): boolean {
    const id = this.objects.view(this.#trees[depth]!)
    const object = this.#reader.tryRead(id)
    if (object === undefined) return false
    if (object === null || object.type !== TREE) {
      const hex = encodeObjectId(id, 0, this.#reader.format)
      if (object === null) {
        throw new GitError('MISSING_OBJECT', `tree ${hex} is missing`, { details: { id: hex, type: 'tree' } })
      }
      throw new GitError('CORRUPT_OBJECT', `object ${hex} is named as a tree and is not one`, {
        details: { id: hex },
      })
    }
    this.#cursors[depth]!.reset(object.body)
    return true
  }

  #notOneType(ordinal: number, type: ObjectType): void {
    const id = encodeObjectId(this.objects.view(ordinal), 0, this.#reader.format)
    const former = objectTypeName(this.#types[ordinal] as ObjectType)
    throw new GitError(
      'CORRUPT_OBJECT',
      `object ${id} is named as a ${former} and as a ${objectTypeName(type)}`,
      {
        details: { id },
      },
    )
  }

  finish(): NamedEnumeration {
    const count = this.objects.size
    return {
      objects: this.objects,
      types: this.#types.subarray(0, count),
      pathHashes: this.#pathHashes.subarray(0, count),
    }
  }
}
