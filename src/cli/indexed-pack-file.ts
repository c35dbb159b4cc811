import { yieldToHost } from '../bytes/yield-to-host.ts'
import { createNodeCodecs } from '../codec/node/index.ts'
import type { Codecs } from '../codec/ports.ts'
import { objectFormat, type ObjectFormat, type ObjectFormatName } from '../object/object-format.ts'
import { ResidentIndexer, type IndexedPack } from '../pack/indexer/resident-indexer.ts'
import type { ProgressListener } from '../pack/progress.ts'

/** How many bytes are worked on between two looks at the progress bar. */
const WORK_BYTES = 4 << 20

/** What one of the commands that look into a pack is told about it. */
export interface PackOptions {
  readonly objectFormat: ObjectFormatName
  readonly portable?: boolean
}

/** The codecs and the format that the options ask for; the portable provider is loaded only when it is. */
export async function packFormat(options: PackOptions): Promise<{ codecs: Codecs; format: ObjectFormat }> {
  let codecs: Codecs
  if (options.portable === true) {
    const { createPortableCodecs } = await import('../codec/portable/index.ts')
    codecs = createPortableCodecs()
  } else {
    codecs = createNodeCodecs()
  }
  return { codecs, format: objectFormat(options.objectFormat, codecs) }
}

/**
 * Verifies every byte of a pack that is complete in itself, and finds the ids of its objects.
 *
 * @throws GitError `CORRUPT_PACK`, `MISSING_BASE`
 */
export async function indexWholePack(
  pack: Uint8Array,
  codecs: Codecs,
  format: ObjectFormat,
  onProgress: ProgressListener,
): Promise<IndexedPack> {
  const indexer = new ResidentIndexer(pack, { codecs, format })
  while (!indexer.scan(WORK_BYTES)) {
    onProgress({ phase: 'receiving', done: indexer.objectCount })
    await yieldToHost()
  }
  onProgress({ phase: 'receiving', done: indexer.objectCount })
  const total = indexer.deltaCount
  const whole = indexer.objectCount - total
  while (!indexer.resolve(WORK_BYTES)) {
    onProgress({ phase: 'resolving', done: indexer.resolvedCount - whole, total })
    await yieldToHost()
  }
  if (total > 0) onProgress({ phase: 'resolving', done: indexer.resolvedCount - whole, total })
  return indexer.finish()
}
