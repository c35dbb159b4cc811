import { isGitlinkMode, isTreeMode } from './file-mode.ts'
import type { ObjectFormat } from './object-format.ts'
import type { RawObject } from './object-reader.ts'
import { parseCommitLinks } from './commit-links.ts'
import { BLOB, COMMIT, TAG, TREE, type ObjectType } from './object-type.ts'
import { parseTagTarget } from './tag-target.ts'
import { TreeCursor } from './tree-iterator.ts'

/** Tells of an object that another one names: its raw id, not to be kept, and its type. */
export type LinkVisitor = (id: Uint8Array, type: ObjectType) => void

/**
 * Tells of everything that an object names; commits of submodules are of other repositories.
 *
 * @throws GitError `CORRUPT_OBJECT`
 */
export function visitLinks(object: RawObject, format: ObjectFormat, visit: LinkVisitor): void {
  if (object.type === COMMIT) {
    const { tree, parents } = parseCommitLinks(object.body, format)
    visit(tree, TREE)
    for (const parent of parents) visit(parent, COMMIT)
  } else if (object.type === TAG) {
    const { id, type } = parseTagTarget(object.body, format)
    visit(id, type)
  } else if (object.type === TREE) {
    const { idLength } = format
    const cursor = new TreeCursor(idLength, object.body)
    while (cursor.next()) {
      if (isGitlinkMode(cursor.mode)) continue
      const id = object.body.subarray(cursor.idAt, cursor.idAt + idLength)
      visit(id, isTreeMode(cursor.mode) ? TREE : BLOB)
    }
  }
}
