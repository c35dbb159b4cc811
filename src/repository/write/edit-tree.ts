import { GitError } from '../../errors.ts'
import { FILE_MODE, isGitlinkMode, isTreeMode, TREE_MODE } from '../../object/file-mode.ts'
import { encodeObjectId, hashObject, parseObjectId, type ObjectId } from '../../object/object-id.ts'
import { readObject } from '../../object/object-reader.ts'
import { BLOB, TREE, type ObjectType } from '../../object/object-type.ts'
import { encodeTree, type TreeEntry } from '../../object/tree.ts'
import { decodeEscapedText } from '../../object/escaped-text.ts'
import { TreeCursor } from '../../object/tree-iterator.ts'
import type { ObjectView } from '../../odb/object-view.ts'
import { stateObject } from '../read/read-typed.ts'
import type { DirectoryEdit, FileEdit, NameEdit } from './file-changes.ts'

/** An object that a change makes. */
export interface MadeObject {
  readonly type: ObjectType
  readonly body: Uint8Array
}

/** The result of editing a tree. */
export type TreeEdit =
  | { readonly kind: 'edited'; readonly tree: ObjectId; readonly made: ReadonlyMap<ObjectId, MadeObject> }
  /** A change is about something that is not there: a path, or a blob. */
  | { readonly kind: 'not-found'; readonly path: string }

/** Thrown within this file to leave the recursion. */
class NotThere extends Error {
  readonly path: string

  constructor(path: string) {
    super(path)
    this.path = path
  }
}

/**
 * Applies changes to a tree. Directories that become empty disappear; what is not changed is not read.
 *
 * @param tree `undefined` for an empty tree.
 * @throws GitError `MISSING_OBJECT`, `CORRUPT_OBJECT`, `INVALID_ARGUMENT`
 */
export async function editTree(
  view: ObjectView,
  tree: ObjectId | undefined,
  edit: DirectoryEdit,
): Promise<TreeEdit> {
  const made = new Map<ObjectId, MadeObject>()
  try {
    const entries = await editDirectory(view, tree, edit, made)
    return { kind: 'edited', tree: make(view, made, TREE, encodeTree(entries, view.format)), made }
  } catch (error) {
    if (error instanceof NotThere) return { kind: 'not-found', path: error.path }
    throw error
  }
}

async function editDirectory(
  view: ObjectView,
  tree: ObjectId | undefined,
  { names }: DirectoryEdit,
  made: Map<ObjectId, MadeObject>,
): Promise<readonly TreeEntry[]> {
  const entries = new Map((await readEntries(view, tree)).map((entry) => [entry.name, entry]))
  for (const [name, edit] of names) {
    const entry = await editName(view, name, entries.get(name), edit, made)
    if (entry === undefined) entries.delete(name)
    else entries.set(name, entry)
  }
  return [...entries.values()]
}

/** The new entry of a name; `undefined` for none. */
async function editName(
  view: ObjectView,
  name: string,
  before: TreeEntry | undefined,
  edit: NameEdit,
  made: Map<ObjectId, MadeObject>,
): Promise<TreeEntry | undefined> {
  if (edit.kind === 'delete') {
    if (before === undefined) throw new NotThere(edit.path)
    return undefined
  }
  if (edit.kind === 'file') return editFile(view, name, before, edit, made)
  const inner = before !== undefined && isTreeMode(before.mode) ? before.id : undefined
  const entries = await editDirectory(view, inner, edit, made)
  if (entries.length === 0) return undefined
  return { mode: TREE_MODE, name, id: make(view, made, TREE, encodeTree(entries, view.format)) }
}

async function editFile(
  view: ObjectView,
  name: string,
  before: TreeEntry | undefined,
  { path, content, mode }: FileEdit,
  made: Map<ObjectId, MadeObject>,
): Promise<TreeEntry> {
  const isFile = before !== undefined && !isTreeMode(before.mode) && !isGitlinkMode(before.mode)
  if (content === undefined) {
    if (!isFile) throw new NotThere(path)
    return { mode: mode ?? before.mode, name, id: before.id }
  }
  const newMode = mode ?? (isFile ? before.mode : FILE_MODE)
  if (typeof content !== 'string') return { mode: newMode, name, id: make(view, made, BLOB, content) }
  const stated = await stateObject(view, parseObjectId(content, view.format))
  if (stated?.type !== BLOB) throw new NotThere(path)
  return { mode: newMode, name, id: content }
}

function make(
  view: ObjectView,
  made: Map<ObjectId, MadeObject>,
  type: ObjectType,
  body: Uint8Array,
): ObjectId {
  const id = encodeObjectId(hashObject(type, body, view.format), 0, view.format)
  made.set(id, { type, body })
  return id
}

async function readEntries(view: ObjectView, tree: ObjectId | undefined): Promise<TreeEntry[]> {
  if (tree === undefined) return []
  const object = await readObject(view, parseObjectId(tree, view.format))
  if (object?.type !== TREE) {
    const code = object === null ? 'MISSING_OBJECT' : 'CORRUPT_OBJECT'
    throw new GitError(code, `tree ${tree} is ${object === null ? 'missing' : 'an object of another type'}`, {
      details: { id: tree, type: 'tree' },
    })
  }
  const cursor = new TreeCursor(view.format.idLength)
  cursor.reset(object.body)
  const entries: TreeEntry[] = []
  while (cursor.next()) {
    const { body, mode, nameStart, nameEnd, idAt } = cursor
    const name = decodeEscapedText(body.subarray(nameStart, nameEnd))
    entries.push({ mode, name, id: encodeObjectId(body, idAt, view.format) })
  }
  return entries
}
