import { decodeLatin1 } from '../bytes/text.ts'
import { fsckHeaderBlock, fsckIdentity } from './fsck-header.ts'
import type { FsckReport } from './fsck-report.ts'
import { hasTextAt, lineEnd, parseIdLine } from './header-line.ts'
import type { ObjectFormat } from './object-format.ts'

const OBJECT_LINE = 'object '
const TYPE_LINE = 'type '
const TAG_LINE = 'tag '
const TAGGER_LINE = 'tagger '
const TYPE_NAME = /^(?:commit|tree|blob|tag)$/

/** What makes a name unfit for `refs/tags/<name>` (git-check-ref-format), as bytes decoded one to one. */
const NOT_A_TAG_NAME = /^$|^[./]|[./]$|\.\.|\/[./]|@\{|[\0-\x20\x7f~^:?*[\\]|\.lock(?:\/|$)/

/** Checks a tag as git's fsck does: line by line from the top, stopping at the first error. */
export function fsckTag(body: Uint8Array, format: ObjectFormat, report: FsckReport): void {
  if (fsckHeaderBlock(body, report)) return

  if (!hasTextAt(body, 0, OBJECT_LINE)) {
    report.add('missingObject', 'the tag does not begin with an object line')
    return
  }
  if (parseIdLine(body, OBJECT_LINE.length, format.idLength) === undefined) {
    if (report.add('badObjectSha1', 'the object line has no object id')) return
  }

  const typeAt = lineEnd(body, 0) + 1
  if (!hasTextAt(body, typeAt, TYPE_LINE)) {
    report.add('missingTypeEntry', 'a type line was expected')
    return
  }
  const typeEnd = lineEnd(body, typeAt)
  if (typeEnd === body.length) {
    report.add('missingType', 'the tag ends within its type line')
    return
  }
  const type = decodeLatin1(body, typeAt + TYPE_LINE.length, typeEnd)
  if (!TYPE_NAME.test(type) && report.add('badType', `'${type.slice(0, 80)}' is no object type`)) return

  const tagAt = typeEnd + 1
  if (!hasTextAt(body, tagAt, TAG_LINE)) {
    report.add('missingTagEntry', 'a tag line was expected')
    return
  }
  const tagEnd = lineEnd(body, tagAt)
  if (tagEnd === body.length) {
    report.add('missingTag', 'the tag ends within its tag line')
    return
  }
  const name = decodeLatin1(body, tagAt + TAG_LINE.length, tagEnd)
  if (NOT_A_TAG_NAME.test(name) && report.add('badTagName', `'${name.slice(0, 80)}' is no name for a tag`))
    return

  let at = tagEnd + 1
  if (hasTextAt(body, at, TAGGER_LINE)) {
    fsckIdentity(body, at + TAGGER_LINE.length, report)
    at = lineEnd(body, at) + 1
  } else if (report.add('missingTaggerEntry', 'a tagger line was expected')) {
    return
  }
  if (at < body.length && !hasTextAt(body, at, '\n')) {
    report.add('extraHeaderEntry', 'the tag has headers after its tagger line')
  }
}
