import { encodeUtf8 } from '../../bytes/text.ts'
import { assertNoLoose, checkForkOptions, goneFromSource, noSource } from '../fork-options.ts'
import type { ForkRepositoryOptions, SharedPack } from '../storage.ts'
import type { BucketStore } from './bucket-store.ts'
import { createManifest, emptyManifest } from './create-manifest.ts'
import { listedFiles, type Manifest, type ManifestPack, type StoredManifest } from './manifest.ts'
import { ownerOf, randomId } from './object-names.ts'
import { RefLayers } from './ref-layers.ts'
import { sealState, writeFile } from './repository-state.ts'

/**
 * Makes a repository out of another one's packs.
 *
 * A file may be listed by others than the repository that wrote it. Such a user has a marker beside the files, put there before it
 * is seen once more that the source still lists them: who collects garbage looks for markers after he has seen that the files are
 * listed no more, so that one of the two notices the other.
 *
 * @throws GitError as `Storage.fork`
 */
export async function forkManifest(
  store: BucketStore,
  sourceKey: string,
  key: string,
  options: ForkRepositoryOptions,
): Promise<StoredManifest> {
  const { location, bucket, names } = store
  await store.assertWritable()
  const stored = await store.readManifest(sourceKey)
  if (stored === undefined) throw noSource(location, sourceKey)
  const source = stored.manifest
  const { refs, shallow, packs, loose } = checkForkOptions(options, source.objectFormat)
  assertNoLoose(loose, location)
  const shared = packs.map((pack) => findShared(location, source, pack))

  const id = randomId()
  const owners = new Set(shared.flatMap(({ pack, idx, mask }) => [pack, idx, mask ?? pack].map(ownerOf)))
  await bucket.put(names.keyOf(id), encodeUtf8(key))
  await Promise.all([...owners].map((owner) => bucket.put(names.user(owner, id), encodeUtf8(sourceKey))))
  await assertStillListed(store, sourceKey, source, shared)

  const own = await Promise.all(packs.map((pack, at) => withMask(store, id, shared[at]!, pack)))
  const base = emptyManifest(id, source.objectFormat, { config: source.config, head: options.head })
  const values = new Map(refs.list('').map((ref) => [ref.name, ref]))
  const state = { manifest: { ...base, packs: own }, refs: new RefLayers(values, []), shallow }
  return createManifest(store, key, await sealState(store, base, state, randomId()))
}

function findShared(location: string, source: Manifest, { name }: SharedPack): ManifestPack {
  const pack = source.packs.find((one) => one.name === name)
  if (pack !== undefined) return pack
  throw goneFromSource(location, `pack ${name}`)
}

/** The source may have dropped a pack, or be deleted, since its manifest was read. */
async function assertStillListed(
  store: BucketStore,
  sourceKey: string,
  source: Manifest,
  shared: readonly ManifestPack[],
): Promise<void> {
  const now = await store.readManifest(sourceKey)
  if (now?.manifest.id !== source.id) throw noSource(store.location, sourceKey)
  const listed = new Set(listedFiles(now.manifest))
  for (const { name, pack, idx, mask } of shared) {
    const isThere = [pack, idx, mask].every((file) => file === undefined || listed.has(file))
    if (!isThere) throw goneFromSource(store.location, `pack ${name}`)
  }
}

/** The fork's entry of a pack: with a mask of its own, or that of the source. */
async function withMask(
  store: BucketStore,
  id: string,
  shared: ManifestPack,
  { visible }: SharedPack,
): Promise<ManifestPack> {
  if (visible === undefined) return shared
  const { file } = await writeFile(store, id, visible)
  return { ...shared, mask: file }
}
