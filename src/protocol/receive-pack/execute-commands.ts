import type { RefEdit, RefOutcome, RefRejection } from '../../refs/ref-edit.ts'
import type { CommandOutcome } from './push-outcome.ts'
import type { PushRequest } from './push-request.ts'
import { readSymbolicTargets } from './symbolic-targets.ts'
import { ruleCommand, type RuleContext } from './update-rules.ts'

/**
 * Checks the commands against what was received and the repository's rules, and applies those that pass. What became of
 * each is written to `outcomes`.
 */
export async function executeCommands(
  context: RuleContext,
  request: PushRequest,
  outcomes: readonly CommandOutcome[],
): Promise<void> {
  refuseRepeated(outcomes)
  await checkConnectivity(context, request, outcomes)
  refuseHidden(context, outcomes)
  if (!outcomes.some(isOpen)) return

  const targets = await readSymbolicTargets(context.session.repository, outcomes, context.say)
  const edits: { readonly outcome: CommandOutcome; readonly edit: RefEdit }[] = []
  for (const outcome of outcomes) {
    // One refusal decides an atomic push: the rest is not looked at.
    if (request.atomic && outcomes.some(({ error }) => error !== undefined)) break
    const target = targets.get(outcome)
    if (target === undefined) continue
    const ruled = await ruleCommand(context, outcome.command, target)
    if (ruled.kind === 'refused') outcome.error = ruled.error
    else if (ruled.kind === 'edit') edits.push({ outcome, edit: ruled.edit })
  }
  if (request.atomic && !outcomes.every(isOpen)) {
    refuseOpen(outcomes, 'atomic push failure')
    return
  }
  if (edits.length === 0) return
  const applied = await context.incoming.commit(
    edits.map(({ edit }) => edit),
    { atomic: request.atomic },
  )
  for (const [at, { outcome, edit }] of edits.entries()) {
    const problem = describeRejection(edit, applied[at])
    if (problem === undefined) continue
    if (problem !== '') context.say(`error: ${problem}\n`)
    outcome.error = 'failed to update ref'
  }
  if (request.atomic && !outcomes.every(isOpen)) {
    for (const outcome of outcomes) outcome.error = 'atomic transaction failed'
  }
}

function isOpen({ error }: CommandOutcome): boolean {
  return error === undefined
}

function refuseOpen(outcomes: readonly CommandOutcome[], error: string): void {
  for (const outcome of outcomes) outcome.error ??= error
}

function refuseRepeated(outcomes: readonly CommandOutcome[]): void {
  const counts = new Map<string, number>()
  for (const { command } of outcomes) counts.set(command.name, (counts.get(command.name) ?? 0) + 1)
  for (const outcome of outcomes) {
    const { name } = outcome.command
    if ((counts.get(name) ?? 0) > 1) outcome.error = `multiple updates for ref '${name}' not allowed`
  }
}

/** Refuses commands whose new objects reach something that neither came nor was there. */
async function checkConnectivity(
  context: RuleContext,
  request: PushRequest,
  outcomes: readonly CommandOutcome[],
): Promise<void> {
  const { zeroId } = context.session.repository.format
  const open = outcomes.filter((outcome) => isOpen(outcome) && outcome.command.newId !== zeroId)
  const tips = open.map(({ command }) => command.newId)
  if (tips.length === 0 || (await context.incoming.findMissing(tips)) === undefined) return
  for (const outcome of open) {
    const gap = await context.incoming.findMissing([outcome.command.newId])
    if (gap === undefined) continue
    // The history of a shallow client ends where the client says; taking it would make this repository shallow.
    const isBoundary = request.clientShallow.has(gap.neededBy ?? gap.missing)
    outcome.error = isBoundary ? 'shallow update not allowed' : 'missing necessary objects'
    if (!isBoundary) context.say(`error: ${outcome.command.name}: missing ${gap.type} ${gap.missing}\n`)
  }
}

function refuseHidden(context: RuleContext, outcomes: readonly CommandOutcome[]): void {
  const { isHidden, repository } = context.session
  for (const outcome of outcomes.filter(isOpen)) {
    const { name, newId } = outcome.command
    if (!isHidden(name)) continue
    outcome.error =
      newId === repository.format.zeroId ? 'deny deleting a hidden ref' : 'deny updating a hidden ref'
  }
}

/** Says why an edit was not applied, in git's words; `''` when another edit says it, `undefined` when it was applied. */
function describeRejection(edit: RefEdit, outcome: RefOutcome | undefined): string | undefined {
  if (outcome?.kind === 'applied') return undefined
  const reason =
    outcome === undefined ? 'nothing is known of its outcome' : describeReason(edit, outcome.rejection)
  return reason === '' ? '' : `cannot lock ref '${edit.name}': ${reason}`
}

function describeReason(edit: RefEdit, rejection: RefRejection): string {
  switch (rejection.reason) {
    case 'stale': {
      if (edit.expect.kind === 'absent') return 'reference already exists'
      if (rejection.found === null) return `unable to resolve reference '${edit.name}'`
      const found = rejection.found.kind === 'direct' ? rejection.found.id : rejection.found.target
      return `is at ${found} but expected ${edit.expect.kind === 'id' ? edit.expect.id : edit.expect.kind}`
    }
    case 'name-conflict':
      return `'${rejection.conflictsWith}' exists; cannot create '${edit.name}'`
    case 'locked':
      return 'it is locked by another process; try again'
    case 'atomic':
      return ''
  }
}
