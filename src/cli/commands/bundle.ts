import { open, rename, rm } from 'node:fs/promises'
import { GitError } from '../../errors.ts'
import { createHiddenRefs, listHiddenRefs } from '../../protocol/hidden-refs.ts'
import { planBundle, type BundlePlan } from '../../repository/bundle.ts'
import { openRepositoryAt } from '../open-repository.ts'
import { createProgressBar, type ProgressBar } from '../progress-bar.ts'

export interface BundleCommandOptions {
  readonly quiet: boolean
}

/**
 * `packstone bundle`: writes a file that clones can begin with: branches and tags that the repository's config does not hide, with
 * everything they reach. A file that is there is replaced in one step, so that who downloads it meanwhile gets one or the other.
 */
export async function bundleCommand(
  path: string,
  file: string,
  options: BundleCommandOptions,
): Promise<void> {
  const repository = await openRepositoryAt(path)
  const progress = await createProgressBar(options)
  try {
    const isHidden = createHiddenRefs(listHiddenRefs(await repository.readConfig(), 'uploadpack.hiderefs'))
    const view = await repository.openView()
    try {
      const plan = await planBundle(repository, view, {
        onProgress: progress.show,
        includes: (name) => /^(HEAD$|refs\/(heads|tags)\/)/.test(name) && !isHidden(name),
      })
      await writeBundle(file, plan, progress)
    } finally {
      await view.close()
    }
  } finally {
    progress.stop()
    await repository.close()
  }
}

async function writeBundle(path: string, plan: BundlePlan, progress: ProgressBar): Promise<void> {
  const temporary = `${path}.tmp-${process.pid}`
  try {
    const file = await open(temporary, 'wx', 0o644)
    try {
      for await (const piece of plan.write({ onProgress: progress.show })) await file.appendFile(piece)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
  } catch (cause) {
    await rm(temporary, { force: true })
    if (cause instanceof GitError) throw cause
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new GitError('STORAGE', `cannot write '${path}': ${reason}`, { cause })
  }
}
