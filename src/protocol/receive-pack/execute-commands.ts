import type { ShallowChange } from '../../storage/repository-storage.ts'
import { askPreReceive } from './ask-hooks.ts'
import { markTakenOver, runProcReceive } from './proc-receive.ts'
import { isOpen, refuseOpen, type CommandOutcome } from './push-outcome.ts'
import type { ReceivedPush } from './receive-session.ts'
import { applyEdits, type PlannedEdit } from './ref-transaction.ts'
import { readSymbolicTargets } from './symbolic-targets.ts'
import { ruleCommand } from './update-rules.ts'

/**
 * Checks the commands of a push whose objects are connected against the hooks and the repository's rules, and applies those that
 * pass. What became of each is written to `outcomes`.
 *
 * @param shallow how the list of shallow commits is to change with the refs.
 */
export async function executeCommands(
  push: ReceivedPush,
  outcomes: readonly CommandOutcome[],
  shallow: ShallowChange | undefined,
): Promise<void> {
  const { session, say } = push
  const { repository, options } = session
  refuseHidden(push, outcomes)
  markTakenOver(options.procReceiveRefs, repository.format.zeroId, outcomes)
  if (!(await askPreReceive(push, outcomes))) return
  if (!outcomes.some(isOpen)) return

  const targets = await readSymbolicTargets(repository, outcomes, say)
  if (outcomes.some(({ isTakenOver }) => isTakenOver) || options.hooks?.storesObjectsFirst === true) {
    await push.incoming.commit([], { atomic: false, ...(shallow === undefined ? {} : { shallow }) })
    const incoming = await repository.receivePack(undefined)
    try {
      await moveRefs({ ...push, incoming, view: incoming.view }, outcomes, targets, undefined)
    } finally {
      await incoming.discard()
    }
  } else {
    await moveRefs(push, outcomes, targets, shallow)
  }
}

async function moveRefs(
  push: ReceivedPush,
  outcomes: readonly CommandOutcome[],
  targets: ReadonlyMap<CommandOutcome, string>,
  shallow: ShallowChange | undefined,
): Promise<void> {
  const { request } = push
  await runProcReceive(push, outcomes)
  const planned: PlannedEdit[] = []
  for (const outcome of outcomes) {
    // One refusal decides an atomic push: the rest is not looked at.
    if (request.atomic && !outcomes.every(isOpen)) break
    const target = targets.get(outcome)
    if (target === undefined || outcome.isTakenOver || !isOpen(outcome)) continue
    const ruled = await ruleCommand(push, outcome.command, target)
    if (ruled.kind === 'refused') outcome.error = ruled.error
    else if (ruled.kind === 'nothing') outcome.isVoid = true
    else planned.push({ outcome, edit: ruled.edit })
  }
  if (request.atomic && !outcomes.every(isOpen)) {
    refuseOpen(outcomes, 'atomic push failure')
    return
  }
  if (planned.length === 0) return
  await applyEdits(push, planned, shallow)
  if (request.atomic && !outcomes.every(isOpen)) {
    for (const outcome of outcomes) outcome.error = 'atomic transaction failed'
  }
}

/** Refuses commands that name one ref, and pushes of more refs than are taken. */
export function refuseByNumber(maximum: number | undefined, outcomes: readonly CommandOutcome[]): void {
  const counts = new Map<string, number>()
  for (const { command } of outcomes) counts.set(command.name, (counts.get(command.name) ?? 0) + 1)
  for (const outcome of outcomes) {
    const { name } = outcome.command
    if ((counts.get(name) ?? 0) > 1) outcome.error = `multiple updates for ref '${name}' not allowed`
  }
  if (maximum !== undefined && outcomes.length > maximum) {
    refuseOpen(outcomes, `push of ${outcomes.length} refs exceeds the maximum of ${maximum}`)
  }
}

function refuseHidden({ session }: ReceivedPush, outcomes: readonly CommandOutcome[]): void {
  const { isHidden, repository } = session
  for (const outcome of outcomes.filter(isOpen)) {
    const { name, newId } = outcome.command
    if (!isHidden(name)) continue
    outcome.error =
      newId === repository.format.zeroId ? 'deny deleting a hidden ref' : 'deny updating a hidden ref'
  }
}
