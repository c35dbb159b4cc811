import type { ObjectId } from '../../object/object-id.ts'
import type { ObjectView } from '../../odb/object-view.ts'
import { encodeEntry } from '../../pack/encode-entry.ts'
import { encodePackHeader, PACK_HEADER_LENGTH } from '../../pack/pack-header.ts'
import { PackOutput } from '../../pack/pack-output.ts'
import type { MadeObject } from './edit-tree.ts'

/** Yields a pack of objects that were made in memory, each stored whole. */
// eslint-disable-next-line @typescript-eslint/require-await -- a pack is received from an asynchronous source
export async function* encodeMadePack(
  view: ObjectView,
  objects: ReadonlyMap<ObjectId, MadeObject>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const output = new PackOutput(view.format)
  output.append(encodePackHeader(objects.size), 0, PACK_HEADER_LENGTH)
  for (const { type, body } of objects.values()) {
    const entry = encodeEntry(type, body, view.codecs.deflate)
    output.append(entry, 0, entry.length)
    yield* output.ready.splice(0)
  }
  output.finish()
  yield* output.ready.splice(0)
}
