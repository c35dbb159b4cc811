import { encodeHex } from '../../bytes/hex.ts'
import type { NamedEnumeration } from '../../graph/enumerate-named.ts'
import type { ObjectView } from '../../odb/object-view.ts'
import type { PackIndexing } from '../../pack/indexer/pack-indexing.ts'
import type { NewPack } from '../../storage/repository-storage.ts'
import { planNamedPack, type RepackOptions } from '../repack/repack.ts'
import type { Repository } from '../repository.ts'
import { storePack } from '../store-pack.ts'
import { writePieces } from '../write-staged.ts'

/** A new pack, complete and verified, that nobody else sees yet. */
export interface MadePack {
  readonly staged: NewPack
  readonly indexing: Pick<PackIndexing, 'index' | 'packIndex' | 'reachability' | 'checksum'>
}

export interface MakePackOptions extends RepackOptions {
  readonly signal: AbortSignal
  /** Memory for indexing what was written. */
  readonly memoryBytes: number
}

/**
 * Writes a pack of the given objects, and indexes what was written: every object is read back and hashed before anybody relies on it.
 * `undefined` when there are no objects.
 *
 * @throws GitError as repacking and indexing do; the signal's reason when aborted. Nothing is kept then.
 */
export async function makePack(
  { storage, format, codecs }: Repository,
  view: ObjectView,
  contents: NamedEnumeration,
  options: MakePackOptions,
): Promise<MadePack | undefined> {
  if (contents.objects.size === 0) return undefined
  const { signal, memoryBytes, onProgress } = options
  const plan = await planNamedPack(view, contents, options)
  const { staged: pack, ...indexing } = await storePack(storage, view, plan.write(), {
    format,
    codecs,
    signal,
    memoryBytes,
    reachability: true,
    ...(onProgress === undefined ? {} : { onProgress }),
  })
  try {
    const index = await writePieces(storage, 'idx', [indexing.index])
    return { staged: { name: `pack-${encodeHex(indexing.checksum)}`, pack, index }, indexing }
  } catch (error) {
    await pack.discard()
    throw error
  }
}

/** Gives up packs that no commit has taken. */
export async function discardMade(packs: readonly (MadePack | undefined)[]): Promise<void> {
  for (const made of packs) {
    if (made === undefined) continue
    await made.staged.pack.close()
    await made.staged.pack.discard()
    await made.staged.index.close()
    await made.staged.index.discard()
  }
}
