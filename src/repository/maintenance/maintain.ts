import { yieldToHost } from '../../bytes/yield-to-host.ts'
import { isGitError } from '../../errors.ts'
import type { Enumeration } from '../../graph/enumerate-objects.ts'
import type { Repository } from '../repository.ts'
import {
  choosePart,
  chooseParts,
  consolidate,
  consolidatePart,
  findReachable,
  isConsolidated,
} from './consolidate.ts'
import { deriveGitFiles, deriveReachability } from './derive-files.ts'
import { chooseExpired, expirePacks } from './expire.ts'
import { choosePacksToJoin, joinLargePacks, joinPacks } from './join-packs.ts'
import { checkedMaintenanceOptions, type MaintenanceOptions } from './maintenance-options.ts'
import type { MaintenanceResult, MaintenanceStep } from './maintenance-result.ts'
import { writePackNote } from './pack-note.ts'
import { readRoots, readState, type MaintainedPack, type RepositoryState } from './repository-state.ts'
import { createStepContext, withoutDeadline, type StepContext } from './step-context.ts'

/** How often in one call others may take away the packs that a step is about. */
const MAX_CONFLICTS = 10

/**
 * Maintains a repository: packs it as the mode asks for, writes down what is derived from packs, puts refs together, and removes what
 * dead processes left. Any host calls it when it likes, beside pushes and fetches of any number of processes.
 *
 * It looks at what there is, takes one step towards where it is to be, and looks again; so a call that was killed, or whose budget ran
 * out, is gone on with by the next one. An object that is there is never missing, not for a moment: new packs come and old ones go in
 * one step of the storage. Unreachable objects are put into a pack of their own first, where a push finds them for the grace period;
 * only then `gc` removes them, unless a push has relied on them since.
 *
 * @throws GitError `INVALID_ARGUMENT`, `MISSING_OBJECT` when a ref reaches something that is not there, `CORRUPT_OBJECT`, `CORRUPT_PACK`,
 * `CORRUPT_REF`, `STORAGE`; the signal's reason
 */
export async function maintain(
  repository: Repository,
  options: MaintenanceOptions = {},
): Promise<MaintenanceResult> {
  const checked = checkedMaintenanceOptions(options)
  const { maintenance } = repository.storage
  const unlock = await maintenance?.acquireLock?.()
  if (unlock === 'busy') return { done: false, busy: true, leftOut: [], steps: [] }
  const over = checked.milliseconds === undefined ? undefined : AbortSignal.timeout(checked.milliseconds)
  const signals = [options.signal, over].filter((signal) => signal !== undefined)
  const givenUp = options.signal ?? new AbortController().signal
  const context = createStepContext(checked, AbortSignal.any(signals), givenUp)
  const steps: MaintenanceStep[] = []
  const leftOut = new Set<string>()
  const report = (step: MaintenanceStep): void => {
    if (step.kind === 'repack' && step.added !== undefined) context.known?.add(step.added)
    if (context.progress === 'none' && (step.kind === 'repack' || step.kind === 'derive')) {
      context.progress = 'some'
    }
    steps.push(step)
    options.onStep?.(step)
  }
  try {
    await tidyUp(repository, report)
    let done = false
    let busy = false
    for (let conflicts = 0; !done && over?.aborted !== true && context.progress !== 'spent';) {
      try {
        done = await takeStep(repository, context, report, leftOut)
      } catch (error) {
        // Somebody else has taken away what the step was about: look again.
        if (isGitError(error, 'CONFLICT')) busy = true
        else if (!isGitError(error, 'NOT_FOUND')) throw error
        if (++conflicts > MAX_CONFLICTS) {
          if (!busy) throw error
          return { done, busy, leftOut: [...leftOut], steps }
        }
      }
      await yieldToHost()
    }
    return { done, busy: false, leftOut: [...leftOut], steps }
  } catch (error) {
    if (over?.aborted !== true || options.signal?.aborted === true) throw error
    if (error !== over.reason) throw error
    return { done: false, busy: false, leftOut: [...leftOut], steps }
  } finally {
    await unlock?.()
  }
}

/** What costs little and is done in every call. */
async function tidyUp({ storage }: Repository, report: (step: MaintenanceStep) => void): Promise<void> {
  const removed = (await storage.maintenance?.collectGarbage?.()) ?? 0
  if (removed > 0) report({ kind: 'garbage', count: removed })
  const compacted = (await storage.maintenance?.compactRefs?.()) ?? 0
  if (compacted > 0) report({ kind: 'refs', count: compacted })
}

/** Looks at the repository and does the next thing; true when there was none. */
async function takeStep(
  repository: Repository,
  context: StepContext,
  report: (step: MaintenanceStep) => void,
  leftOut: Set<string>,
): Promise<boolean> {
  const state = await readState(repository)
  try {
    const known = (context.known ??= new Set(state.ordinary.map(({ file }) => file.name)))
    const mine = { ...state, ordinary: state.ordinary.filter(({ file }) => known.has(file.name)) }
    const step =
      context.options.mode === 'geometric'
        ? await joinSmall(repository, mine, context)
        : await consolidateAll(repository, mine, context, leftOut)
    if (step === 'later') return false
    if (step !== undefined) {
      report(step)
      return false
    }
    const described = await deriveReachability(repository, state, context)
    if (described !== undefined) {
      report(described)
      return false
    }
    const roots = await readRoots(repository, state.view)
    for (const written of await deriveGitFiles(repository, state, roots, context)) report(written)
    return true
  } finally {
    await state.view.close()
  }
}

async function joinSmall(
  repository: Repository,
  state: RepositoryState,
  context: StepContext,
): Promise<MaintenanceStep | undefined> {
  const packs = choosePacksToJoin(state.ordinary, context.options)
  if (packs.length === 0 && state.loose.length === 0) return undefined
  return tried(repository, packs, context, () => joinPacks(repository, state, packs, context))
}

async function consolidateAll(
  repository: Repository,
  state: RepositoryState,
  context: StepContext,
  leftOut: Set<string>,
): Promise<MaintenanceStep | 'later' | undefined> {
  const { mode, gracePeriod, maxStepBytes, force } = context.options
  if (state.pinned.some(({ description }) => description.promisor === true)) {
    leftOut.add('the repository is a partial clone: what it lacks hides what is unreachable')
    return undefined
  }
  const roots = await readRoots(repository, state.view)
  const reachable = await findReachable(state, roots, context.signal)
  const isDone = isConsolidated(state, reachable, context) && (!force || isMadeNow(state, context))
  if (!isDone) {
    const bytes = state.ordinary.reduce((sum, { description }) => sum + description.packSize, 0)
    const step =
      bytes <= maxStepBytes
        ? await tried(repository, state.ordinary, context, () =>
            consolidate(repository, state, roots, context),
          )
        : await consolidateInParts(repository, state, reachable, context)
    if (step !== undefined) return step
    leftOut.add('packs that are larger than the budget were left as they are')
  }
  if (mode !== 'gc') return undefined
  if (roots.incomplete !== undefined) {
    leftOut.add(`unreachable objects were kept: ${roots.incomplete}`)
    return undefined
  }
  const cutoff = gracePeriod === 0 ? Infinity : Date.now() - gracePeriod
  const expired = chooseExpired(state, reachable, cutoff)
  return expired.length === 0 ? undefined : expirePacks(repository, expired, cutoff)
}

/** Whether all packs were made in this call. */
function isMadeNow({ ordinary }: RepositoryState, { made }: StepContext): boolean {
  return ordinary.every(({ file }) => made.has(file.name))
}

async function consolidateInParts(
  repository: Repository,
  state: RepositoryState,
  reachable: Enumeration,
  context: StepContext,
): Promise<MaintenanceStep | 'later' | undefined> {
  const { maxStepBytes, maxJoinBytes } = context.options
  const part = choosePart(state, context)
  if (part.length > 0 || state.loose.length > 0) {
    return tried(repository, part, context, () =>
      consolidatePart(repository, state, part, reachable, context),
    )
  }
  const parts = chooseParts(state, maxStepBytes)
  if (parts.length > 0) {
    return tried(repository, parts, context, () => joinPacks(repository, state, parts, context))
  }
  const large = chooseParts(state, maxJoinBytes)
  if (large.length === 0) return undefined
  const isFirst = context.progress === 'none'
  context.progress = 'spent'
  return isFirst ? joinLargePacks(repository, state, large, withoutDeadline(context)) : 'later'
}

/** Does a step; where the time was not enough for it, that is noted, so that the next call takes a smaller one. */
async function tried(
  { storage }: Repository,
  packs: readonly MaintainedPack[],
  { signal, options }: StepContext,
  step: () => Promise<MaintenanceStep>,
): Promise<MaintenanceStep> {
  try {
    return await step()
  } catch (error) {
    if (signal.aborted && options.milliseconds !== undefined) {
      for (const { file, note } of packs) {
        if (note?.kind === 'searched') continue
        const times = note?.kind === 'tried' ? note.times + 1 : 1
        await writePackNote(storage, file.name, { kind: 'tried', times })
      }
    }
    throw error
  }
}
