import { GitError } from '../../errors.ts'
import type { ByteRange, FileWriter, StagedFile } from '../stored-file.ts'
import { removeFile } from './garbage.ts'
import { numberIn } from './row-values.ts'
import { chunkId, MAX_CHUNKS } from './schema.ts'
import { readRanges, type FilePlace } from './sqlite-file.ts'
import type { SqliteStore } from './sqlite-store.ts'
import type { Statements } from './statements.ts'

const WHAT = 'a staged file'

/** A complete file that expires unless a commit takes it. Reading it puts that off. */
export class SqliteStagedFile implements StagedFile {
  readonly size: number
  readonly #store: SqliteStore
  readonly #place: FilePlace
  #state: 'staged' | 'taken' | 'discarded' = 'staged'
  #open = true
  #renewed: number

  constructor(store: SqliteStore, place: FilePlace) {
    this.#store = store
    this.#place = place
    this.size = place.size
    this.#renewed = Date.now()
  }

  /** The file's id, for a commit to a repository of the same store; `undefined` when it is not there to be taken. */
  idIn(store: SqliteStore): number | undefined {
    return this.#state === 'staged' && this.#store === store ? this.#place.id : undefined
  }

  /** Gives the file to the store: from here on `discard` does nothing. */
  giveAway(): void {
    this.#state = 'taken'
  }

  async read(ranges: readonly ByteRange[]): Promise<Uint8Array[]> {
    if (!this.#open) throw new GitError('INVALID_ARGUMENT', `${WHAT} was closed; it cannot be read any more`)
    const now = Date.now()
    if (this.#state === 'staged' && now - this.#renewed > this.#store.gracePeriod / 4) {
      this.#renewed = now
      await this.#store.transact('lazy', (sql) => {
        sql.renewFile.run(this.#store.expiry, this.#place.id)
      })
    }
    return readRanges(this.#store, this.#place, WHAT, ranges)
  }

  close(): Promise<void> {
    this.#open = false
    return Promise.resolve()
  }

  async discard(): Promise<void> {
    this.#open = false
    if (this.#state !== 'staged') return
    this.#state = 'discarded'
    await removeFile(this.#store, this.#place.id)
  }
}

/**
 * Begins a file. Its chunks are written as they become full, each in a transaction of its own.
 *
 * Nothing of it need be on the device before the commit that names it, which is what makes it findable: that one transaction is
 * durable, and everything before it is then too.
 */
export function createSqliteFile(store: SqliteStore): FileWriter {
  return new SqliteFileWriter(store)
}

class SqliteFileWriter implements FileWriter {
  readonly #store: SqliteStore
  #buffer: Uint8Array | undefined
  #buffered = 0
  #id: number | undefined
  #chunks = 0
  #size = 0
  #state: 'open' | 'failed' | 'finished' | 'discarded' = 'open'

  constructor(store: SqliteStore) {
    this.#store = store
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#assertOpen()
    for (let at = 0; at < chunk.length;) {
      this.#buffer ??= new Uint8Array(this.#store.chunkBytes)
      const length = Math.min(this.#buffer.length - this.#buffered, chunk.length - at)
      this.#buffer.set(chunk.subarray(at, at + length), this.#buffered)
      this.#buffered += length
      at += length
      if (this.#buffered === this.#buffer.length) await this.#flush()
    }
  }

  async finish(): Promise<StagedFile> {
    this.#assertOpen()
    if (this.#buffered > 0 || this.#id === undefined) await this.#flush()
    const id = this.#id
    if (id === undefined) throw new GitError('STORAGE', `${WHAT} got no id from ${this.#store.location}`)
    this.#state = 'finished'
    this.#buffer = undefined
    return new SqliteStagedFile(this.#store, { id, size: this.#size, chunkBytes: this.#store.chunkBytes })
  }

  async discard(): Promise<void> {
    if (this.#state === 'finished' || this.#state === 'discarded') return
    this.#state = 'discarded'
    this.#buffer = undefined
    if (this.#id !== undefined) await removeFile(this.#store, this.#id)
  }

  /** Writes what is buffered as the next chunk; nothing for the only chunk of an empty file. */
  async #flush(): Promise<void> {
    const bytes = this.#buffer?.subarray(0, this.#buffered) ?? new Uint8Array(0)
    try {
      this.#id = await this.#store.transact('lazy', (sql) => this.#append(sql, bytes))
    } catch (error) {
      this.#state = this.#state === 'open' ? 'failed' : this.#state
      throw error
    }
    this.#chunks++
    this.#size += bytes.length
    this.#buffered = 0
    await this.#store.noteBytes(bytes.length)
  }

  #append(sql: Statements, bytes: Uint8Array): number {
    if (this.#chunks >= MAX_CHUNKS) {
      throw new GitError(
        'LIMIT_EXCEEDED',
        `a file has at most ${MAX_CHUNKS} chunks of ${this.#store.chunkBytes} bytes`,
        {
          details: { limit: 'chunks', most: MAX_CHUNKS },
        },
      )
    }
    const { expiry, chunkBytes } = this.#store
    const id = this.#id ?? numberIn(sql.insertFile.get(chunkBytes, expiry) ?? {}, 'id')
    if (sql.growFile.get(bytes.length, expiry, id) === undefined) throw expiredError(this.#store)
    if (bytes.length > 0) sql.insertChunk.run(chunkId(id, this.#chunks), bytes)
    return id
  }

  #assertOpen(): void {
    if (this.#state === 'open') return
    throw new GitError(
      'INVALID_ARGUMENT',
      `this file cannot be written: it is ${this.#state}; begin a new one`,
    )
  }
}

/** For a staged file that was left alone for so long that it was removed. */
export function expiredError(store: SqliteStore): GitError {
  return new GitError(
    'STORAGE',
    `${WHAT} was neither written nor read for ${store.gracePeriod} ms and is removed; write it anew`,
    { details: { gracePeriod: store.gracePeriod } },
  )
}
