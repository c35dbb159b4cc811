import { encodeHex } from '../../bytes/hex.ts'
import { decodeLatin1 } from '../../bytes/text.ts'
import { isGitlinkMode, isTreeMode } from '../../object/file-mode.ts'
import { IdTable } from '../../object/id-table.ts'
import type { ObjectReader } from '../../object/object-reader.ts'
import { BLOB, TREE, type ObjectType } from '../../object/object-type.ts'
import { TreeCursor } from '../../object/tree-iterator.ts'
import { enterDirectory, extendPathHash, ROOT_PATH_HASH } from '../../pack/path-hash.ts'
import { ROOT, type SentParents } from './sent-parents.ts'

/** The number of the path of root trees. */
const ROOT_PATH = 1

/** Where objects stand, and what stands there on the other side. */
export interface NamedPaths {
  /** By ordinal of the objects that were asked for: hash of the path, 0 for objects that no tree names. */
  readonly pathHashes: Uint32Array
  /** A number for each path, 0 for no path. */
  readonly paths: Uint32Array
  /** Objects that the other side has at the same paths, of the same type. */
  readonly known: IdTable
  readonly knownTypes: readonly ObjectType[]
  readonly knownHashes: readonly number[]
  readonly knownPaths: readonly number[]
}

/** Trees at one path. */
interface PathGroup {
  readonly hash: number
  /** Numbers of trees that are sent. */
  readonly sent: Set<number>
  /** Trees that the other side has there, by hexadecimal id. */
  readonly known: Map<string, Uint8Array>
}

/** What is met under one name in the trees of a group. */
interface Met {
  readonly mode: number
  readonly hash: number
  /** Number of the path. */
  readonly path: number
  /** Whether an object of this name was asked for. */
  asked: boolean
  /** Numbers of trees of this name to go on into. */
  readonly trees: Set<number>
}

/**
 * Finds the paths of objects that are to be sent, by reading only the trees that lead to them, and what trees of the other side have
 * at these paths.
 *
 * @param objects raw ids of trees and blobs that are to be sent.
 * @param knownRoots root trees that the other side has.
 * @param knowsBlobs whether it has the blobs in them, too.
 */
export async function namePaths(
  reader: ObjectReader,
  parents: SentParents,
  objects: IdTable,
  knownRoots: readonly Uint8Array[],
  knowsBlobs: boolean,
): Promise<NamedPaths> {
  const naming = new PathNaming(parents, objects, knowsBlobs)
  let level = naming.roots(knownRoots)
  while (level.length > 0) level = naming.open(level, await readTrees(reader, naming.bodiesOf(level)))
  return naming
}

class PathNaming implements NamedPaths {
  readonly pathHashes: Uint32Array
  readonly paths: Uint32Array
  readonly known: IdTable
  readonly knownTypes: ObjectType[] = []
  readonly knownHashes: number[] = []
  readonly knownPaths: number[] = []
  #pathCount = ROOT_PATH
  readonly #parents: SentParents
  readonly #objects: IdTable
  /** Trees on the way to what was asked for. */
  readonly #onTheWay = new Set<number>()
  readonly #roots = new Set<number>()
  /** Ids of all these, and of what was asked for. */
  readonly #targets: IdTable
  readonly #named = new Set<number>()
  readonly #cursor: TreeCursor

  readonly #knowsBlobs: boolean

  constructor(parents: SentParents, objects: IdTable, knowsBlobs: boolean) {
    this.#knowsBlobs = knowsBlobs
    const { idLength, size } = objects
    this.#parents = parents
    this.#objects = objects
    this.#cursor = new TreeCursor(idLength)
    this.pathHashes = new Uint32Array(size)
    this.paths = new Uint32Array(size)
    this.known = new IdTable(idLength)
    this.#targets = new IdTable(idLength, 2 * size)
    for (let ordinal = 0; ordinal < size; ordinal++) this.#climb(objects.view(ordinal))
  }

  #climb(id: Uint8Array): void {
    this.#targets.add(id)
    let at = this.#parents.find(id)
    for (;;) {
      const parent = this.#parents.parent(at)
      if (parent === undefined) return
      if (parent === ROOT) {
        this.#roots.add(at)
        return
      }
      if (this.#onTheWay.has(parent)) return
      this.#onTheWay.add(parent)
      this.#targets.add(this.#parents.id(parent))
      at = parent
    }
  }

  roots(knownRoots: readonly Uint8Array[]): PathGroup[] {
    const known = new Map(knownRoots.map((id) => [encodeHex(id), id]))
    for (const number of this.#roots) {
      const ordinal = this.#objects.find(this.#parents.id(number))
      if (ordinal < 0) continue
      this.paths[ordinal] = ROOT_PATH
      for (const id of known.values()) this.#addKnown(id, 0, TREE, ROOT_PATH_HASH, ROOT_PATH)
    }
    return [{ hash: ROOT_PATH_HASH, sent: this.#roots, known }]
  }

  /** Ids, by hexadecimal id, of the trees of these groups. */
  bodiesOf(level: readonly PathGroup[]): Map<string, Uint8Array> {
    const ids = new Map<string, Uint8Array>()
    for (const { sent, known } of level) {
      for (const number of sent) {
        if (!this.#onTheWay.has(number)) continue
        const id = this.#parents.id(number)
        ids.set(encodeHex(id), id.slice())
      }
      for (const [hex, id] of known) ids.set(hex, id)
    }
    return ids
  }

  /** Opens the trees of these groups; returns the groups of the directories in them that lead further. */
  open(level: readonly PathGroup[], bodies: ReadonlyMap<string, Uint8Array>): PathGroup[] {
    const next: PathGroup[] = []
    for (const group of level) {
      const names = new Map<string, Met>()
      for (const number of group.sent) {
        const body = this.#onTheWay.has(number) ? bodies.get(encodeHex(this.#parents.id(number))) : undefined
        if (body !== undefined) this.#meet(body, enterOrRoot(group.hash), names)
      }
      if (names.size === 0) continue
      const inside = new Map<string, PathGroup>()
      for (const [name, { hash, trees }] of names)
        if (trees.size > 0) inside.set(name, { hash, sent: trees, known: new Map() })
      for (const hex of group.known.keys()) {
        const body = bodies.get(hex)
        if (body !== undefined) this.#compare(body, names, inside)
      }
      next.push(...inside.values())
    }
    return next
  }

  /** Names what a tree that is sent has of the targets. */
  #meet(body: Uint8Array, from: number, names: Map<string, Met>): void {
    const cursor = this.#cursor
    cursor.reset(body)
    while (cursor.next()) {
      const { idAt, mode, nameStart, nameEnd } = cursor
      if (isGitlinkMode(mode)) continue
      const target = this.#targets.find(body, idAt)
      if (target < 0 || this.#named.has(target)) continue
      this.#named.add(target)
      const name = decodeLatin1(body, nameStart, nameEnd)
      const hash = extendPathHash(from, body, nameStart, nameEnd)
      let met = names.get(name)
      if (met === undefined) {
        met = { mode, hash, path: ++this.#pathCount, asked: false, trees: new Set() }
        names.set(name, met)
      }
      const ordinal = this.#objects.find(body, idAt)
      if (ordinal >= 0) {
        this.pathHashes[ordinal] = hash
        this.paths[ordinal] = met.path
        met.asked = true
      }
      const number = this.#parents.find(body, idAt)
      if (isTreeMode(mode) && this.#onTheWay.has(number)) met.trees.add(number)
    }
  }

  /** Finds under the same names what a tree of the other side has. */
  #compare(body: Uint8Array, names: ReadonlyMap<string, Met>, inside: ReadonlyMap<string, PathGroup>): void {
    const cursor = this.#cursor
    cursor.reset(body)
    while (cursor.next()) {
      const { idAt, mode, nameStart, nameEnd } = cursor
      if (isGitlinkMode(mode)) continue
      const name = decodeLatin1(body, nameStart, nameEnd)
      const met = names.get(name)
      if (met === undefined) continue
      const isTree = isTreeMode(mode)
      if (met.asked && isTree === isTreeMode(met.mode) && (isTree || this.#knowsBlobs))
        this.#addKnown(body, idAt, isTree ? TREE : BLOB, met.hash, met.path)
      if (!isTree) continue
      const id = body.slice(idAt, idAt + this.#objects.idLength)
      inside.get(name)?.known.set(encodeHex(id), id)
    }
  }

  #addKnown(bytes: Uint8Array, at: number, type: ObjectType, hash: number, path: number): void {
    const before = this.known.size
    if (this.#objects.has(bytes, at) || this.known.add(bytes, at) !== before) return
    this.knownTypes.push(type)
    this.knownHashes.push(hash)
    this.knownPaths.push(path)
  }
}

/** What the hashes of paths in a directory go on from. */
function enterOrRoot(hash: number): number {
  return hash === ROOT_PATH_HASH ? ROOT_PATH_HASH : enterDirectory(hash)
}

/** Bodies of trees by hexadecimal id; what is absent or no tree is left out. */
async function readTrees(
  reader: ObjectReader,
  ids: ReadonlyMap<string, Uint8Array>,
): Promise<Map<string, Uint8Array>> {
  const bodies = new Map<string, Uint8Array>()
  let waiting = [...ids]
  while (waiting.length > 0) {
    waiting = waiting.filter(([hex, id]) => {
      const object = reader.tryRead(id)
      if (object?.type === TREE) bodies.set(hex, object.body)
      return object === undefined
    })
    if (waiting.length > 0) await reader.settle()
  }
  return bodies
}
