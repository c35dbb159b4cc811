import { decodeUtf8 } from '../../bytes/text.ts'
import {
  EXECUTABLE_MODE,
  FILE_MODE,
  GITLINK_MODE,
  isFileMode,
  isSymlinkMode,
  isTreeMode,
  SYMLINK_MODE,
  TREE_MODE,
} from '../../object/file-mode.ts'
import type { ObjectFormat } from '../../object/object-format.ts'
import { encodeObjectId } from '../../object/object-id.ts'
import { TreeCursor } from '../../object/tree-iterator.ts'

/** An entry of a tree as clients of the hub see it. */
export interface TreeListingEntry {
  /** Bytes that are not UTF-8 are U+FFFD. */
  readonly name: string
  /** Octal, without zeros in front. */
  readonly mode: string
  readonly hash: string
  readonly type: EntryKind
}

export type EntryKind = 'tree' | 'blob' | 'exec' | 'symlink' | 'gitlink'

/**
 * Lists one level of a tree, in its order.
 *
 * @throws GitError `CORRUPT_OBJECT`
 */
export function parseTreeListing(body: Uint8Array, format: ObjectFormat): TreeListingEntry[] {
  const cursor = new TreeCursor(format.idLength)
  cursor.reset(body)
  const entries: TreeListingEntry[] = []
  while (cursor.next()) {
    const mode = canonicalMode(cursor.mode)
    entries.push({
      name: decodeUtf8(body.subarray(cursor.nameStart, cursor.nameEnd)),
      mode: mode.toString(8),
      hash: encodeObjectId(body, cursor.idAt, format),
      type: KINDS[mode] ?? 'blob',
    })
  }
  return entries
}

/** The mode that git writes today for what an entry is: early tools wrote others. */
export function canonicalMode(mode: number): number {
  if (isTreeMode(mode)) return TREE_MODE
  if (isSymlinkMode(mode)) return SYMLINK_MODE
  if (!isFileMode(mode)) return GITLINK_MODE
  return (mode & 0o100) === 0 ? FILE_MODE : EXECUTABLE_MODE
}

const KINDS: Readonly<Record<number, EntryKind>> = {
  [TREE_MODE]: 'tree',
  [FILE_MODE]: 'blob',
  [EXECUTABLE_MODE]: 'exec',
  [SYMLINK_MODE]: 'symlink',
  [GITLINK_MODE]: 'gitlink',
}
