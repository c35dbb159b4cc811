import { encodeHex } from '../../bytes/hex.ts'
import { encodePackIndex } from '../../pack/encode-pack-index.ts'
import { misuse } from '../failure.ts'
import { indexWholePack, packFormat, type PackOptions } from '../indexed-pack-file.ts'
import { writeOut } from '../output.ts'
import { createProgressBar } from '../progress-bar.ts'
import { readWholeFile, writeWholeFile } from '../whole-file.ts'

export interface IndexPackOptions extends PackOptions {
  readonly out?: string
  readonly quiet: boolean
}

/** `packstone index-pack`: writes the index of a pack, and prints the checksum of the pack as git does. */
export async function indexPackCommand(file: string, options: IndexPackOptions): Promise<void> {
  const out = options.out ?? defaultIndexName(file)
  const { codecs, format } = await packFormat(options)
  const progress = await createProgressBar(options)
  try {
    const pack = await readWholeFile(file)
    const { table, checksum } = await indexWholePack(pack, codecs, format, progress.show)
    const entries = { objectCount: table.count, ids: table.ids, crcs: table.crcs, offsets: table.offsets }
    await writeWholeFile(out, encodePackIndex(entries, checksum, format))
    progress.stop()
    await writeOut(encodeHex(checksum) + '\n')
  } finally {
    progress.stop()
  }
}

function defaultIndexName(file: string): string {
  if (file.endsWith('.pack')) return file.slice(0, -'.pack'.length) + '.idx'
  throw misuse(`the name of '${file}' does not end in .pack; say with --out where its index goes`)
}
