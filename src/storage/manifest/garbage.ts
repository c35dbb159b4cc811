import { decodeUtf8 } from '../../bytes/text.ts'
import type { ListedObject } from './bucket.ts'
import type { BucketStore } from './bucket-store.ts'
import { listedFiles, type Manifest } from './manifest.ts'
import { fileIdOf, ownerOf } from './object-names.ts'

/** The objects of one repository, by their name within it. */
type RepositoryObjects = ReadonlyMap<string, ListedObject>

/**
 * Files that a repository lists, or has listed within the grace period: the ids of the files, with those of the repositories that wrote
 * them. `unknown` when it may be about to list any.
 */
type Needs = ReadonlyMap<string, string> | 'unknown'

const NOTHING: Needs = new Map()
const NO_BYTES = new Uint8Array(0)

/**
 * Deletes the files that no repository needs and whose grace period is over. A file is needed by the repositories that list it, and
 * for the grace period after they listed it last.
 *
 * Objects are listed repository by repository; memory grows with the objects of one, not of the bucket.
 */
export async function collectBucket(store: BucketStore): Promise<void> {
  const { repositories, prefix } = store.names
  let id: string | undefined
  let objects = new Map<string, ListedObject>()
  for await (const object of listObjects(store, repositories)) {
    const path = object.key.slice(repositories.length)
    const slash = path.indexOf('/')
    const owner = path.slice(0, slash)
    if (owner !== id) {
      if (id !== undefined) await removeUnneeded(store, id, objects)
      id = owner
      objects = new Map()
    }
    objects.set(path.slice(slash + 1), object)
  }
  if (id !== undefined) await removeUnneeded(store, id, objects)
  const probes: string[] = []
  for await (const object of listObjects(store, `${prefix}probe/`))
    if (isOld(store, object)) probes.push(object.key)
  await deleteObjects(store, probes)
}

/**
 * The same for the files of one repository.
 *
 * @returns how many objects were deleted.
 */
export async function collectRepository(store: BucketStore, id: string): Promise<number> {
  const prefix = store.names.repository(id)
  const objects = new Map<string, ListedObject>()
  for await (const object of listObjects(store, prefix)) objects.set(object.key.slice(prefix.length), object)
  return removeUnneeded(store, id, objects)
}

async function removeUnneeded(store: BucketStore, id: string, objects: RepositoryObjects): Promise<number> {
  const { names, bucket } = store
  // It is written first and deleted last; without it nothing can be known.
  if (!objects.has('key')) return 0
  const manifest = await readManifestOf(store, id)
  const deleted = objects.get('deleted')
  if (manifest === undefined) {
    // Found deleted, or begun and never finished, or about to be made: the grace period begins.
    if (deleted === undefined) await bucket.put(names.deleted(id), NO_BYTES)
    if (deleted === undefined ? store.gracePeriod > 0 : !isOld(store, deleted)) return 0
  } else if (deleted !== undefined) {
    await deleteObjects(store, [deleted.key])
  }

  const own = manifest === undefined ? NOTHING : needsOf(store, manifest)
  // What is derived goes with its pack, also where that lies with another repository.
  const files = [...objects].flatMap(([path, object]) => {
    const file = /^f\/([0-9a-f]+)(?:\..*)?$/.exec(path)?.[1]
    return file === undefined ? [] : [{ file, object }]
  })
  const garbage = files.filter(({ file, object }) => isOld(store, object) && !isNeeded(own, file))
  if (garbage.length === 0 && manifest !== undefined) return 0

  const users = await askUsers(store, id)
  const needs = [...users.values()].map((user) => user.needs)
  const unneeded = garbage.filter(({ file }) => needs.every((one) => !isNeeded(one, file)))
  const left = [...users.values()].filter((user) => needsAnyOf(user.needs, id) || !isOld(store, user.marker))
  const gone = [...users.values()].filter((user) => !left.includes(user)).map(({ marker }) => marker.key)
  const deletions = [...unneeded.map(({ object }) => object.key), ...gone]
  await deleteObjects(store, deletions)
  if (manifest === undefined && unneeded.length === files.length && left.length === 0) {
    await deleteObjects(store, [names.deleted(id)])
    await deleteObjects(store, [names.keyOf(id)])
  }
  return deletions.length
}

interface User {
  readonly needs: Needs
  readonly marker: ListedObject
}

/**
 * Asks the other repositories that may list files of one what they need. They are listed again afterwards until there is nobody new:
 * who puts his marker later than that sees that his source has ceased to list what is garbage.
 */
async function askUsers(store: BucketStore, id: string): Promise<ReadonlyMap<string, User>> {
  const prefix = store.names.user(id, '')
  const users = new Map<string, User>()
  for (let before = -1; before < users.size;) {
    before = users.size
    for await (const marker of listObjects(store, prefix)) {
      const user = marker.key.slice(prefix.length)
      if (!users.has(user)) users.set(user, { needs: await needsOfUser(store, user, marker), marker })
    }
  }
  return users
}

async function needsOfUser(store: BucketStore, user: string, marker: ListedObject): Promise<Needs> {
  const manifest = await readManifestOf(store, user)
  if (manifest !== undefined) return needsOf(store, manifest)
  if (!isOld(store, marker)) return 'unknown'
  const [deleted] = (await store.bucket.list({ prefix: store.names.deleted(user), limit: 1 })).objects
  if (deleted !== undefined) return isOld(store, deleted) ? NOTHING : 'unknown'
  // Its grace period has not begun yet, unless nothing of it is left.
  return (await store.bucket.get(store.names.keyOf(user))) === undefined ? NOTHING : 'unknown'
}

function needsOf(store: BucketStore, manifest: Manifest): Needs {
  const now = Date.now()
  const files = [...listedFiles(manifest)]
  for (const [file, at] of manifest.dropped) if (now - at <= store.gracePeriod) files.push(file)
  return new Map(files.map((file) => [fileIdOf(file), ownerOf(file)]))
}

function isNeeded(needs: Needs, file: string): boolean {
  return needs === 'unknown' || needs.has(file)
}

function needsAnyOf(needs: Needs, owner: string): boolean {
  return needs === 'unknown' || [...needs.values()].includes(owner)
}

/** The manifest of a repository by its id; `undefined` when it was deleted, or is not made yet. */
async function readManifestOf(store: BucketStore, id: string): Promise<Manifest | undefined> {
  const key = await store.bucket.get(store.names.keyOf(id))
  if (key === undefined || key === 'unchanged') return undefined
  const stored = await store.readManifest(decodeUtf8(key.bytes))
  return stored?.manifest.id === id ? stored.manifest : undefined
}

function isOld({ gracePeriod }: BucketStore, { uploaded }: ListedObject): boolean {
  return Date.now() - uploaded >= gracePeriod
}

async function* listObjects({ bucket }: BucketStore, prefix: string): AsyncGenerator<ListedObject> {
  let cursor: string | undefined
  do {
    const page = await bucket.list(cursor === undefined ? { prefix } : { prefix, cursor })
    yield* page.objects
    cursor = page.cursor
  } while (cursor !== undefined)
}

async function deleteObjects({ bucket }: BucketStore, keys: readonly string[]): Promise<void> {
  const { maxDeletes } = bucket.limits
  for (let at = 0; at < keys.length; at += maxDeletes) await bucket.delete(keys.slice(at, at + maxDeletes))
}
