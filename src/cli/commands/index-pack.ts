import { encodeHex } from '../../bytes/hex.ts'
import { indexPack } from '../../pack/indexer/index-pack.ts'
import { misuse } from '../failure.ts'
import { writeOut } from '../output.ts'
import { loadPackFormat, type PackFormatOptions } from '../pack-format.ts'
import { createProgressBar } from '../progress-bar.ts'
import { readWholeFile, writeWholeFile } from '../whole-file.ts'

export interface IndexPackOptions extends PackFormatOptions {
  readonly out?: string
  readonly quiet: boolean
}

/** `packstone index-pack`: writes the index of a pack, and prints the checksum of the pack as git does. */
export async function indexPackCommand(file: string, options: IndexPackOptions): Promise<void> {
  const out = options.out ?? defaultIndexName(file)
  const { codecs, format } = await loadPackFormat(options)
  const progress = await createProgressBar(options)
  try {
    const pack = await readWholeFile(file)
    const { index, checksum } = await indexPack(pack, { codecs, format, onProgress: progress.show })
    await writeWholeFile(out, index)
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
