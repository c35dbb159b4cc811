import { compareRanges, equalBytes } from '../../bytes/compare.ts'
import { GitError } from '../../errors.ts'
import type { ObjectFormat } from '../../object/object-format.ts'
import { PackIndex } from '../../pack/pack-index.ts'
import { indexFile } from '../index-file.ts'
import { writeOut } from '../output.ts'
import { loadPackFormat, type PackFormatOptions } from '../pack-format.ts'
import { formatPackListing } from '../pack-listing.ts'
import { openRangeReader, readWholeFile } from '../whole-file.ts'

export interface VerifyPackOptions extends PackFormatOptions {
  readonly verbose: boolean
  readonly statOnly: boolean
}

/** `packstone verify-pack`: verifies every object of a pack, and that its index says the same. */
export async function verifyPackCommand(files: readonly string[], options: VerifyPackOptions): Promise<void> {
  const { codecs, format } = await loadPackFormat(options)
  const failed: string[] = []
  for (const file of files) {
    const base = file.replace(/\.(?:idx|pack)$/, '')
    try {
      const stored = new PackIndex(await readWholeFile(base + '.idx'), format.idLength)
      const { packIndex: made } = await indexFile(`${base}.pack`, { codecs, format })
      assertSameObjects(stored, made, format)
      if (options.verbose || options.statOnly) await list(`${base}.pack`, made, !options.statOnly)
      if (options.verbose) await writeOut(`${base}.pack: ok\n`)
    } catch (error) {
      if (options.verbose) await writeOut(`${base}.pack: bad\n`)
      if (files.length === 1) throw error
      const message = error instanceof Error ? error.message : String(error)
      process.stderr.write(`packstone: ${base}.pack: ${message}\n`)
      failed.push(base)
    }
  }
  if (failed.length > 0) {
    throw new GitError('CORRUPT_PACK', `${failed.length} of ${files.length} packs did not pass`)
  }
}

async function list(path: string, index: PackIndex, withObjects: boolean): Promise<void> {
  const pack = await openRangeReader(path)
  try {
    for await (const lines of formatPackListing(pack, index, withObjects)) await writeOut(lines)
  } finally {
    await pack.close()
  }
}

/** Compares an index as it was found with the one that the pack's own bytes make. */
function assertSameObjects(stored: PackIndex, made: PackIndex, format: ObjectFormat): void {
  const checksum = new Uint8Array(format.idLength)
  format.hash.digestRangeInto(stored.checksummed, 0, stored.checksummed.length, checksum, 0)
  if (!equalBytes(checksum, stored.checksum)) throw mismatch('its checksum is wrong')
  if (!equalBytes(stored.packChecksum, made.packChecksum)) throw mismatch('it belongs to another pack')
  if (stored.objectCount !== made.objectCount) {
    throw mismatch(`it has ${stored.objectCount} objects, and the pack ${made.objectCount}`)
  }
  for (let rank = 0; rank < stored.objectCount; rank++) {
    const same =
      compareRanges(stored.bytes, stored.idAt(rank), made.bytes, made.idAt(rank), format.idLength) === 0 &&
      stored.offset(rank) === made.offset(rank) &&
      (stored.version === 1 || stored.crc(rank) === made.crc(rank))
    if (!same) throw mismatch(`its entry ${rank} is wrong`)
  }
}

function mismatch(what: string): GitError {
  return new GitError('CORRUPT_INDEX', `the index does not fit its pack: ${what}`)
}
