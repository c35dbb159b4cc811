import { decodeLatin1 } from '../bytes/text.ts'
import { encodeHex } from '../bytes/hex.ts'
import { isGitlinkMode, isTreeMode } from '../object/file-mode.ts'
import type { ObjectReader } from '../object/object-reader.ts'
import { TREE } from '../object/object-type.ts'
import { TreeCursor } from '../object/tree-iterator.ts'

/** The set of objects that the other side has. */
export interface KnownObjects {
  know(bytes: Uint8Array, at?: number): void
  isKnown(bytes: Uint8Array, at?: number): boolean
}

/** Trees that stand at one path, on both sides. */
interface PathGroup {
  /** Raw ids by their hexadecimal form: trees to be sent. */
  readonly wanted: Map<string, Uint8Array>
  /** Trees that the other side has. */
  readonly known: Map<string, Uint8Array>
}

/**
 * Adds to `known` what the trees `knownRoots` contain, as far as it matters for sending `wantedRoots`: a directory of the known
 * side is opened only while some wanted tree at the same path is not known itself. Where a wanted directory has no counterpart
 * and is not known either, its content may have been moved there from anywhere: then everything below `knownRoots` is added.
 */
export async function markKnownTrees(
  reader: ObjectReader,
  wantedRoots: readonly Uint8Array[],
  knownRoots: readonly Uint8Array[],
  known: KnownObjects,
  signal?: AbortSignal,
): Promise<void> {
  const root: PathGroup = { wanted: byHex(wantedRoots), known: byHex(knownRoots) }
  let level: PathGroup[] = [root]
  const unmatched: Uint8Array[] = []
  const cursor = new TreeCursor(reader.format.idLength)
  while (level.length > 0) {
    signal?.throwIfAborted()
    for (const group of level) for (const id of group.known.values()) known.know(id)
    for (const group of level) dropKnown(group.wanted, known)
    level = level.filter((group) => group.wanted.size > 0 && group.known.size > 0)
    const bodies = await readTrees(reader, level)
    const next: PathGroup[] = []
    for (const group of level) {
      const children = new Map<string, PathGroup>()
      for (const hex of group.known.keys()) {
        const body = bodies.get(hex)
        if (body === undefined) continue
        cursor.reset(body)
        while (cursor.next()) {
          if (isGitlinkMode(cursor.mode)) continue
          if (isTreeMode(cursor.mode))
            childOf(children, cursor).known.set(...idOf(cursor, reader.format.idLength))
          known.know(body, cursor.idAt)
        }
      }
      for (const hex of group.wanted.keys()) {
        const body = bodies.get(hex)
        if (body === undefined) continue
        cursor.reset(body)
        while (cursor.next()) {
          if (isTreeMode(cursor.mode))
            childOf(children, cursor).wanted.set(...idOf(cursor, reader.format.idLength))
        }
      }
      for (const child of children.values()) {
        if (child.known.size > 0) next.push(child)
        else unmatched.push(...child.wanted.values())
      }
    }
    level = next
  }
  if (unmatched.some((id) => !known.isKnown(id))) await markEverything(reader, knownRoots, known, signal)
}

/** Adds everything below these trees. */
async function markEverything(
  reader: ObjectReader,
  roots: readonly Uint8Array[],
  known: KnownObjects,
  signal?: AbortSignal,
): Promise<void> {
  const opened = new Set<string>()
  const cursor = new TreeCursor(reader.format.idLength)
  let level = byHex(roots)
  while (level.size > 0) {
    signal?.throwIfAborted()
    const next = new Map<string, Uint8Array>()
    for (const hex of level.keys()) opened.add(hex)
    for (const body of (await readTrees(reader, [{ wanted: new Map(), known: level }])).values()) {
      cursor.reset(body)
      while (cursor.next()) {
        if (isGitlinkMode(cursor.mode)) continue
        known.know(body, cursor.idAt)
        if (!isTreeMode(cursor.mode)) continue
        const [hex, id] = idOf(cursor, reader.format.idLength)
        if (!opened.has(hex)) next.set(hex, id)
      }
    }
    level = next
  }
}

function byHex(ids: readonly Uint8Array[]): Map<string, Uint8Array> {
  return new Map(ids.map((id) => [encodeHex(id), id]))
}

function dropKnown(wanted: Map<string, Uint8Array>, known: KnownObjects): void {
  for (const [hex, id] of wanted) if (known.isKnown(id)) wanted.delete(hex)
}

function childOf(children: Map<string, PathGroup>, cursor: TreeCursor): PathGroup {
  const name = decodeLatin1(cursor.body, cursor.nameStart, cursor.nameEnd)
  let child = children.get(name)
  if (child === undefined) {
    child = { wanted: new Map(), known: new Map() }
    children.set(name, child)
  }
  return child
}

function idOf(cursor: TreeCursor, idLength: number): [string, Uint8Array] {
  const id = cursor.body.slice(cursor.idAt, cursor.idAt + idLength)
  return [encodeHex(id), id]
}

/** Bodies of all trees of these groups by hexadecimal id; what is absent or no tree is left out. */
async function readTrees(
  reader: ObjectReader,
  groups: readonly PathGroup[],
): Promise<Map<string, Uint8Array>> {
  const bodies = new Map<string, Uint8Array>()
  let waiting = new Map<string, Uint8Array>()
  for (const { wanted, known } of groups) {
    for (const [hex, id] of wanted) waiting.set(hex, id)
    for (const [hex, id] of known) waiting.set(hex, id)
  }
  while (waiting.size > 0) {
    const missed = new Map<string, Uint8Array>()
    for (const [hex, id] of waiting) {
      const object = reader.tryRead(id)
      if (object === undefined) missed.set(hex, id)
      else if (object?.type === TREE) bodies.set(hex, object.body)
    }
    waiting = missed
    if (waiting.size > 0) await reader.settle()
  }
  return bodies
}
