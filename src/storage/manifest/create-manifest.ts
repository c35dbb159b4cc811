import { encodeUtf8 } from '../../bytes/text.ts'
import { GitError, isGitError } from '../../errors.ts'
import type { ObjectFormatName } from '../../object/object-format.ts'
import type { PutCondition } from './bucket.ts'
import type { BucketStore } from './bucket-store.ts'
import { encodeManifest, MANIFEST_VERSION, type Manifest, type StoredManifest } from './manifest.ts'
import { randomId } from './object-names.ts'
import { parseManifest } from './parse-manifest.ts'
import { waitBeforeRetry } from './retrying-bucket.ts'

/** The manifest of a repository without anything. */
export function emptyManifest(
  id: string,
  objectFormat: ObjectFormatName,
  { config, head }: { readonly config: string; readonly head: string },
): Manifest {
  return {
    version: MANIFEST_VERSION,
    id,
    revision: 0,
    transactions: [randomId()],
    objectFormat,
    config,
    shallow: [],
    packs: [],
    refs: { inline: [['HEAD', `ref: ${head}`]], tables: [] },
    events: { last: 0, dropped: 0, files: [], inline: [] },
    dropped: [],
  }
}

/**
 * Puts the first manifest of a repository, where there is none or the empty one of a deleted repository.
 *
 * @throws GitError `ALREADY_EXISTS`
 */
export async function createManifest(
  store: BucketStore,
  key: string,
  manifest: Manifest,
): Promise<StoredManifest> {
  await store.assertWritable()
  const { bucket, names, retries } = store
  const name = names.manifest(key)
  const bytes = encodeManifest(manifest)
  // Whoever finds an object of this repository can find out whether it is in use.
  await bucket.put(names.keyOf(manifest.id), encodeUtf8(key))
  let condition: PutCondition = { kind: 'absent' }
  for (let attempt = 0; ; attempt++) {
    const etag = await tryPut(store, name, bytes, condition)
    if (etag !== undefined) return store.remember(key, { manifest, etag, size: bytes.length })
    const found = await bucket.get(name)
    if (found === undefined || found === 'unchanged') {
      condition = { kind: 'absent' }
    } else if (found.bytes.length === 0) {
      condition = { kind: 'match', etag: found.etag }
    } else if (parseManifest(found.bytes, name).id === manifest.id) {
      // It was our own put that was not answered.
      return store.remember(key, { manifest, etag: found.etag, size: bytes.length })
    } else {
      throw new GitError('ALREADY_EXISTS', `${store.location} has a repository ${key} already`, {
        details: { key },
      })
    }
    if (attempt >= retries.attempts) {
      throw new GitError('UNAVAILABLE', `${store.location} did not take the manifest of ${key}; try again`)
    }
    await waitBeforeRetry(retries, attempt)
  }
}

async function tryPut(
  { bucket }: BucketStore,
  name: string,
  bytes: Uint8Array,
  condition: PutCondition,
): Promise<string | undefined> {
  try {
    return await bucket.put(name, bytes, condition)
  } catch (error) {
    if (isGitError(error, 'UNAVAILABLE')) return undefined
    throw error
  }
}
