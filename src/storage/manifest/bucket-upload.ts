import { GitError } from '../../errors.ts'
import type { ByteRange, FileWriter, StagedFile, StoredFile } from '../stored-file.ts'
import type { Bucket, BucketUpload } from './bucket.ts'
import { openBucketFile } from './bucket-file.ts'
import type { FileName } from './object-names.ts'
import { LEAP_REQUEST } from './range-plan.ts'
import type { ReadAheadPool } from './read-ahead.ts'

const WHAT = 'a staged file'

/** Where a new file goes. */
export interface UploadPlace {
  readonly bucket: Bucket
  readonly readAhead: ReadAheadPool
  readonly name: FileName
  /** The object. */
  readonly key: string
  /** How long, in milliseconds, the file is kept while no manifest lists it. */
  readonly gracePeriod: number
}

/** A complete file that no manifest lists. */
export class BucketStagedFile implements StagedFile {
  readonly size: number
  readonly readBytes = LEAP_REQUEST
  readonly #place: UploadPlace
  readonly #file: StoredFile
  readonly #finished = Date.now()
  /** `held`: a commit may or may not have taken it. */
  #state: 'staged' | 'held' | 'taken' | 'discarded' = 'staged'

  constructor(place: UploadPlace, size: number) {
    this.#place = place
    this.size = size
    this.#file = openBucketFile({ ...place, size, what: WHAT })
  }

  /**
   * The file's name, for a commit that goes to the same bucket; `undefined` when it is not there to be taken.
   *
   * @throws GitError `STORAGE` when it was staged so long ago that it may be collected as garbage.
   */
  nameIn(bucket: Bucket): FileName | undefined {
    if (this.#place.bucket !== bucket || this.#state !== 'staged') return undefined
    const age = Date.now() - this.#finished
    if (2 * age <= this.#place.gracePeriod || this.#place.gracePeriod === 0) return this.#place.name
    throw new GitError(
      'STORAGE',
      `${WHAT} was complete ${age} ms ago, which is more than half of the grace period of ${this.#place.gracePeriod} ms; write it anew`,
      { details: { gracePeriod: this.#place.gracePeriod } },
    )
  }

  /** A commit that names the file is on its way: it must not be deleted from now on. */
  hold(): void {
    if (this.#state === 'staged') this.#state = 'held'
  }

  /** The commit that was on its way has surely not taken it. */
  release(): void {
    if (this.#state === 'held') this.#state = 'staged'
  }

  /** The file belongs to the store: from here on `discard` does nothing. */
  giveAway(): void {
    this.#state = 'taken'
  }

  read(ranges: readonly ByteRange[]): Promise<Uint8Array[]> {
    return this.#file.read(ranges)
  }

  close(): Promise<void> {
    return this.#file.close()
  }

  async discard(): Promise<void> {
    await this.#file.close()
    if (this.#state !== 'staged') return
    this.#state = 'discarded'
    await this.#place.bucket.delete([this.#place.key])
  }
}

/** Begins a file: it is put in one piece when it is small, else uploaded in parts while the next one is being filled. */
export function createBucketFile(place: UploadPlace): FileWriter {
  return new BucketFileWriter(place)
}

/** What a file takes of memory at first; it grows up to a part. */
const FIRST_BUFFER = 64 << 10

class BucketFileWriter implements FileWriter {
  readonly #place: UploadPlace
  #buffer = new Uint8Array(0)
  #buffered = 0
  #size = 0
  #parts = 0
  #upload: BucketUpload | undefined
  /** The part on its way. */
  #sending: Promise<void> | undefined
  #state: 'open' | 'failed' | 'finished' | 'discarded' = 'open'

  constructor(place: UploadPlace) {
    this.#place = place
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#assertOpen()
    const { partBytes } = this.#place.bucket.limits
    for (let at = 0; at < chunk.length;) {
      // What fills a part is sent only when more comes: the last part may be of any size, and the only one needs no upload.
      if (this.#buffered === partBytes) await this.#attempt(() => this.#sendPart())
      const length = Math.min(partBytes - this.#buffered, chunk.length - at)
      this.#reserve(this.#buffered + length, partBytes)
      this.#buffer.set(chunk.subarray(at, at + length), this.#buffered)
      this.#buffered += length
      this.#size += length
      at += length
    }
  }

  async finish(): Promise<StagedFile> {
    this.#assertOpen()
    await this.#attempt(async () => {
      if (this.#upload === undefined) {
        await this.#place.bucket.put(this.#place.key, this.#buffer.subarray(0, this.#buffered))
      } else {
        await this.#sendPart()
        await this.#sending
        await this.#upload.complete()
      }
    })
    this.#state = 'finished'
    this.#buffer = new Uint8Array(0)
    return new BucketStagedFile(this.#place, this.#size)
  }

  async discard(): Promise<void> {
    if (this.#state === 'finished' || this.#state === 'discarded') return
    this.#state = 'discarded'
    this.#buffer = new Uint8Array(0)
    const upload = this.#upload
    // A part that is still on its way would keep the upload alive; how it ends does not matter any more.
    await this.#sending?.catch(() => undefined)
    await upload?.abort()
  }

  async #sendPart(): Promise<void> {
    const { bucket, key } = this.#place
    const { maxParts, partBytes } = bucket.limits
    if (this.#parts >= maxParts) {
      throw new GitError(
        'LIMIT_EXCEEDED',
        `a file has at most ${maxParts} parts of ${partBytes} bytes in ${bucket.location}; give it larger parts`,
        { details: { limit: 'parts', maximum: maxParts } },
      )
    }
    await this.#sending
    this.#upload ??= await bucket.beginUpload(key)
    const number = ++this.#parts
    const sending = this.#upload.uploadPart(number, this.#buffer.subarray(0, this.#buffered))
    // Whoever waits for it learns of a failure; until then it is not unhandled.
    sending.catch(() => undefined)
    this.#sending = sending
    this.#buffer = new Uint8Array(partBytes)
    this.#buffered = 0
  }

  #reserve(bytes: number, most: number): void {
    if (bytes <= this.#buffer.length) return
    const larger = new Uint8Array(Math.min(most, Math.max(FIRST_BUFFER, 2 * this.#buffer.length, bytes)))
    larger.set(this.#buffer.subarray(0, this.#buffered))
    this.#buffer = larger
  }

  async #attempt(work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      if (this.#state === 'open') this.#state = 'failed'
      throw error
    }
  }

  #assertOpen(): void {
    if (this.#state === 'open') return
    throw new GitError(
      'INVALID_ARGUMENT',
      `this file cannot be written: it is ${this.#state}; begin a new one`,
    )
  }
}
