import { compareRanges } from '../bytes/compare.ts'
import { decodeLatin1 } from '../bytes/text.ts'
import { isGitError } from '../errors.ts'
import { isSymlinkMode, isTreeMode } from './file-mode.ts'
import { dotNamesOf, isDotGit, isNtfsDotGit, isNtfsDotGitmodules, type DotName } from './fsck-dot-names.ts'
import type { FsckMessageId } from './fsck-messages.ts'
import type { FsckReport } from './fsck-report.ts'
import type { SpecialFileSink } from './fsck-special-files.ts'
import type { ObjectFormat } from './object-format.ts'
import { TreeCursor } from './tree-iterator.ts'

const DOT = 0x2e
const SLASH = 0x2f
const ZERO = 0x30
const BACKSLASH = 0x5c
const TILDE = 0x7e

/** What is reported once per tree, in git's order. */
const TREE_MESSAGES: readonly (readonly [FsckMessageId, string])[] = [
  ['badTree', 'the tree cannot be parsed'],
  ['nullSha1', 'an entry points to the null object id'],
  ['fullPathname', "an entry's name has a slash"],
  ['hasDot', "an entry is named '.'"],
  ['hasDotdot', "an entry is named '..'"],
  ['hasDotgit', "an entry is named '.git'"],
  ['zeroPaddedFilemode', 'a file mode begins with zero'],
  ['badFilemode', 'a file mode is none that git writes'],
  ['duplicateEntries', 'two entries have the same name'],
  ['treeNotSorted', 'the entries are not sorted'],
]

const SYMLINK_MESSAGES: Readonly<Record<DotName, FsckMessageId>> = {
  gitmodules: 'gitmodulesSymlink',
  gitattributes: 'gitattributesSymlink',
  gitignore: 'gitignoreSymlink',
  mailmap: 'mailmapSymlink',
}

/** Checks a tree as git's fsck does; each message is reported once. `.gitmodules` and the like go to the sink. */
export function fsckTree(
  body: Uint8Array,
  format: ObjectFormat,
  report: FsckReport,
  sink: SpecialFileSink | undefined,
): void {
  const found = new Set<FsckMessageId>()
  const cursor = new TreeCursor(format.idLength, body)
  const order = new EntryOrder(body)
  try {
    while (cursor.next()) {
      fsckName(cursor, found, report, sink)
      if (body[cursor.entryStart] === ZERO) found.add('zeroPaddedFilemode')
      if (isNullId(body, cursor.idAt, format.idLength)) found.add('nullSha1')
      if (!isUsualMode(cursor.mode, report.options.strict === true)) found.add('badFilemode')
      const disorder = order.add(cursor)
      if (disorder !== undefined) found.add(disorder)
    }
  } catch (error) {
    if (!isGitError(error, 'CORRUPT_OBJECT')) throw error
    found.add('badTree')
  }
  if (found.size === 0) return
  for (const [id, message] of TREE_MESSAGES) if (found.has(id)) report.add(id, message)
}

/** Checks one name. Only names with a suspicious byte in the right place are looked at as text. */
function fsckName(
  cursor: TreeCursor,
  found: Set<FsckMessageId>,
  report: FsckReport,
  sink: SpecialFileSink | undefined,
): void {
  const { body, nameStart, nameEnd } = cursor
  const first = body[nameStart]!
  let suspicious = first === DOT || first >= 0x80
  let backslash = false
  for (let at = nameStart; at < nameEnd; at++) {
    const byte = body[at]!
    if (byte === SLASH) found.add('fullPathname')
    else if (byte === BACKSLASH) backslash = true
    else if (byte === TILDE) suspicious = true
  }
  if (!suspicious && !backslash) return

  const name = decodeLatin1(body, nameStart, nameEnd)
  if (name === '.') found.add('hasDot')
  if (name === '..') found.add('hasDotdot')
  if (isDotGit(name)) found.add('hasDotgit')
  for (const dotName of dotNamesOf(name)) noteSpecialFile(cursor, dotName, report, sink)

  if (!backslash) return
  for (let at = name.indexOf('\\'); at >= 0; at = name.indexOf('\\', at + 1)) {
    const rest = name.slice(at + 1)
    if (isNtfsDotGit(rest)) found.add('hasDotgit')
    if (isNtfsDotGitmodules(rest)) noteSpecialFile(cursor, 'gitmodules', report, sink)
  }
}

function noteSpecialFile(
  cursor: TreeCursor,
  dotName: DotName,
  report: FsckReport,
  sink: SpecialFileSink | undefined,
): void {
  if (isSymlinkMode(cursor.mode)) {
    report.add(SYMLINK_MESSAGES[dotName], `.${dotName} is a symbolic link`)
  } else if (sink !== undefined && (dotName === 'gitmodules' || dotName === 'gitattributes')) {
    sink(dotName, cursor.body, cursor.idAt)
  }
}

function isUsualMode(mode: number, strict: boolean): boolean {
  switch (mode) {
    case 0o100644:
    case 0o100755:
    case 0o040000:
    case 0o120000:
    case 0o160000:
      return true
    case 0o100664:
      return !strict
    default:
      return false
  }
}

function isNullId(body: Uint8Array, at: number, length: number): boolean {
  for (let index = 0; index < length; index++) if (body[at + index] !== 0) return false
  return true
}

/**
 * Watches the order of a tree's entries: by bytes, a directory as if its name ended with a slash.
 *
 * A file and a directory of one name need not be neighbours (`foo`, `foo.bar`, `foo/`). So the files whose names
 * begin the current name are kept on a stack; each name enters and leaves it once.
 */
class EntryOrder {
  readonly #body: Uint8Array
  /** Start and end of each name on the stack, side by side. */
  readonly #stack: number[] = []
  #start = 0
  #end = 0
  #isTree = false

  constructor(body: Uint8Array) {
    this.#body = body
  }

  add(cursor: TreeCursor): 'duplicateEntries' | 'treeNotSorted' | undefined {
    const { nameStart: start, nameEnd: end } = cursor
    const isTree = isTreeMode(cursor.mode)
    const disorder = this.#end === 0 ? undefined : this.#compare(start, end, isTree)
    const duplicate = this.#popUntilPrefixOf(start, end)
    if (!isTree) this.#stack.push(start, end)
    this.#start = start
    this.#end = end
    this.#isTree = isTree
    return duplicate ? 'duplicateEntries' : disorder
  }

  #compare(start: number, end: number, isTree: boolean): 'duplicateEntries' | 'treeNotSorted' | undefined {
    const length = end - start
    const before = this.#end - this.#start
    const shared = Math.min(length, before)
    const difference = compareRanges(this.#body, this.#start, this.#body, start, shared)
    if (difference !== 0) return difference < 0 ? undefined : 'treeNotSorted'
    if (length === before) return 'duplicateEntries'
    const left = before > shared ? this.#body[this.#start + shared]! : this.#isTree ? SLASH : 0
    const right = length > shared ? this.#body[start + shared]! : isTree ? SLASH : 0
    return left < right ? undefined : 'treeNotSorted'
  }

  /** Drops the names that do not begin the given one; true when one of them is the same. */
  #popUntilPrefixOf(start: number, end: number): boolean {
    const stack = this.#stack
    while (stack.length > 0) {
      const topStart = stack[stack.length - 2]!
      const length = stack[stack.length - 1]! - topStart
      if (length <= end - start && compareRanges(this.#body, topStart, this.#body, start, length) === 0) {
        return length === end - start
      }
      stack.length -= 2
    }
    return false
  }
}
