import { fsckHeaderBlock, fsckIdentity } from './fsck-header.ts'
import type { FsckReport } from './fsck-report.ts'
import { hasTextAt, lineEnd, parseIdLine } from './header-line.ts'
import type { ObjectFormat } from './object-format.ts'

const TREE_LINE = 'tree '
const PARENT_LINE = 'parent '
const AUTHOR_LINE = 'author '
const COMMITTER_LINE = 'committer '

/** Checks a commit as git's fsck does: line by line from the top, stopping at the first error. */
export function fsckCommit(body: Uint8Array, format: ObjectFormat, report: FsckReport): void {
  if (fsckHeaderBlock(body, report)) return

  if (!hasTextAt(body, 0, TREE_LINE)) {
    report.add('missingTree', 'the commit does not begin with a tree line')
    return
  }
  if (parseIdLine(body, TREE_LINE.length, format.idLength) === undefined) {
    if (report.add('badTreeSha1', 'the tree line has no object id')) return
  }
  let at = lineEnd(body, 0) + 1

  while (hasTextAt(body, at, PARENT_LINE)) {
    if (parseIdLine(body, at + PARENT_LINE.length, format.idLength) === undefined) {
      if (report.add('badParentSha1', 'a parent line has no object id')) return
    }
    at = lineEnd(body, at) + 1
  }

  let authors = 0
  for (; hasTextAt(body, at, AUTHOR_LINE); at = lineEnd(body, at) + 1) {
    authors++
    if (fsckIdentity(body, at + AUTHOR_LINE.length, report)) return
  }
  if (authors === 0 && report.add('missingAuthor', 'an author line was expected')) return
  if (authors > 1 && report.add('multipleAuthors', `the commit has ${authors} author lines`)) return

  if (!hasTextAt(body, at, COMMITTER_LINE)) {
    report.add('missingCommitter', 'a committer line was expected')
    return
  }
  if (fsckIdentity(body, at + COMMITTER_LINE.length, report)) return
  if (body.includes(0)) report.add('nulInCommit', 'the message has a NUL byte')
}
