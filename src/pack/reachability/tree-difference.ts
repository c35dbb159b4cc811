import { GitError } from '../../errors.ts'
import { isGitlinkMode } from '../../object/file-mode.ts'

const SPACE = 0x20

/** Receives ids by where they begin in the bytes that were compared. */
export interface TreeDifferenceSink {
  /** An entry of the new tree that the old one does not have. */
  added(idAt: number): void
  /** An entry of the old tree that the new one does not have. */
  removed(idAt: number): void
}

/**
 * Compares two trees in one buffer, entry by entry: which ids come in and which go out when the old one at `[oldAt, oldEnd)`
 * becomes the new one at `[newAt, newEnd)`. An empty range counts as an empty tree. Submodule entries are left out.
 *
 * An entry is compared as a whole; one that only changed its name or mode goes out and comes in again. Both trees are in git's
 * order, or nearly: an unsorted tree costs more entries in the difference, never a wrong one.
 *
 * @throws GitError `CORRUPT_OBJECT`
 */
export function compareTrees(
  bytes: Uint8Array,
  oldAt: number,
  oldEnd: number,
  newAt: number,
  newEnd: number,
  idLength: number,
  sink: TreeDifferenceSink,
): void {
  while (newAt < newEnd && oldAt < oldEnd) {
    // Where the new entry ends, and how far both agree on the way.
    let at = newAt
    let other = oldAt
    let equal = true
    let nameEnd = 0
    while (at < newEnd) {
      const byte = bytes[at]!
      if (byte === 0) {
        nameEnd = at
        break
      }
      if (equal && byte !== bytes[other]) equal = false
      at++
      other++
    }
    const end = nameEnd + 1 + idLength
    if (nameEnd === 0 || end > newEnd) throw malformed()
    if (equal && other + 1 + idLength <= oldEnd) {
      for (let k = 0; k <= idLength; k++) {
        if (bytes[nameEnd + k] !== bytes[other + k]) {
          equal = false
          break
        }
      }
      if (equal) {
        newAt = end
        oldAt = other + 1 + idLength
        continue
      }
    }
    const oldNameEnd = endOfName(bytes, oldAt, oldEnd)
    const oldEntryEnd = oldNameEnd + 1 + idLength
    if (oldEntryEnd > oldEnd) throw malformed()
    const order = compareNames(bytes, oldAt, oldNameEnd, newAt, nameEnd)
    if (order <= 0) {
      if (!isGitlink(bytes, oldAt)) sink.removed(oldNameEnd + 1)
      oldAt = oldEntryEnd
    }
    if (order >= 0) {
      if (!isGitlink(bytes, newAt)) sink.added(nameEnd + 1)
      newAt = end
    }
  }
  while (oldAt < oldEnd) {
    const nameEnd = endOfName(bytes, oldAt, oldEnd)
    if (nameEnd + 1 + idLength > oldEnd) throw malformed()
    if (!isGitlink(bytes, oldAt)) sink.removed(nameEnd + 1)
    oldAt = nameEnd + 1 + idLength
  }
  while (newAt < newEnd) {
    const nameEnd = endOfName(bytes, newAt, newEnd)
    if (nameEnd + 1 + idLength > newEnd) throw malformed()
    if (!isGitlink(bytes, newAt)) sink.added(nameEnd + 1)
    newAt = nameEnd + 1 + idLength
  }
}

function endOfName(bytes: Uint8Array, at: number, end: number): number {
  while (at < end && bytes[at] !== 0) at++
  if (at === end) throw malformed()
  return at
}

/** Whether the entry that begins here is a submodule, by its mode. */
function isGitlink(bytes: Uint8Array, at: number): boolean {
  const first = bytes[at]!
  // 40000 and 100644, 100755: what nearly every entry is.
  if (first === 0x34 && bytes[at + 5] === SPACE) return false
  if (first === 0x31 && bytes[at + 1] === 0x30 && bytes[at + 6] === SPACE) return false
  let mode = 0
  for (; bytes[at] !== SPACE; at++) {
    const digit = bytes[at]! - 0x30
    if (digit < 0 || digit > 7) throw malformed()
    mode = (mode << 3) | digit
  }
  return isGitlinkMode(mode >>> 0)
}

/** Compares the names of two entries in git's order: a directory as if its name ended in a slash. */
function compareNames(
  bytes: Uint8Array,
  leftAt: number,
  leftEnd: number,
  rightAt: number,
  rightEnd: number,
): number {
  let left = nameStart(bytes, leftAt, leftEnd)
  let right = nameStart(bytes, rightAt, rightEnd)
  while (left < leftEnd && right < rightEnd) {
    const difference = bytes[left++]! - bytes[right++]!
    if (difference !== 0) return difference
  }
  const leftNext = left < leftEnd ? bytes[left]! : bytes[leftAt] === 0x34 ? 0x2f : 0
  const rightNext = right < rightEnd ? bytes[right]! : bytes[rightAt] === 0x34 ? 0x2f : 0
  return leftNext - rightNext
}

function nameStart(bytes: Uint8Array, at: number, end: number): number {
  while (at < end && bytes[at] !== SPACE) at++
  if (at === end) throw malformed()
  return at + 1
}

function malformed(): GitError {
  return new GitError('CORRUPT_OBJECT', 'malformed tree: an entry is cut short or has no mode')
}
