import { encodeHex } from '../../bytes/hex.ts'
import { misuse } from '../failure.ts'
import { indexFile } from '../index-file.ts'
import { writeOut } from '../output.ts'
import { loadPackFormat, type PackFormatOptions } from '../pack-format.ts'
import { createProgressBar } from '../progress-bar.ts'
import { writeWholeFile } from '../whole-file.ts'

export interface IndexPackOptions extends PackFormatOptions {
  readonly out?: string
  /** Bytes. */
  readonly memoryBudget?: number
  readonly threads: number
  readonly quiet: boolean
}

/** `packstone index-pack`: writes the index of a pack, and prints the checksum of the pack as git does. */
export async function indexPackCommand(file: string, options: IndexPackOptions): Promise<void> {
  const out = options.out ?? defaultIndexName(file)
  const progress = await createProgressBar(options)
  try {
    const { portable = false, collisionDetection = false, memoryBudget, threads: count } = options
    const { index, checksum } = await indexFile(file, {
      ...(await loadPackFormat(options)),
      onProgress: progress.show,
      memoryBudget,
      threads: { count, provider: portable ? 'portable' : 'node', collisionDetection },
    })
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
