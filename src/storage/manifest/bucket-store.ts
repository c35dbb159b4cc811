import { GitError } from '../../errors.ts'
import type { PackedRefs } from '../../refs/packed-refs.ts'
import type { Bucket } from './bucket.ts'
import { FileCache } from './file-cache.ts'
import type { Manifest, StoredManifest } from './manifest.ts'
import { objectNames, type FileName, type ObjectNames } from './object-names.ts'
import { parseManifest } from './parse-manifest.ts'
import { assertConditionalWrites } from './probe.ts'
import { ReadAheadPool } from './read-ahead.ts'
import type { RefLayers } from './ref-layers.ts'
import { withRetries, type RetryPolicy } from './retrying-bucket.ts'

export interface BucketStoreOptions {
  readonly prefix: string
  readonly gracePeriod: number
  readonly retries: RetryPolicy
  /** Memory for what is read ahead, and for tables of refs, in bytes. */
  readonly readAheadBytes: number
  readonly refCacheBytes: number
  /** Whether conditional writes are tried before the first one counts. */
  readonly probe: boolean
}

/** Manifests that are remembered: each saves the bytes of reading it again, never the asking. */
const REMEMBERED = 512

/** Memory for long shallow lists, in bytes of their files. */
const SHALLOW_CACHE = 4 << 20

/** A bucket with what all handles of a storage share. */
export class BucketStore {
  readonly bucket: Bucket
  readonly names: ObjectNames
  /** How long files that no manifest lists are left alone, in milliseconds. */
  readonly gracePeriod: number
  readonly retries: RetryPolicy
  readonly readAhead: ReadAheadPool
  /** Ref tables by the file they are in. */
  readonly tables: FileCache<PackedRefs>
  /** The refs of manifests that are remembered. */
  readonly refs = new WeakMap<Manifest, RefLayers>()
  /** Shallow lists by the file they are in. */
  readonly shallow = new FileCache<readonly string[]>(SHALLOW_CACHE)
  readonly #known = new Map<string, StoredManifest>()
  /** Reads that are going to begin. */
  readonly #coming = new Map<string, Promise<StoredManifest | undefined>>()
  readonly #probe: boolean
  #probed: Promise<void> | undefined
  #open = true

  constructor(bucket: Bucket, options: BucketStoreOptions) {
    this.bucket = withRetries(bucket, options.retries)
    this.names = objectNames(options.prefix)
    this.gracePeriod = options.gracePeriod
    this.retries = options.retries
    this.readAhead = new ReadAheadPool(options.readAheadBytes)
    this.tables = new FileCache(options.refCacheBytes)
    this.#probe = options.probe
  }

  get location(): string {
    return this.bucket.location
  }

  /** The manifest of a key as it is now; `undefined` where there is no repository. Calls that come at once share one request. */
  readManifest(key: string): Promise<StoredManifest | undefined> {
    const coming = this.#coming.get(key)
    if (coming !== undefined) return coming
    const read = Promise.resolve().then(() => {
      this.#coming.delete(key)
      return this.#read(key)
    })
    this.#coming.set(key, read)
    return read
  }

  async #read(key: string): Promise<StoredManifest | undefined> {
    this.assertOpen()
    const known = this.#known.get(key)
    const name = this.names.manifest(key)
    const object = await this.bucket.get(name, known === undefined ? {} : { unless: known.etag })
    if (object === 'unchanged') return known
    if (object === undefined || object.bytes.length === 0) {
      this.#known.delete(key)
      return undefined
    }
    const what = `${this.location}:${name}`
    const { bytes, etag } = object
    return this.remember(key, { manifest: parseManifest(bytes, what), etag, size: bytes.length })
  }

  /** The manifest that was read or written last, however old. */
  tryManifest(key: string): StoredManifest | undefined {
    return this.#known.get(key)
  }

  /** Keeps a manifest unless a newer one is known. */
  remember(key: string, stored: StoredManifest): StoredManifest {
    const known = this.#known.get(key)
    const { id, revision } = stored.manifest
    if (known?.manifest.id === id && known.manifest.revision > revision) return stored
    this.#known.delete(key)
    this.#known.set(key, stored)
    const [oldest] = this.#known.keys()
    if (this.#known.size > REMEMBERED && oldest !== undefined) this.#known.delete(oldest)
    return stored
  }

  forget(key: string): void {
    this.#known.delete(key)
  }

  /** Reads an immutable file, whole; `undefined` when it is gone. */
  async readFile(file: FileName): Promise<Uint8Array | undefined> {
    const object = await this.bucket.get(this.names.file(file))
    return object === 'unchanged' ? undefined : object?.bytes
  }

  /**
   * Waits until the store is known to honour the conditions of puts.
   *
   * @param asked find out also where the storage was made to trust the store.
   * @throws GitError `UNSUPPORTED`
   */
  async assertWritable(asked = false): Promise<void> {
    this.assertOpen()
    if (!this.#probe && !asked) return
    this.#probed ??= assertConditionalWrites(this.bucket, () => this.names.probe(), this.retries)
    try {
      await this.#probed
    } catch (error) {
      this.#probed = undefined
      throw error
    }
  }

  assertOpen(): void {
    if (!this.#open) throw new GitError('INVALID_ARGUMENT', `${this.location} was closed; open it again`)
  }

  close(): void {
    this.#open = false
    this.#known.clear()
    this.tables.clear()
    this.shallow.clear()
  }
}
