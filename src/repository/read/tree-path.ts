import { equalBytes } from '../../bytes/compare.ts'
import { GitError, isGitError } from '../../errors.ts'
import { encodeEscapedText } from '../../object/escaped-text.ts'
import { isTreeMode, TREE_MODE } from '../../object/file-mode.ts'
import { encodeObjectId, type ObjectId } from '../../object/object-id.ts'
import { readObject } from '../../object/object-reader.ts'
import { TREE } from '../../object/object-type.ts'
import { TreeCursor } from '../../object/tree-iterator.ts'
import type { ObjectView } from '../../odb/object-view.ts'

/** What is at a path. */
export interface PathEntry {
  readonly mode: number
  readonly id: ObjectId
}

/**
 * The names on the way along a path: empty segments and `.` are dropped. `undefined` for what can be no path in a repository: one with
 * `..`, with NUL, or without encoding.
 */
export function parseTreePath(path: string): readonly Uint8Array[] | undefined {
  const segments = path.split('/').filter((segment) => segment !== '' && segment !== '.')
  if (segments.some((segment) => segment === '..' || segment.includes('\0'))) return undefined
  try {
    return segments.map(encodeEscapedText)
  } catch (error) {
    if (isGitError(error, 'INVALID_ARGUMENT')) return undefined
    throw error
  }
}

/**
 * Finds what is at a path below a tree; the tree itself for an empty path, `undefined` where there is nothing.
 *
 * @param tree raw id.
 * @throws GitError `MISSING_OBJECT`, `CORRUPT_OBJECT`
 */
export async function findPath(
  view: ObjectView,
  tree: Uint8Array,
  path: readonly Uint8Array[],
): Promise<PathEntry | undefined> {
  const cursor = new TreeCursor(view.format.idLength)
  let mode = TREE_MODE
  let id = tree
  for (const name of path) {
    if (!isTreeMode(mode)) return undefined
    cursor.reset(await readTreeBody(view, id))
    if (!findName(cursor, name)) return undefined
    mode = cursor.mode
    id = cursor.body.slice(cursor.idAt, cursor.idAt + view.format.idLength)
  }
  return { mode, id: encodeObjectId(id, 0, view.format) }
}

/** Moves to the entry of this name; false when there is none. */
function findName(cursor: TreeCursor, name: Uint8Array): boolean {
  while (cursor.next()) {
    const { body, nameStart, nameEnd } = cursor
    if (nameEnd - nameStart === name.length && equalBytes(body.subarray(nameStart, nameEnd), name))
      return true
  }
  return false
}

/** Reads a tree that something names. */
async function readTreeBody(view: ObjectView, id: Uint8Array): Promise<Uint8Array> {
  const object = await readObject(view, id)
  if (object?.type === TREE) return object.body
  const hex = encodeObjectId(id, 0, view.format)
  const code = object === null ? 'MISSING_OBJECT' : 'CORRUPT_OBJECT'
  throw new GitError(code, `tree ${hex} is ${object === null ? 'missing' : 'an object of another type'}`, {
    details: { id: hex, type: 'tree' },
  })
}
