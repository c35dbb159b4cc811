import { encodeHex } from '../bytes/hex.ts'
import { GitError } from '../errors.ts'
import { FsckSession } from '../object/fsck-session.ts'
import { isFsckError, type FsckFinding, type FsckOptions } from '../object/fsck.ts'
import type { ObjectFormat } from '../object/object-format.ts'
import type { ObjectId } from '../object/object-id.ts'
import { readObject, type RawObject } from '../object/object-reader.ts'
import type { ObjectView } from '../odb/object-view.ts'
import type { PackFile } from '../odb/pack-file.ts'
import type { ObjectVisitor } from '../pack/indexer/object-intake.ts'

/** What received objects are held to. */
export interface ReceivedChecks {
  /** The most objects that one pack may have. */
  readonly maxObjects?: number
  /** When given, every received object is checked by git's rules; an error refuses the pack. */
  readonly fsck?: FsckOptions
  /** Is told what the check finds, errors and warnings, while the pack is read. */
  readonly onFinding?: (id: ObjectId, finding: FsckFinding) => void
}

/**
 * The check of received objects by git's rules.
 *
 * @throws GitError `FSCK` from both functions
 */
export interface FsckOfReceived {
  readonly visit: ObjectVisitor
  /** Checks the files that trees named and that were not seen as such: in the pack, or in what there was before. */
  finish(pack: PackFile, view: ObjectView): Promise<void>
}

/** Begins the check of one pack; `undefined` when none was asked for. */
export function beginFsck(checks: ReceivedChecks, format: ObjectFormat): FsckOfReceived | undefined {
  const { fsck } = checks
  if (fsck === undefined) return undefined
  const session = new FsckSession(format, fsck)
  return {
    visit: (type, body, id) => {
      judgeFindings(session.check(type, body, id), id, checks)
    },
    finish: async (pack, view) => {
      for (const special of session.pending()) {
        const rank = pack.index.find(special.id)
        const object = rank >= 0 ? await readFrom(pack, rank) : await readObject(view, special.id)
        if (object === null && pack.promisor) continue
        judgeFindings(session.checkPending(special, object), special.id, checks)
      }
    },
  }
}

async function readFrom(pack: PackFile, rank: number): Promise<RawObject> {
  for (;;) {
    const object = pack.tryRead(rank)
    if (object !== undefined) return object
    await pack.data.settle()
  }
}

/** Passes findings on, and refuses the object when one of them is an error. */
function judgeFindings(findings: readonly FsckFinding[], rawId: Uint8Array, checks: ReceivedChecks): void {
  if (findings.length === 0) return
  const id = encodeHex(rawId)
  for (const finding of findings) checks.onFinding?.(id, finding)
  const error = findings.find(isFsckError)
  if (error === undefined) return
  throw new GitError('FSCK', `object ${id}: ${error.id}: ${error.message}`, {
    details: { id, fsck: error.id },
  })
}

/** @throws GitError `LIMIT_EXCEEDED` when a pack claims more objects than are allowed. */
export function assertObjectCount(count: number, maxObjects: number | undefined): void {
  if (maxObjects === undefined || count <= maxObjects) return
  throw new GitError(
    'LIMIT_EXCEEDED',
    `pack has ${count} objects, which exceeds the maximum of ${maxObjects}`,
    { details: { limit: 'maxObjects' } },
  )
}
