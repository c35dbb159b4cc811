import { yieldToHost } from '../bytes/yield-to-host.ts'
import { isGitlinkMode, isTreeMode } from '../object/file-mode.ts'
import { GitError } from '../errors.ts'
import { IdTable } from '../object/id-table.ts'
import { encodeObjectId, type ObjectId } from '../object/object-id.ts'
import type { ObjectReader } from '../object/object-reader.ts'
import { BLOB, COMMIT, TAG, TREE, type ObjectType } from '../object/object-type.ts'
import { TreeCursor } from '../object/tree-iterator.ts'
import { CommitTable } from './commit-table.ts'
import { markKnownTrees } from './mark-known-trees.ts'
import { peel, peelPresent } from './peel.ts'
import { walkCommits } from './walk-commits.ts'

/** Objects looked at between two turns of the host. */
const TURN = 16384

export interface EnumerateRequest {
  /** Raw ids of any type; each must be present. */
  readonly wants: readonly Uint8Array[]
  /** Raw ids whose closure is left out; what is absent is ignored. */
  readonly haves: readonly Uint8Array[]
  /** Commits to treat as having no parents, besides those that are shallow in the repository itself. */
  readonly shallow?: ReadonlySet<ObjectId>
  /** Check that every blob is present as well. Everything else is read anyway. */
  readonly verifyBlobs?: boolean
  readonly signal?: AbortSignal
  /** Called now and then with the number of objects found so far. */
  readonly onProgress?: (found: number) => void
}

/** The objects that the wants reach and the haves do not. */
export interface Enumeration {
  /** Commits first, latest first; then tags, trees and blobs. */
  readonly objects: IdTable
  /** Object type by ordinal of {@link objects}. */
  readonly types: ObjectType[]
  /** Objects known to be in the closure of the haves: those met at the boundary. */
  readonly known: IdTable
}

/**
 * Enumerates the objects reachable from the wants and not from the haves.
 *
 * The closure of the haves is not computed: like git, only the trees at the boundary are compared, and only where trees on
 * the near side differ. An object that moved there from elsewhere in old history may therefore be enumerated though the
 * haves reach it; none is ever left out.
 *
 * @throws GitError `MISSING_OBJECT` (`details`: id, type, neededBy), `CORRUPT_OBJECT`, `CORRUPT_PACK`; the signal's
 * reason when aborted
 */
export async function enumerateObjects(
  reader: ObjectReader,
  request: EnumerateRequest,
): Promise<Enumeration> {
  const walk = new Walk(reader, request)
  const include: number[] = []
  const exclude: number[] = []
  for (const have of request.haves) await walk.have(have, exclude)
  for (const want of request.wants) await walk.want(want, include)
  await walk.commits(include, exclude)
  await walk.trees()
  return { objects: walk.objects, types: walk.types, known: walk.known }
}

class Walk {
  readonly objects: IdTable
  readonly types: ObjectType[] = []
  readonly known: IdTable
  readonly #reader: ObjectReader
  readonly #request: EnumerateRequest
  readonly #table: CommitTable
  /** Trees to walk: ordinals of `objects`, with the ordinal of the object that needs each. */
  #trees: number[] = []
  #neededBy: number[] = []
  /** Blobs found and not verified yet: ordinals of `objects`, and of the tree that names each. */
  #blobs: number[] = []
  #blobTrees: number[] = []
  /** Root trees of what is had at the boundary, raw ids. */
  readonly #knownRoots: Uint8Array[] = []
  /** Wanted objects that are not commits. */
  readonly #otherWants: { readonly id: Uint8Array; readonly type: ObjectType }[] = []
  readonly #cursor: TreeCursor

  constructor(reader: ObjectReader, request: EnumerateRequest) {
    this.#reader = reader
    this.#request = request
    this.#table = new CommitTable(reader, request.shallow)
    this.#cursor = new TreeCursor(reader.format.idLength)
    this.objects = new IdTable(reader.format.idLength, 1024)
    this.known = new IdTable(reader.format.idLength)
  }

  async have(id: Uint8Array, exclude: number[]): Promise<void> {
    const peeled = await peelPresent(this.#reader, id)
    if (peeled === undefined) return
    for (const tag of peeled.tags) this.known.add(tag)
    if (peeled.type === COMMIT) exclude.push(this.#table.add(peeled.id))
    else if (peeled.type === TREE) this.#knownRoots.push(peeled.id)
    else this.known.add(peeled.id)
  }

  async want(id: Uint8Array, include: number[]): Promise<void> {
    const peeled = await peel(this.#reader, id)
    for (const tag of peeled.tags) this.#otherWants.push({ id: tag, type: TAG })
    if (peeled.type === COMMIT) include.push(this.#table.add(peeled.id))
    else this.#otherWants.push({ id: peeled.id, type: peeled.type })
  }

  async commits(include: readonly number[], exclude: readonly number[]): Promise<void> {
    const { signal } = this.#request
    const range = await walkCommits(this.#table, include, exclude, signal === undefined ? {} : { signal })
    for (const commit of exclude) this.known.add(this.#table.ids.view(commit))
    for (const commit of range.boundary) {
      this.known.add(this.#table.ids.view(commit))
      this.#knownRoots.push(this.#table.tree(commit).slice())
    }
    for (const commit of range.commits) this.#add(this.#table.ids.view(commit), 0, COMMIT)
    for (const { id, type } of this.#otherWants)
      if (type !== TREE && !this.known.has(id)) this.#add(id, 0, type)
    const roots: Uint8Array[] = range.commits.map((commit) => this.#table.tree(commit).slice())
    for (const { id, type } of this.#otherWants) if (type === TREE) roots.push(id)
    if (this.#knownRoots.length > 0) {
      await markKnownTrees(this.#reader, roots, this.#knownRoots, this.known, signal)
    }
    range.commits.forEach((commit, k) => {
      this.#addTree(this.#table.tree(commit), 0, k)
    })
    for (const { id, type } of this.#otherWants) if (type === TREE) this.#addTree(id, 0, -1)
  }

  #add(id: Uint8Array, at: number, type: ObjectType): boolean {
    const before = this.objects.size
    const ordinal = this.objects.add(id, at)
    if (ordinal !== before) return false
    this.types.push(type)
    return true
  }

  #addTree(id: Uint8Array, at: number, neededBy: number): void {
    if (this.known.size > 0 && this.known.has(id, at)) return
    if (!this.#add(id, at, TREE)) return
    this.#trees.push(this.objects.size - 1)
    this.#neededBy.push(neededBy)
  }

  /** Walks the trees level by level; what is not resident in a level is fetched together. */
  async trees(): Promise<void> {
    let sinceTurn = 0
    while (this.#trees.length > 0) {
      let trees = this.#trees
      let neededBy = this.#neededBy
      this.#trees = []
      this.#neededBy = []
      while (trees.length > 0) {
        const waiting: number[] = []
        const waitingFor: number[] = []
        for (let k = 0; k < trees.length; k++) {
          if (!this.#tryTree(trees[k]!, neededBy[k]!)) {
            waiting.push(trees[k]!)
            waitingFor.push(neededBy[k]!)
          }
          if (++sinceTurn >= TURN) {
            sinceTurn = 0
            this.#request.onProgress?.(this.objects.size)
            await yieldToHost()
            this.#request.signal?.throwIfAborted()
          }
        }
        trees = waiting
        neededBy = waitingFor
        if (trees.length > 0) await this.#reader.settle()
      }
      if (this.#request.verifyBlobs === true) await this.#verifyBlobs()
    }
    this.#request.onProgress?.(this.objects.size)
  }

  #tryTree(tree: number, neededBy: number): boolean {
    const object = this.#reader.tryRead(this.objects.view(tree))
    if (object === undefined) return false
    if (object === null) throw this.#missing(tree, neededBy)
    if (object.type !== TREE) {
      const id = encodeObjectId(this.objects.view(tree), 0, this.#reader.format)
      throw new GitError('CORRUPT_OBJECT', `object ${id} is named as a tree and is not one`, {
        details: { id },
      })
    }
    const cursor = this.#cursor
    const { body } = object
    const knowing = this.known.size > 0
    const verify = this.#request.verifyBlobs === true
    cursor.reset(body)
    while (cursor.next()) {
      if (isTreeMode(cursor.mode)) {
        this.#addTree(body, cursor.idAt, tree)
      } else if (!isGitlinkMode(cursor.mode)) {
        if (knowing && this.known.has(body, cursor.idAt)) continue
        if (this.#add(body, cursor.idAt, BLOB) && verify) {
          this.#blobs.push(this.objects.size - 1)
          this.#blobTrees.push(tree)
        }
      }
    }
    return true
  }

  async #verifyBlobs(): Promise<void> {
    let blobs = this.#blobs
    let blobTrees = this.#blobTrees
    this.#blobs = []
    this.#blobTrees = []
    while (blobs.length > 0) {
      const waiting: number[] = []
      const waitingTrees: number[] = []
      for (let k = 0; k < blobs.length; k++) {
        const present = this.#reader.tryHas(this.objects.view(blobs[k]!))
        if (present === false) throw this.#missing(blobs[k]!, blobTrees[k]!)
        if (present === undefined) {
          waiting.push(blobs[k]!)
          waitingTrees.push(blobTrees[k]!)
        }
      }
      blobs = waiting
      blobTrees = waitingTrees
      if (blobs.length > 0) await this.#reader.settle()
    }
  }

  #missing(ordinal: number, neededBy: number): GitError {
    const { format } = this.#reader
    const id = encodeObjectId(this.objects.view(ordinal), 0, format)
    const by = neededBy < 0 ? undefined : encodeObjectId(this.objects.view(neededBy), 0, format)
    const type = this.types[ordinal] === TREE ? 'tree' : 'blob'
    return new GitError(
      'MISSING_OBJECT',
      `${type} ${id} is missing${by === undefined ? '' : `, needed by ${by}`}`,
      {
        details: { id, type, neededBy: by },
      },
    )
  }
}
