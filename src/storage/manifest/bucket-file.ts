import { GitError } from '../../errors.ts'
import { assertWithin, type ByteRange, type StoredFile } from '../stored-file.ts'
import type { Bucket } from './bucket.ts'
import { cutRanges, LEAP_REQUEST, planReads } from './range-plan.ts'
import { ReadAhead, type ReadAheadPool } from './read-ahead.ts'

/** Requests for one file at the same time: as many as a Worker has connections. */
const CONCURRENCY = 6

/** Where an immutable object is read from. */
export interface BucketFilePlace {
  readonly bucket: Bucket
  readonly readAhead: ReadAheadPool
  /** The object. */
  readonly key: string
  readonly size: number
  /** The file, for messages. */
  readonly what: string
}

/** Opens an immutable object as a file. */
export function openBucketFile(place: BucketFilePlace): StoredFile {
  let open = true
  const { size, what } = place
  const ahead = new ReadAhead(place.readAhead, size, (offset, length) => readRange(place, { offset, length }))
  return {
    size,
    readBytes: LEAP_REQUEST,
    async read(ranges) {
      if (!open) throw new GitError('INVALID_ARGUMENT', `${what} was closed; open it again to read it`)
      for (const range of ranges) assertWithin(range, size, what)
      const [only] = ranges
      if (only !== undefined && ranges.length === 1) {
        const bytes = await ahead.tryRead(only.offset, only.length)
        if (bytes !== undefined) return [bytes]
      }
      return readRanges(place, ranges)
    },
    close() {
      open = false
      ahead.clear()
      return Promise.resolve()
    },
  }
}

async function readRanges(place: BucketFilePlace, ranges: readonly ByteRange[]): Promise<Uint8Array[]> {
  const reads = planReads(ranges)
  const answers = new Array<Uint8Array>(reads.length)
  let next = 0
  const worker = async (): Promise<void> => {
    for (let at = next++; at < reads.length; at = next++) answers[at] = await readRange(place, reads[at]!)
  }
  await Promise.all(Array.from({ length: Math.min(CONCURRENCY, reads.length) }, worker))
  const [only] = ranges
  if (only !== undefined && ranges.length === 1 && reads.length === 1) return answers
  return cutRanges(ranges, reads, answers)
}

async function readRange(place: BucketFilePlace, range: ByteRange): Promise<Uint8Array> {
  const { bucket, key, size, what } = place
  const isWhole = range.length === size
  const object = await bucket.get(key, isWhole ? {} : { range })
  if (object === undefined || object === 'unchanged') {
    throw new GitError('NOT_FOUND', `${what} was removed; list the packs again`, { details: { object: key } })
  }
  if (object.bytes.length === range.length) return object.bytes
  throw new GitError(
    'STORAGE',
    `${what}: the store answered ${object.bytes.length} bytes for the range of ${range.length} at ${range.offset}`,
    { details: { object: key } },
  )
}
