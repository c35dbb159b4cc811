import { encodeHex } from '../bytes/hex.ts'
import { fsckCommit } from './fsck-commit.ts'
import { FsckReport, type FsckFinding, type FsckOptions } from './fsck-report.ts'
import type { SpecialFileSink } from './fsck-special-files.ts'
import { fsckTag } from './fsck-tag.ts'
import { fsckTree } from './fsck-tree.ts'
import type { ObjectFormat } from './object-format.ts'
import { hashObject } from './object-id.ts'
import { COMMIT, TAG, TREE, type ObjectType } from './object-type.ts'

export type { FsckMessageId, FsckSeverity } from './fsck-messages.ts'
export { isFsckError, type FsckFinding, type FsckOptions } from './fsck-report.ts'

/** What the caller knows or wants beyond the findings. */
export interface FsckContext {
  /** The object's raw id. Computed when `options.skip` needs it and it is not given. */
  readonly id?: Uint8Array
  /** Is told of `.gitmodules` and `.gitattributes` entries in trees: see `fsckSpecialFile`. */
  readonly onSpecialFile?: SpecialFileSink
}

/**
 * Checks one object by git's rules, with git's message ids and severities (git-fsck, "FSCK MESSAGES"). It looks at
 * this object alone: that what it names exists is not checked here. Blobs have no rules of their own.
 */
export function fsckObject(
  type: ObjectType,
  body: Uint8Array,
  format: ObjectFormat,
  options: FsckOptions = {},
  context: FsckContext = {},
): readonly FsckFinding[] {
  const report = new FsckReport(options)
  if (type === COMMIT) fsckCommit(body, format, report)
  else if (type === TREE) fsckTree(body, format, report, context.onSpecialFile)
  else if (type === TAG) fsckTag(body, format, report)
  if (report.findings.length > 0 && options.skip !== undefined) {
    if (options.skip.has(encodeHex(context.id ?? hashObject(type, body, format)))) return []
  }
  return report.findings
}
