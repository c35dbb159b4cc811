import { mkdir, open, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { encodeHex } from '../../bytes/hex.ts'
import { createNodeCodecs } from '../../codec/node/index.ts'
import type { Codecs } from '../../codec/ports.ts'
import { GitError } from '../../errors.ts'
import type { ObjectView } from '../../odb/object-view.ts'
import type { ProgressListener } from '../../pack/progress.ts'
import { planPack, type PackPlan } from '../../repository/outgoing-pack.ts'
import type { Repository } from '../../repository/repository.ts'
import { misuse } from '../failure.ts'
import { indexFile } from '../index-file.ts'
import { openRepositoryAt } from '../open-repository.ts'
import { writeOut } from '../output.ts'
import { createProgressBar, type ProgressBar } from '../progress-bar.ts'
import { writeWholeFile } from '../whole-file.ts'
import { withThreads } from '../with-threads.ts'

export interface PackCommandOptions {
  readonly all?: boolean
  readonly stdout: boolean
  readonly outDir: string
  readonly quiet: boolean
  readonly window?: number
  readonly depth?: number
  readonly reuseDelta: boolean
  readonly reuseObject: boolean
  readonly portable: boolean
  readonly threads: number
}

/**
 * `packstone pack`: one self-contained pack of everything that the refs reach; prints its checksum. Without any of the options that say
 * how deltas are searched, none are: stored ones are copied.
 */
export async function packCommand(path: string, options: PackCommandOptions): Promise<void> {
  if (options.all !== true) throw misuse('pack needs --all: it packs what all refs reach')
  if (options.stdout && process.stdout.isTTY) {
    throw misuse('a pack is no text for a terminal; send standard output to a file or a program')
  }
  if (options.threads > 1 && !isSearching(options)) {
    throw misuse('--threads needs an option that has deltas searched, such as --window or --no-reuse-delta')
  }
  const repository = await openRepositoryAt(path, { codecs: await codecsFor(options) })
  const progress = await createProgressBar(options)
  try {
    const view = await repository.openView()
    try {
      const plan = await makePlan(repository, view, options, progress.show)
      if (options.stdout) {
        for await (const piece of plan.write({ onProgress: progress.show })) await writeOut(piece)
      } else {
        await writeOut((await writePackFiles(repository, plan, options.outDir, progress)) + '\n')
      }
    } finally {
      await view.close()
    }
  } finally {
    progress.stop()
    await repository.close()
  }
}

async function codecsFor({ portable }: PackCommandOptions): Promise<Codecs> {
  if (!portable) return createNodeCodecs()
  const { createPortableCodecs } = await import('../../codec/portable/index.ts')
  return createPortableCodecs()
}

function isSearching({ window, depth, reuseDelta, reuseObject }: PackCommandOptions): boolean {
  return window !== undefined || depth !== undefined || !reuseDelta || !reuseObject
}

async function makePlan(
  repository: Repository,
  view: ObjectView,
  options: PackCommandOptions,
  onProgress: ProgressListener,
): Promise<PackPlan> {
  const refs = await repository.listAdvertisedRefs(view)
  const tips = [...new Set(refs.map((ref) => ref.id))]
  if (isSearching(options)) {
    const { planRepack } = await import('../../repository/repack/repack.ts')
    const { window, depth, reuseDelta, reuseObject, threads: count, portable } = options
    return withThreads({ count, provider: portable ? 'portable' : 'node' }, (threads) =>
      planRepack(view, tips, {
        ...(window === undefined ? {} : { window }),
        ...(depth === undefined ? {} : { depth }),
        reuseDeltas: reuseDelta,
        reuseObjects: reuseObject,
        ...threads,
        onProgress,
      }),
    )
  }
  const request = {
    wants: tips,
    haves: [],
    clientShallow: [],
    shallow: await repository.storage.readShallow(),
    unshallow: [],
    thin: false,
    ofsDelta: true,
    includeTags: [],
  }
  return planPack(view, request, { onProgress })
}

/** Writes `pack-<checksum>.pack`, then its index, as git does: a pack counts once its index is there. */
async function writePackFiles(
  repository: Repository,
  plan: PackPlan,
  directory: string,
  progress: ProgressBar,
): Promise<string> {
  await mkdir(directory, { recursive: true })
  const temporary = join(directory, `tmp_pack_${process.pid}`)
  try {
    const file = await open(temporary, 'wx', 0o444)
    try {
      for await (const piece of plan.write({ onProgress: progress.show })) await file.appendFile(piece)
      await file.sync()
    } finally {
      await file.close()
    }
    const { codecs, format } = repository
    const { index, checksum } = await indexFile(temporary, { codecs, format, onProgress: progress.show })
    const name = encodeHex(checksum)
    await rename(temporary, join(directory, `pack-${name}.pack`))
    await writeWholeFile(join(directory, `pack-${name}.idx`), index)
    progress.stop()
    return name
  } catch (cause) {
    await rm(temporary, { force: true })
    if (cause instanceof GitError) throw cause
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new GitError('STORAGE', `cannot write a pack into '${directory}': ${reason}`, { cause })
  }
}
