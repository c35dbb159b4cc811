import { mkdir } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { isGitError } from '../../errors.ts'
import { createMemoryBudget } from '../../odb/memory-budget.ts'
import { hostMemoryBytes } from '../../hosts/node/host-memory.ts'
import { maintain } from '../../repository/maintenance/maintain.ts'
import type { MaintenanceMode, MaintenanceOptions } from '../../repository/maintenance/maintenance-options.ts'
import type { MaintenanceResult, MaintenanceStep } from '../../repository/maintenance/maintenance-result.ts'
import { bundleCommand } from './bundle.ts'
import { misuse, reportFailure } from '../failure.ts'
import {
  findMaintained,
  type MaintainedPlace,
  type MaintainedRepositories,
} from '../maintained-repositories.ts'
import { writeOut } from '../output.ts'
import { createProgressBar } from '../progress-bar.ts'
import { withThreads } from '../with-threads.ts'

/** The exit code when nothing failed and something is left to do. */
const LEFT_TO_DO = 3

export interface MaintainCommandOptions extends MaintainedPlace {
  readonly geometric: boolean
  readonly full: boolean
  readonly gc: boolean
  readonly force: boolean
  /** Milliseconds. */
  readonly grace?: number
  /** Seconds. */
  readonly timeBudget?: number
  readonly window?: number
  readonly depth?: number
  readonly threads: number
  /** Bytes. */
  readonly memoryBudget?: number
  /** Where to write a bundle of each repository. */
  readonly bundle?: string
  readonly quiet: boolean
}

/** `packstone maintain`: maintains repositories on disk or in a storage, one after the other; one that fails does not keep the others from it. */
export async function maintainCommand(
  named: readonly string[],
  options: MaintainCommandOptions,
): Promise<void> {
  const mode = modeOf(options)
  if (options.grace !== undefined && mode !== 'gc') throw misuse('--grace needs --gc')
  if (options.threads > 1 && mode === 'geometric') {
    throw misuse('--threads needs --full or --gc: joining packs searches no deltas')
  }
  // Half is for what is read, half for what is made.
  const half = Math.floor((options.memoryBudget ?? hostMemoryBytes()) / 2)
  const memoryBudget = createMemoryBudget(half)
  const deadline = options.timeBudget === undefined ? undefined : Date.now() + 1000 * options.timeBudget
  if (options.storage !== undefined && options.bundle !== undefined)
    throw misuse('--bundle is for repositories on disk')
  const bundles = await bundleFiles(named, options.bundle)
  const repositories = await findMaintained(named, options, memoryBudget)
  const left = await withThreads({ count: options.threads }, (threads) =>
    maintainAll(repositories, bundles, deadline, options, { mode, memoryBytes: half, ...threads }),
  )
  await repositories.close()
  if (left) process.exitCode ??= LEFT_TO_DO
}

/** Maintains one after the other; whether something is left to do. */
async function maintainAll(
  repositories: MaintainedRepositories,
  bundles: ReadonlyMap<string, string>,
  deadline: number | undefined,
  options: MaintainCommandOptions,
  how: MaintenanceOptions,
): Promise<boolean> {
  let left = false
  for (const path of repositories.names) {
    const milliseconds = deadline === undefined ? undefined : deadline - Date.now()
    if (milliseconds !== undefined && milliseconds <= 0) {
      left = true
      break
    }
    const { window, depth, grace, force } = options
    try {
      const result = await maintainOne(path, repositories, options.quiet, {
        ...how,
        force,
        search: { ...(window === undefined ? {} : { window }), ...(depth === undefined ? {} : { depth }) },
        ...(grace === undefined ? {} : { gracePeriod: grace }),
        ...(milliseconds === undefined ? {} : { budget: { milliseconds } }),
      })
      if (!result.done) left = true
      const file = bundles.get(path)
      if (file !== undefined) await writeBundle(path, file, options.quiet)
    } catch (error) {
      reportFailure(error)
    }
  }
  return left
}

/** The bundle of each repository: `<dir>/<name>.bundle`. */
async function bundleFiles(
  paths: readonly string[],
  directory: string | undefined,
): Promise<ReadonlyMap<string, string>> {
  const files = new Map<string, string>()
  if (directory === undefined) return files
  for (const path of paths) {
    const name = basename(resolve(path).replace(/\/\.git$/, '')).replace(/\.git$/, '')
    const file = join(directory, `${name}.bundle`)
    if ([...files.values()].includes(file)) {
      throw misuse(
        `two of the repositories are called ${name}; their bundles would be one file: write them one by one`,
      )
    }
    files.set(path, file)
  }
  await mkdir(directory, { recursive: true })
  return files
}

/** Writes the bundle of a repository, in the place of the former one; none for a repository without refs. */
async function writeBundle(path: string, file: string, quiet: boolean): Promise<void> {
  try {
    await bundleCommand(path, file, { quiet })
    if (!quiet) await writeOut(`${path}: wrote ${file}\n`)
  } catch (error) {
    if (!isGitError(error, 'INVALID_ARGUMENT')) throw error
    if (!quiet) await writeOut(`${path}: ${error.message}\n`)
  }
}

function modeOf({ geometric, full, gc }: MaintainCommandOptions): MaintenanceMode {
  if (Number(geometric) + Number(full) + Number(gc) > 1) {
    throw misuse(
      '--geometric, --full and --gc exclude each other: gc does what full does, full what geometric does',
    )
  }
  return gc ? 'gc' : full ? 'full' : 'geometric'
}

async function maintainOne(
  path: string,
  repositories: MaintainedRepositories,
  quiet: boolean,
  options: MaintenanceOptions,
): Promise<MaintenanceResult> {
  const repository = await repositories.open(path)
  const progress = await createProgressBar({ quiet })
  const lines: string[] = []
  try {
    const result = await maintain(repository, {
      ...options,
      onProgress: progress.show,
      onStep: (step) => lines.push(describeStep(step)),
    })
    progress.stop()
    const more = result.steps.length === 0 ? '' : ' more'
    if (result.busy) lines.push(`somebody else maintains it; nothing${more} was done`)
    lines.push(...result.leftOut)
    if (!result.done && !result.busy) lines.push('there is more to do: the time was over')
    if (lines.length === 0) lines.push('nothing to do')
    if (!quiet) await writeOut(lines.map((line) => `${path}: ${line}\n`).join(''))
    return result
  } finally {
    progress.stop()
    await repository.close()
  }
}

/** What was done, in words. */
function describeStep(step: MaintenanceStep): string {
  switch (step.kind) {
    case 'repack': {
      const unreachable =
        step.unreachableCount === 0 ? '' : `; ${count(step.unreachableCount, 'object')} unreachable`
      const from = [count(step.dropped.length, 'pack'), count(step.looseRemoved, 'loose object')].join(
        ' and ',
      )
      return `packed ${count(step.objectCount, 'object')} of ${from} into ${step.added ?? 'nothing'}${unreachable}`
    }
    case 'expire':
      return `removed ${count(step.objectCount, 'unreachable object')} in ${count(step.dropped.length, 'pack')}`
    case 'derive':
      return `wrote ${step.pack === undefined ? step.file : `${step.pack}.${step.file}`}`
    case 'refs':
      return `packed ${count(step.count, 'ref')}`
    case 'garbage':
      return `removed ${count(step.count, 'file')} of processes that died`
  }
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`
}
