import type { Enumeration } from '../../graph/enumerate-objects.ts'
import { INCLUDED, KNOWN } from '../../graph/reachability-marks.ts'
import { parseCommitLinks } from '../../object/commit-links.ts'
import { isGitlinkMode } from '../../object/file-mode.ts'
import type { ObjectReader, RawObject } from '../../object/object-reader.ts'
import { COMMIT, TREE } from '../../object/object-type.ts'
import { TreeCursor } from '../../object/tree-iterator.ts'

/** The parent of a root tree. */
export const ROOT = -1

/**
 * For trees and blobs that are to be sent, one tree each that names them and is to be sent too: the way up to a path.
 *
 * Objects are numbered: those in packs whose reachability is written down by pack and position, then those elsewhere by ordinal. A
 * tree that is stored as a delta on one that is sent, or known, too counts only with what it has more, so no tree is read whose
 * entries are written down.
 */
export class SentParents {
  readonly #enumeration: Enumeration
  /** The number of the first object of each pack, and of the first one elsewhere. */
  readonly #starts: number[]
  readonly #parents = new Map<number, number>()
  readonly #cursor: TreeCursor

  private constructor(enumeration: Enumeration) {
    this.#enumeration = enumeration
    this.#starts = [0]
    for (const marks of enumeration.marks.marks) this.#starts.push(this.#starts.at(-1)! + marks.length)
    this.#cursor = new TreeCursor(enumeration.objects.idLength)
  }

  /** Looks through everything that is to be sent. Trees that are not written down are read. */
  static async find(reader: ObjectReader, enumeration: Enumeration): Promise<SentParents> {
    const parents = new SentParents(enumeration)
    enumeration.marks.set.packs.forEach((_, pack) => {
      parents.#addPack(pack)
    })
    let waiting = enumeration.types.map((_, ordinal) => ordinal)
    while (waiting.length > 0) {
      waiting = waiting.filter((ordinal) => !parents.#tryAddOutside(reader, ordinal))
      if (waiting.length > 0) await reader.settle()
    }
    return parents
  }

  /** The number of an object that is to be sent, -1 for others. */
  find(bytes: Uint8Array, at = 0): number {
    const { marks, objects } = this.#enumeration
    const node = marks.set.find(bytes, at)
    if (node !== undefined) return marks.has(node, INCLUDED) ? this.#starts[node.pack]! + node.position : -1
    const ordinal = objects.find(bytes, at)
    return ordinal < 0 ? -1 : this.#starts.at(-1)! + ordinal
  }

  /** The raw id of an object. A view. */
  id(number: number): Uint8Array {
    const { marks, objects } = this.#enumeration
    const outside = number - this.#starts.at(-1)!
    if (outside >= 0) return objects.view(outside)
    let pack = this.#starts.length - 2
    while (this.#starts[pack]! > number) pack--
    return marks.set.id(pack, number - this.#starts[pack]!)
  }

  /** The number of the tree that names an object, {@link ROOT} for a root tree, `undefined` when none is known. */
  parent(number: number): number | undefined {
    return this.#parents.get(number)
  }

  #addPack(pack: number): void {
    const { marks } = this.#enumeration
    const included = marks.marks[pack]!
    const { reachability } = marks.set.packs[pack]!
    const start = this.#starts[pack]!
    for (let position = 0; position < included.length; position++) {
      if ((included[position]! & INCLUDED) === 0) continue
      const type = reachability.type(position)
      if (type === TREE) this.#addTree(pack, position)
      else if (type === COMMIT)
        this.#addNode(pack, reachability.edges[reachability.edgeStarts[position]!]!, ROOT, start)
    }
  }

  /** Adds what a tree has more than the next marked tree in its chain of deltas. */
  #addTree(pack: number, tree: number): void {
    const { marks } = this.#enumeration
    const { edgeStarts, edges, bases } = marks.set.packs[pack]!.reachability
    const marked = marks.marks[pack]!
    const start = this.#starts[pack]!
    let removed: Map<number, number> | undefined
    for (let at = tree; ; at = bases[at]!) {
      const end = edgeStarts[at + 1]!
      for (let edge = edgeStarts[at]!; edge < end; edge++) {
        const node = edges[edge]!
        if (node < 0) continue
        const times = removed?.get(node) ?? 0
        if (times > 0) removed!.set(node, times - 1)
        else this.#addNode(pack, node, start + tree, start)
      }
      const base = bases[at]!
      if (base < 0 || (marked[base]! & (INCLUDED | KNOWN)) !== 0) return
      removed ??= new Map()
      for (let edge = edgeStarts[at]!; edge < end; edge++) {
        const node = ~edges[edge]!
        if (node >= 0) removed.set(node, (removed.get(node) ?? 0) + 1)
      }
    }
  }

  #addNode(pack: number, node: number, parent: number, start: number): void {
    const { marks } = this.#enumeration
    const marked = marks.marks[pack]!
    if (node < marked.length) {
      if ((marked[node]! & INCLUDED) !== 0) {
        this.#add(start + node, parent)
        return
      }
      if (!marks.set.isHidden(pack, node) && marks.set.standIn(pack, node) === undefined) return
    }
    this.#add(this.find(marks.set.id(pack, node)), parent)
  }

  #add(number: number, parent: number): void {
    if (number >= 0 && !this.#parents.has(number)) this.#parents.set(number, parent)
  }

  #tryAddOutside(reader: ObjectReader, ordinal: number): boolean {
    const { types, objects } = this.#enumeration
    if (types[ordinal] !== TREE && types[ordinal] !== COMMIT) return true
    const object = reader.tryRead(objects.view(ordinal))
    if (object === undefined) return false
    if (object !== null) this.#addBody(reader, object, this.#starts.at(-1)! + ordinal)
    return true
  }

  #addBody(reader: ObjectReader, { type, body }: RawObject, number: number): void {
    if (type === COMMIT) this.#add(this.find(parseCommitLinks(body, reader.format).tree), ROOT)
    if (type !== TREE) return
    const cursor = this.#cursor
    cursor.reset(body)
    while (cursor.next()) if (!isGitlinkMode(cursor.mode)) this.#add(this.find(body, cursor.idAt), number)
  }
}
