import { GitError } from '../errors.ts'
import { parseCommitLinks } from '../object/commit-links.ts'
import { isGitlinkMode, isTreeMode } from '../object/file-mode.ts'
import { IdTable } from '../object/id-table.ts'
import { encodeObjectId } from '../object/object-id.ts'
import type { RawObject } from '../object/object-reader.ts'
import { BLOB, COMMIT, objectTypeName, TAG, TREE, type ObjectType } from '../object/object-type.ts'
import { parseTagTarget } from '../object/tag-target.ts'
import { TreeCursor } from '../object/tree-iterator.ts'
import type { ObjectSource } from './object-source.ts'
import { INCLUDED, KNOWN, ReachabilityMarks } from './reachability-marks.ts'

/** Objects read between two reports. */
const TURN = 16384

/** An object that has to be read: its ordinal in `objects`, and that of the raw id of who needs it. */
interface Waiting {
  readonly ordinal: number
  readonly neededBy: Uint8Array | undefined
}

/**
 * Collects included and known objects, following trees: as numbers where reachability is written down, by reading them elsewhere.
 *
 * What is known must be marked before anything is included.
 */
export class ObjectWalk {
  readonly marks: ReachabilityMarks
  readonly objects: IdTable
  readonly types: ObjectType[] = []
  readonly known: IdTable
  readonly boundaryTrees: Uint8Array[] = []
  readonly #source: ObjectSource
  readonly #verifyBlobs: boolean
  readonly #cursor: TreeCursor
  /** Whether objects of unknown type are followed when they are commits or tags. */
  #followsHistory = false
  /** Trees of which only the name was seen. */
  #trees: Waiting[] = []
  /** Objects of unknown type, and blobs to be verified. */
  #others: Waiting[] = []

  constructor(source: ObjectSource, verifyBlobs: boolean) {
    const { idLength } = source.format
    this.#source = source
    this.#verifyBlobs = verifyBlobs
    this.#cursor = new TreeCursor(idLength)
    this.marks = new ReachabilityMarks(source.reachability)
    this.objects = new IdTable(idLength)
    this.known = new IdTable(idLength)
  }

  /** How many objects are included so far. */
  get found(): number {
    return this.marks.includedCount + this.objects.size
  }

  /** Marks one object as known, and where reachability is written down everything below it if it is a tree. */
  know(id: Uint8Array, at = 0): void {
    const node = this.marks.set.find(id, at)
    if (node === undefined) this.known.add(id, at)
    else this.marks.mark(node, KNOWN, this.#knowOutside)
  }

  readonly #knowOutside = (id: Uint8Array): void => {
    this.known.add(id)
  }

  /** Marks a tree and everything below it as known; false when that is not written down. */
  knowTree(id: Uint8Array): boolean {
    const node = this.marks.set.find(id)
    if (node === undefined) return false
    this.marks.mark(node, KNOWN, this.#knowOutside)
    return true
  }

  /** Whether an object is known. */
  isKnown(id: Uint8Array, at = 0): boolean {
    const node = this.marks.set.find(id, at)
    return node === undefined ? this.known.has(id, at) : this.marks.has(node, KNOWN)
  }

  /** Includes one object, and nothing below it. */
  includeAlone(bytes: Uint8Array, at: number, type: ObjectType): void {
    const node = this.marks.set.find(bytes, at)
    if (node !== undefined) this.marks.markAlone(node.pack, node.position, INCLUDED)
    else if (!this.known.has(bytes, at)) this.#add(bytes, at, type)
  }

  /** Includes an object that is not a tree. */
  include(id: Uint8Array, type: ObjectType): void {
    const node = this.marks.set.find(id)
    if (node !== undefined) this.marks.mark(node, INCLUDED, this.#includeOutside)
    else if (!this.known.has(id)) this.#add(id, 0, type)
  }

  /** Includes a tree and, at the latest in `finish`, everything below it. */
  includeTree(id: Uint8Array, neededBy: Uint8Array | undefined): void {
    this.#includeTreeAt(id, 0, neededBy)
  }

  #includeTreeAt(bytes: Uint8Array, at: number, neededBy: Uint8Array | undefined): void {
    const node = this.marks.set.find(bytes, at)
    if (node !== undefined) {
      this.marks.markLater(node, INCLUDED)
    } else if (!this.known.has(bytes, at) && this.#add(bytes, at, TREE)) {
      this.#trees.push({ ordinal: this.objects.size - 1, neededBy })
    }
  }

  /**
   * Includes all that is in packs whose reachability is written down, without a walk, if that is just what these objects reach, with
   * all history. Only before anything else is marked.
   */
  tryIncludeEverything(ids: readonly Uint8Array[]): boolean {
    const { set } = this.marks
    const { tips } = set
    if (tips === undefined || tips.size > ids.length) return false
    const given = new IdTable(tips.idLength, ids.length)
    for (const id of ids) {
      if (set.find(id) === undefined) return false
      given.add(id)
    }
    for (let tip = 0; tip < tips.size; tip++) if (!given.has(tips.ids, tip * tips.idLength)) return false
    this.marks.includeAll()
    return true
  }

  /** Includes an object of any type and, at the latest in `finish`, everything it reaches, history and tagged objects too. */
  includeHistory(id: Uint8Array, neededBy?: Uint8Array): void {
    this.#followsHistory = true
    const node = this.marks.set.find(id)
    if (node !== undefined) this.marks.includeHistory(node, this.#includeOutside)
    else this.#includeOutside(id, neededBy, COMMIT)
  }

  /** An object that a pack names and that is elsewhere; what it is shows when it is read. */
  readonly #includeOutside = (
    id: Uint8Array,
    neededBy: Uint8Array | undefined,
    type: ObjectType = BLOB,
  ): void => {
    if (this.known.has(id) || !this.#add(id, 0, type)) return
    const waiting = { ordinal: this.objects.size - 1, neededBy: neededBy?.slice() }
    if (type === TREE) this.#trees.push(waiting)
    else this.#others.push(waiting)
  }

  #add(bytes: Uint8Array, at: number, type: ObjectType): boolean {
    const before = this.objects.size
    if (this.objects.add(bytes, at) !== before) return false
    this.types.push(type)
    return true
  }

  /**
   * Reads what is not written down, level by level; what is not resident in a level is fetched together.
   *
   * @param report is awaited now and then.
   * @throws GitError `MISSING_OBJECT`, `CORRUPT_OBJECT`
   */
  async finish(report: (found: number) => Promise<void>): Promise<void> {
    let sinceReport = 0
    this.marks.markBelow(this.#includeOutside)
    while (this.#trees.length > 0 || this.#others.length > 0) {
      let trees = this.#trees
      let others = this.#others
      this.#trees = []
      this.#others = []
      while (trees.length > 0 || others.length > 0) {
        const waitingTrees: Waiting[] = []
        for (const waiting of trees) {
          if (!this.#tryTree(waiting)) waitingTrees.push(waiting)
          if (++sinceReport < TURN) continue
          sinceReport = 0
          await report(this.found)
        }
        const waitingOthers = others.filter((waiting) => !this.#tryOther(waiting))
        trees = waitingTrees
        others = waitingOthers
        if (trees.length > 0 || others.length > 0) await this.#source.settle()
      }
      this.marks.markBelow(this.#includeOutside)
    }
  }

  #tryTree(waiting: Waiting): boolean {
    const object = this.#source.tryRead(this.objects.view(waiting.ordinal))
    if (object === undefined) return false
    if (object === null) throw this.#missing(waiting)
    if (object.type !== TREE) {
      const id = encodeObjectId(this.objects.view(waiting.ordinal), 0, this.#source.format)
      throw new GitError('CORRUPT_OBJECT', `object ${id} is named as a tree and is not one`, {
        details: { id },
      })
    }
    this.#includeEntries(object, waiting.ordinal)
    return true
  }

  #includeEntries({ body }: RawObject, tree: number): void {
    const cursor = this.#cursor
    const neededBy = this.objects.id(tree)
    cursor.reset(body)
    while (cursor.next()) {
      if (isTreeMode(cursor.mode)) {
        this.#includeTreeAt(body, cursor.idAt, neededBy)
      } else if (!isGitlinkMode(cursor.mode)) {
        const node = this.marks.set.find(body, cursor.idAt)
        if (node !== undefined) this.marks.markLater(node, INCLUDED)
        else if (
          !this.known.has(body, cursor.idAt) &&
          this.#add(body, cursor.idAt, BLOB) &&
          this.#verifyBlobs
        ) {
          this.#others.push({ ordinal: this.objects.size - 1, neededBy })
        }
      }
    }
  }

  /** Looks at an object that is a blob as far as is known. */
  #tryOther(waiting: Waiting): boolean {
    const object = this.#source.tryRead(this.objects.view(waiting.ordinal))
    if (object === undefined) return false
    if (object === null) throw this.#missing(waiting)
    this.types[waiting.ordinal] = object.type
    if (object.type === TREE) this.#includeEntries(object, waiting.ordinal)
    else if (this.#followsHistory && object.type === COMMIT) {
      const { tree, parents } = parseCommitLinks(object.body, this.#source.format)
      this.includeTree(tree, this.objects.id(waiting.ordinal))
      for (const parent of parents) this.includeHistory(parent, this.objects.id(waiting.ordinal))
    } else if (this.#followsHistory && object.type === TAG) {
      this.includeHistory(
        parseTagTarget(object.body, this.#source.format).id,
        this.objects.id(waiting.ordinal),
      )
    }
    return true
  }

  #missing({ ordinal, neededBy }: Waiting): GitError {
    const { format } = this.#source
    const id = encodeObjectId(this.objects.view(ordinal), 0, format)
    const by = neededBy === undefined ? undefined : encodeObjectId(neededBy, 0, format)
    const type = objectTypeName(this.types[ordinal]!)
    return new GitError(
      'MISSING_OBJECT',
      `${type} ${id} is missing${by === undefined ? '' : `, needed by ${by}`}`,
      {
        details: { id, type, neededBy: by },
      },
    )
  }
}
