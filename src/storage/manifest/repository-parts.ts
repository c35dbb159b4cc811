import { decodeUtf8 } from '../../bytes/text.ts'
import { GitError } from '../../errors.ts'
import { hexLengthOf } from '../../object/object-format.ts'
import { parsePackedRefs } from '../../refs/packed-refs.ts'
import type { BucketStore } from './bucket-store.ts'
import { isInline, type Manifest } from './manifest.ts'
import type { FileName } from './object-names.ts'
import { parseInlineRefs, RefLayers } from './ref-layers.ts'

/**
 * Opens the refs of a manifest: its tables are read, as far as they are not in memory.
 *
 * @throws GitError `NOT_FOUND` when a table is gone, because the manifest is an old one.
 */
export async function openRefs(store: BucketStore, manifest: Manifest): Promise<RefLayers> {
  const known = store.refs.get(manifest)
  if (known !== undefined) return known
  const hexLength = hexLengthOf(manifest.objectFormat)
  const tables = await Promise.all(
    manifest.refs.tables.map(({ file, size }) =>
      store.tables.get(file, size, async () => parsePackedRefs(await readListed(store, file), hexLength)),
    ),
  )
  const refs = new RefLayers(parseInlineRefs(manifest.refs.inline), tables)
  store.refs.set(manifest, refs)
  return refs
}

/**
 * The shallow list of a manifest.
 *
 * @throws GitError `NOT_FOUND` when its file is gone, because the manifest is an old one.
 */
export async function readShallow(store: BucketStore, { shallow }: Manifest): Promise<readonly string[]> {
  if (isInline(shallow)) return shallow
  const { file, size } = shallow
  return store.shallow.get(file, size, async () => decodeUtf8(await readListed(store, file)).split('\n'))
}

/** Reads a file that a manifest lists, whole. */
export async function readListed(store: BucketStore, file: FileName): Promise<Uint8Array> {
  const bytes = await store.readFile(file)
  if (bytes !== undefined) return bytes
  throw new GitError('NOT_FOUND', `${store.location} has no file ${file} any more; read the manifest again`, {
    details: { file },
  })
}
