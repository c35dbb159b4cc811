import { GitError } from '../../errors.ts'
import { encodeEscapedText } from '../../object/escaped-text.ts'
import { decodeLatin1 } from '../../bytes/text.ts'
import { isDotGit, isNtfsDotGit } from '../../object/fsck-dot-names.ts'
import { EXECUTABLE_MODE, FILE_MODE, SYMLINK_MODE } from '../../object/file-mode.ts'
import { isObjectId, type ObjectId } from '../../object/object-id.ts'
import type { ObjectFormat } from '../../object/object-format.ts'

/** What a file can be: plain, executable, or a symbolic link whose content is its target. */
export type FileModeText = '100644' | '100755' | '120000'

/** One change of a commit. A path is `/`-separated, without `.`, `..`, `.git` and empty segments. */
export type FileChange =
  /** Writes a file, also where a directory was. The mode of a file that was there stays unless one is given. */
  | { readonly path: string; readonly content: Uint8Array | string; readonly mode?: FileModeText }
  /** Puts a blob that is in the repository already at a path: for copies and moves without their bytes. */
  | { readonly path: string; readonly blob: ObjectId; readonly mode?: FileModeText }
  /** Changes the mode of a file that is there. */
  | { readonly path: string; readonly mode: FileModeText }
  /** Removes a file, or a directory with all that is in it. */
  | { readonly path: string; readonly delete: true }

/** What becomes of one name in a directory. */
export type NameEdit = FileEdit | DirectoryEdit | { readonly kind: 'delete'; readonly path: string }

export interface FileEdit {
  readonly kind: 'file'
  readonly path: string
  /** The bytes, or the id of a blob that is there; `undefined` to keep what is there. */
  readonly content: Uint8Array | ObjectId | undefined
  readonly mode: number | undefined
}

export interface DirectoryEdit {
  readonly kind: 'directory'
  readonly names: Map<string, NameEdit>
}

const MODES: Readonly<Record<FileModeText, number>> = {
  '100644': FILE_MODE,
  '100755': EXECUTABLE_MODE,
  '120000': SYMLINK_MODE,
}

/**
 * Sorts changes into the directories they belong to.
 *
 * @throws GitError `INVALID_ARGUMENT` for a path that no repository may have, two changes of one path, a path below another's file, or an
 * unknown mode; `INVALID_ID`
 */
export function planFileChanges(changes: readonly FileChange[], format: ObjectFormat): DirectoryEdit {
  const root: DirectoryEdit = { kind: 'directory', names: new Map() }
  for (const change of changes) {
    const segments = parseWritePath(change.path)
    const name = segments.pop()
    if (name === undefined) throw badPath(change.path, 'it is empty')
    let directory = root
    for (const segment of segments) {
      const inner: NameEdit = directory.names.get(segment) ?? { kind: 'directory', names: new Map() }
      if (inner.kind !== 'directory')
        throw badPath(change.path, `another change is about '${inner.path}', which it lies in`)
      directory.names.set(segment, inner)
      directory = inner
    }
    if (directory.names.has(name))
      throw badPath(change.path, 'another change is about the same path or one below it')
    directory.names.set(name, editOf(change, format))
  }
  return root
}

function editOf(change: FileChange, format: ObjectFormat): NameEdit {
  const { path } = change
  if ('delete' in change) return { kind: 'delete', path }
  const mode = change.mode === undefined ? undefined : modeOf(path, change.mode)
  if ('content' in change) {
    const content = typeof change.content === 'string' ? encodeEscapedText(change.content) : change.content
    return { kind: 'file', path, content, mode }
  }
  if ('blob' in change) {
    if (!isObjectId(change.blob, format))
      throw new GitError('INVALID_ID', `'${change.blob.slice(0, 80)}' for '${path}' is not an object id`)
    return { kind: 'file', path, content: change.blob, mode }
  }
  return { kind: 'file', path, content: undefined, mode }
}

function modeOf(path: string, text: string): number {
  if (isModeText(text)) return MODES[text]
  throw badPath(path, `its mode is '${text}'; expected 100644, 100755 or 120000`)
}

function isModeText(text: string): text is FileModeText {
  return Object.hasOwn(MODES, text)
}

/** The segments of a path that may be written: none that any system may take for `.git`, as git's fsck has it. */
function parseWritePath(path: string): string[] {
  const segments = path.split('/')
  for (const segment of segments) {
    if (segment === '') throw badPath(path, 'it has an empty segment, or a slash at its beginning or end')
    if (segment === '.' || segment === '..') throw badPath(path, `it has a segment '${segment}'`)
    if (segment.includes('\0')) throw badPath(path, 'it has a NUL')
    const bytes = encodeEscapedText(segment)
    const name = decodeLatin1(bytes)
    const isHidden = isDotGit(name) || name.split('\\').some(isNtfsDotGit)
    if (isHidden) throw badPath(path, `some systems take '${segment}' for .git`)
  }
  return segments
}

function badPath(path: string, problem: string): GitError {
  return new GitError('INVALID_ARGUMENT', `the path '${path.slice(0, 200)}' cannot be changed: ${problem}`, {
    details: { path },
  })
}
