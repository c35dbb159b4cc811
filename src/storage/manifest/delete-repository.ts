import { GitError, isGitError } from '../../errors.ts'
import type { BucketStore } from './bucket-store.ts'
import { waitAfterRace } from './retrying-bucket.ts'

/** How often others may change the repository while it is being deleted. */
const ATTEMPTS = 64
const NOTHING = new Uint8Array(0)

/**
 * Deletes a repository: an empty manifest takes the place of its own, on the condition that nobody changed it meanwhile. Its files
 * are garbage from then on.
 *
 * The empty manifest stays until a repository is made of that key again, and no garbage collection takes it. Stores delete without
 * conditions: whoever took it away could take the manifest that has replaced it a moment before. And while it is there, a put that
 * was sent when there was no manifest yet, and comes late or twice, brings nothing back.
 *
 * @returns whether there was one.
 */
export async function deleteRepository(store: BucketStore, key: string): Promise<boolean> {
  await store.assertWritable()
  const { bucket, names } = store
  let id: string | undefined
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const stored = await store.readManifest(key)
    // Gone, or another one in its place: what was there when this began is deleted, by us or by others.
    if (stored === undefined || (id !== undefined && stored.manifest.id !== id)) break
    ;({ id } = stored.manifest)
    if (await tryReplace(store, key, stored.etag)) {
      store.forget(key)
      await bucket.put(names.deleted(id), NOTHING)
      return true
    }
    if (attempt + 1 === ATTEMPTS) {
      throw new GitError('LOCKED', `${key} was changed by others ${ATTEMPTS} times in a row; try again`)
    }
    await waitAfterRace(store.retries, attempt)
  }
  return id !== undefined
}

async function tryReplace(store: BucketStore, key: string, etag: string): Promise<boolean> {
  try {
    const condition = { kind: 'match', etag } as const
    return (await store.bucket.put(store.names.manifest(key), NOTHING, condition)) !== undefined
  } catch (error) {
    if (isGitError(error, 'UNAVAILABLE')) return false
    throw error
  }
}
