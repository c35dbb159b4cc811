import { compareRanges, equalBytes } from '../../bytes/compare.ts'
import { GitError } from '../../errors.ts'
import type { ObjectFormat } from '../../object/object-format.ts'
import type { IndexedPack } from '../../pack/indexer/resident-indexer.ts'
import { PackIndex } from '../../pack/pack-index.ts'
import { indexWholePack, packFormat, type PackOptions } from '../indexed-pack-file.ts'
import { writeOut } from '../output.ts'
import { formatPackListing } from '../pack-listing.ts'
import { readWholeFile } from '../whole-file.ts'

export interface VerifyPackOptions extends PackOptions {
  readonly verbose: boolean
  readonly statOnly: boolean
}

/** `packstone verify-pack`: verifies every object of a pack, and that its index says the same. */
export async function verifyPackCommand(files: readonly string[], options: VerifyPackOptions): Promise<void> {
  const { codecs, format } = await packFormat(options)
  const failed: string[] = []
  for (const file of files) {
    const base = file.replace(/\.(?:idx|pack)$/, '')
    try {
      const index = new PackIndex(await readWholeFile(base + '.idx'), format.idLength)
      const pack = await readWholeFile(base + '.pack')
      const indexed = await indexWholePack(pack, codecs, format, () => undefined)
      assertSameObjects(index, indexed, format)
      if (options.verbose || options.statOnly) {
        await writeOut(formatPackListing(pack, indexed.table, !options.statOnly))
        if (options.verbose) await writeOut(`${base}.pack: ok\n`)
      }
    } catch (error) {
      if (options.verbose) await writeOut(`${base}.pack: bad\n`)
      if (files.length === 1) throw error
      process.stderr.write(
        `packstone: ${base}.pack: ${error instanceof Error ? error.message : String(error)}\n`,
      )
      failed.push(base)
    }
  }
  if (failed.length > 0) {
    throw new GitError('CORRUPT_PACK', `${failed.length} of ${files.length} packs did not pass`)
  }
}

function assertSameObjects(index: PackIndex, indexed: IndexedPack, format: ObjectFormat): void {
  const { table, checksum } = indexed
  const { idLength } = format
  const actual = new Uint8Array(idLength)
  format.hash.digestRangeInto(index.checksummed, 0, index.checksummed.length, actual, 0)
  if (!equalBytes(actual, index.checksum)) throw mismatch('its checksum is wrong')
  if (!equalBytes(index.packChecksum, checksum)) throw mismatch('it belongs to another pack')
  if (index.objectCount !== table.count) {
    throw mismatch(`it has ${index.objectCount} objects, and the pack ${table.count}`)
  }
  for (let rank = 0; rank < index.objectCount; rank++) {
    const offset = index.offset(rank)
    const row = table.rowAt(offset)
    if (
      row < 0 ||
      compareRanges(index.bytes, index.idAt(rank), table.ids, row * idLength, idLength) !== 0 ||
      (index.crc(rank) ?? table.crcs[row]) !== table.crcs[row]
    ) {
      throw mismatch(`its entry for offset ${offset} is wrong`)
    }
  }
}

function mismatch(what: string): GitError {
  return new GitError('CORRUPT_INDEX', `the index does not fit its pack: ${what}`)
}
