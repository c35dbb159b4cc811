import { concatBytes } from '../bytes/concat.ts'
import { hexDigit } from '../bytes/hex.ts'
import { decodeLatin1, decodeUtf8, encodeLatin1, encodeUtf8 } from '../bytes/text.ts'
import { GitError } from '../errors.ts'
import type { ObjectId } from '../object/object-id.ts'
import { compareRefNames, isWellFormedRefName } from './ref-name.ts'
import type { Ref } from './ref.ts'

// The packed-refs file (git-pack-refs):
//
//   # pack-refs with: peeled fully-peeled sorted \n     optional; the traits that hold for the records
//   <id> <name>\n                                       one record per ref
//   ^<id>\n                                             what the annotated tag of the record above finally names
//
// `fully-peeled`: a record without a `^` line names no tag. `peeled`: the same, for names under refs/tags/ only.

/**
 * The value of one record to write. `peeled` as in {@link Ref}: the object a tag finally names, `null` for no tag,
 * absent when unknown. An unknown one costs the file its claim of being fully peeled.
 */
export interface PackedRefValue {
  readonly id: ObjectId
  readonly peeled?: ObjectId | null
}

/** A packed-refs file, parsed: its own bytes and an index of lines. Refs are made when asked for. */
export interface PackedRefs {
  /** How many refs there are. */
  readonly size: number
  /** The ref of this name, by binary search. */
  find(name: string): Ref | undefined
  /**
   * The refs whose names begin with `prefix`, in byte order. Names that break git's rules are left out. A name that
   * is not UTF-8 shows replacement characters, and `find` does not know it by that name.
   */
  list(prefix: string): Ref[]
  /** The names that begin with `prefix`, in byte order, made one by one. */
  names(prefix: string): Iterable<string>
  /** Encodes the file that results from setting (or with `null` removing) refs; all other records are copied. */
  edit(changes: ReadonlyMap<string, PackedRefValue | null>): Uint8Array
}

type Peeling = 'unknown' | 'tags' | 'fully'

/** Makes one code unit of every byte, with ASCII as it is and all other bytes above 127. Native, so fast for megabytes. */
const asciiDecoder = /* @__PURE__ */ new TextDecoder('windows-1252')

const NEWLINE = 10
const SPACE = 32
const CARET = 94

const HEADERS: Readonly<Record<Peeling, string>> = {
  unknown: '# pack-refs with: sorted \n',
  tags: '# pack-refs with: peeled sorted \n',
  fully: '# pack-refs with: peeled fully-peeled sorted \n',
}

/**
 * Parses a packed-refs file; an empty array is a file that is not there. Old headers and unsorted records are
 * accepted. Of several records with one name the last counts.
 *
 * @param bytes the file; the result keeps it, so it must not change afterwards.
 * @param hexLength digits in an id.
 * @throws GitError `CORRUPT_REF` for a line that is neither, or one without its line break.
 */
export function parsePackedRefs(bytes: Uint8Array, hexLength: number): PackedRefs {
  const header = parseHeader(bytes)
  const { starts, sorted } = scanRecords(bytes, header.end, hexLength)
  if (sorted) return createPackedRefs({ bytes, starts, peeling: header.peeling, hexLength })
  return createPackedRefs({ ...sortRecords(bytes, starts, hexLength), peeling: header.peeling, hexLength })
}

/** Encodes a whole packed-refs file. */
export function encodePackedRefs(refs: ReadonlyMap<string, PackedRefValue>, hexLength: number): Uint8Array {
  return parsePackedRefs(new Uint8Array(0), hexLength).edit(refs)
}

interface Records {
  readonly bytes: Uint8Array
  /** Where each record begins, in the order of names, and at last where the records end. */
  readonly starts: Uint32Array
  readonly peeling: Peeling
  readonly hexLength: number
}

function createPackedRefs(records: Records): PackedRefs {
  const size = records.starts.length - 1
  return {
    size,
    find(name) {
      const key = encodeUtf8(`${name}\n`)
      const at = lowerBound(records, key)
      return at < size && hasPrefix(records, at, key) ? listRecords(records, at, at + 1)[0] : undefined
    },
    list(prefix) {
      const [from, to] = prefixRange(records, prefix)
      return listRecords(records, from, to)
    },
    *names(prefix) {
      const [from, to] = prefixRange(records, prefix)
      for (let at = from; at < to; at++) yield recordName(records, at)
    },
    edit: (changes) => editRecords(records, changes),
  }
}

function parseHeader(bytes: Uint8Array): { peeling: Peeling; end: number } {
  if (bytes[0] !== 35) return { peeling: bytes.length === 0 ? 'fully' : 'unknown', end: 0 }
  const end = bytes.indexOf(NEWLINE) + 1
  const line = decodeLatin1(bytes, 0, end)
  if (!line.startsWith('# pack-refs with:'))
    throw corrupt(bytes, 0, `expected the header '# pack-refs with:'`)
  const traits = line.slice(17).trim().split(' ')
  return {
    peeling: traits.includes('fully-peeled') ? 'fully' : traits.includes('peeled') ? 'tags' : 'unknown',
    end,
  }
}

/** Finds every record, checks its form, and tells whether names strictly ascend. */
function scanRecords(
  bytes: Uint8Array,
  from: number,
  hexLength: number,
): { starts: Uint32Array; sorted: boolean } {
  let starts = new Uint32Array(Math.max(16, Math.ceil((bytes.length - from) / (hexLength + 16))))
  let count = 0
  let sorted = true
  for (let at = from; at < bytes.length;) {
    const end = bytes.indexOf(NEWLINE, at)
    if (end < 0) throw corrupt(bytes, at, 'its line break is missing')
    if (bytes[at] === CARET) {
      if (count === 0 || end !== at + 1 + hexLength || !isHex(bytes, at + 1, end)) {
        throw corrupt(bytes, at, `expected '^<id>' below a record`)
      }
      at = end + 1
      if (at < bytes.length && bytes[at] === CARET)
        throw corrupt(bytes, at, 'the record has a peeled line already')
      continue
    }
    const idEnd = at + hexLength
    if (end < idEnd + 2 || bytes[idEnd] !== SPACE || !isHex(bytes, at, idEnd)) {
      throw corrupt(bytes, at, `expected '<id of ${hexLength} digits> <name>'`)
    }
    if (sorted && count > 0)
      sorted = compareNames(bytes, starts[count - 1]! + hexLength + 1, bytes, idEnd + 1) < 0
    if (count + 1 >= starts.length) {
      const larger = new Uint32Array(2 * starts.length)
      larger.set(starts)
      starts = larger
    }
    starts[count++] = at
    at = end + 1
  }
  starts[count] = bytes.length
  return { starts: starts.slice(0, count + 1), sorted }
}

/** Brings records into the order of names, in a new array, dropping all but the last of those with one name. */
function sortRecords(
  bytes: Uint8Array,
  starts: Uint32Array,
  hexLength: number,
): Pick<Records, 'bytes' | 'starts'> {
  const count = starts.length - 1
  const skip = hexLength + 1
  const order = Array.from({ length: count }, (_, at) => at)
  const compare = (left: number, right: number): number =>
    compareNames(bytes, starts[left]! + skip, bytes, starts[right]! + skip)
  order.sort((left, right) => compare(left, right) || left - right)
  const kept = order.filter((record, at) => at + 1 === count || compare(record, order[at + 1]!) !== 0)
  const sorted = new Uint8Array(bytes.length)
  const sortedStarts = new Uint32Array(kept.length + 1)
  let end = 0
  kept.forEach((record, at) => {
    sortedStarts[at] = end
    sorted.set(bytes.subarray(starts[record], starts[record + 1]), end)
    end += starts[record + 1]! - starts[record]!
  })
  sortedStarts[kept.length] = end
  return { bytes: sorted.subarray(0, end), starts: sortedStarts }
}

/** Orders two names that each end in a line break, which is below every byte a name may have. */
function compareNames(left: Uint8Array, leftAt: number, right: Uint8Array, rightAt: number): number {
  for (; ; leftAt++, rightAt++) {
    const byte = left[leftAt]!
    if (byte !== right[rightAt]!) return byte - right[rightAt]!
    if (byte === NEWLINE) return 0
  }
}

/** The first record whose name is not below `key`. */
function lowerBound(records: Records, key: Uint8Array): number {
  let low = 0
  let high = records.starts.length - 1
  while (low < high) {
    const middle = (low + high) >>> 1
    if (compareToKey(records, middle, key) < 0) low = middle + 1
    else high = middle
  }
  return low
}

/** Orders a record's name, cut to the key's length, against the key. */
function compareToKey({ bytes, starts, hexLength }: Records, record: number, key: Uint8Array): number {
  const nameAt = starts[record]! + hexLength + 1
  for (let at = 0; at < key.length; at++) {
    const byte = bytes[nameAt + at]!
    if (byte !== key[at]!) return byte - key[at]!
    if (byte === NEWLINE) return 0
  }
  return 0
}

function hasPrefix(records: Records, record: number, prefix: Uint8Array): boolean {
  return compareToKey(records, record, prefix) === 0
}

/** The records whose names begin with `prefix`: from the first to before the second. */
function prefixRange(records: Records, prefix: string): [number, number] {
  const key = encodeUtf8(prefix)
  const from = lowerBound(records, key)
  let low = from
  let high = records.starts.length - 1
  while (low < high) {
    const middle = (low + high) >>> 1
    if (hasPrefix(records, middle, key)) low = middle + 1
    else high = middle
  }
  return [from, low]
}

function recordName({ bytes, starts, hexLength }: Records, record: number): string {
  const nameAt = starts[record]! + hexLength + 1
  return decodeUtf8(bytes.subarray(nameAt, bytes.indexOf(NEWLINE, nameAt)))
}

/** Makes the refs of records `[from, to)`: one string for all of them, cut into names and ids. */
function listRecords(records: Records, from: number, to: number): Ref[] {
  const { bytes, starts, hexLength, peeling } = records
  const base = starts[from]!
  const text = asciiDecoder.decode(bytes.subarray(base, starts[to]))
  const refs: Ref[] = []
  for (let record = from; record < to; record++) {
    const at = starts[record]! - base
    const end = text.indexOf('\n', at)
    const ascii = text.slice(at + hexLength + 1, end)
    const name = isAscii(ascii) ? ascii : recordName(records, record)
    if (!isWellFormedRefName(name, { allowOneLevel: true })) continue
    const target = { kind: 'direct', id: text.slice(at, at + hexLength).toLowerCase() } as const
    if (text.charCodeAt(end + 1) === CARET) {
      refs.push({ name, target, peeled: text.slice(end + 2, end + 2 + hexLength).toLowerCase() })
    } else if (isPeelingKnown(peeling, name)) {
      refs.push({ name, target, peeled: null })
    } else {
      refs.push({ name, target })
    }
  }
  return refs
}

/** Whether a record without a `^` line is known to name no tag. */
function isPeelingKnown(peeling: Peeling, name: string): boolean {
  return peeling === 'fully' || (peeling === 'tags' && name.startsWith('refs/tags/'))
}

function isAscii(text: string): boolean {
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) > 127) return false
  return true
}

function isHex(bytes: Uint8Array, from: number, to: number): boolean {
  for (let at = from; at < to; at++) if (hexDigit(bytes[at]!) < 0) return false
  return true
}

function editRecords(records: Records, changes: ReadonlyMap<string, PackedRefValue | null>): Uint8Array {
  const { bytes, starts } = records
  const names = [...changes.keys()].sort(compareRefNames)
  const parts: Uint8Array[] = []
  let peeling: Peeling = starts.length === 1 ? 'fully' : records.peeling
  let copied = 0
  for (const name of names) {
    const key = encodeUtf8(`${name}\n`)
    const at = lowerBound(records, key)
    const exists = at < starts.length - 1 && hasPrefix(records, at, key)
    parts.push(bytes.subarray(starts[copied], starts[at]))
    copied = exists ? at + 1 : at
    const value = changes.get(name)
    if (value == null) continue
    if (value.peeled === undefined) peeling = weakenPeeling(peeling, name)
    parts.push(encodeUtf8(`${value.id} ${name}\n${value.peeled == null ? '' : `^${value.peeled}\n`}`))
  }
  parts.push(bytes.subarray(starts[copied], starts[starts.length - 1]))
  return concatBytes([encodeLatin1(HEADERS[peeling]), ...parts])
}

/** What can still be claimed once a record of this name, of unknown peeling, is in the file. */
function weakenPeeling(peeling: Peeling, name: string): Peeling {
  return peeling === 'unknown' || name.startsWith('refs/tags/') ? 'unknown' : 'tags'
}

function corrupt(bytes: Uint8Array, at: number, problem: string): GitError {
  const end = bytes.indexOf(NEWLINE, at)
  const line = decodeUtf8(bytes.subarray(at, Math.min(end < 0 ? bytes.length : end, at + 120)))
  return new GitError('CORRUPT_REF', `packed-refs is malformed at byte ${at}: ${problem}; found '${line}'`, {
    details: { offset: at },
  })
}
