import type { RefEdit, RefOutcome, RefRejection } from '../../refs/ref-edit.ts'
import type { ShallowChange } from '../../storage/repository-storage.ts'
import { askReferenceTransaction } from './ask-hooks.ts'
import { isOpen, type CommandOutcome } from './push-outcome.ts'
import type { HookCommand } from './receive-hooks.ts'
import type { ReceivedPush } from './receive-session.ts'

/** An edit, and the command that it carries out. */
export interface PlannedEdit {
  readonly outcome: CommandOutcome
  readonly edit: RefEdit
}

/**
 * Applies the edits, with the received pack and the new boundary of history: all or none where the push is atomic. What became of
 * each is written to its outcome.
 */
export async function applyEdits(
  push: ReceivedPush,
  planned: readonly PlannedEdit[],
  shallow: ShallowChange | undefined,
): Promise<void> {
  const { request, incoming, say } = push
  const { events, staleError = 'failed to update ref' } = push.session.options
  const prepared: (readonly PlannedEdit[])[] = []
  for (const transaction of request.atomic ? [planned] : planned.map((edit) => [edit])) {
    const updates = updatesOf(push, transaction)
    if (await askReferenceTransaction(push, 'prepared', updates)) {
      prepared.push(transaction)
      continue
    }
    say('error: ref updates aborted by hook\n')
    for (const { outcome } of transaction) outcome.error = 'failed to update ref'
    await askReferenceTransaction(push, 'aborted', updates)
  }
  const edits = prepared.flat()
  if (edits.length === 0) return
  try {
    const refs = edits.map(({ edit }) => edit)
    const applied = await incoming.commit(refs, {
      atomic: request.atomic,
      ...(shallow === undefined ? {} : { shallow }),
      ...(events === undefined
        ? {}
        : { events: (outcomes: readonly RefOutcome[]) => events(refs, outcomes) }),
    })
    for (const [at, { outcome, edit }] of edits.entries()) {
      const problem = describeRejection(edit, applied[at])
      if (problem === undefined) continue
      if (problem !== '') say(`error: ${problem}\n`)
      outcome.error = isStale(applied[at]) ? staleError : 'failed to update ref'
    }
  } catch (error) {
    for (const { outcome } of edits) outcome.error = 'failed to update ref'
    throw error
  } finally {
    for (const transaction of prepared) {
      const state = transaction.every(({ outcome }) => isOpen(outcome)) ? 'committed' : 'aborted'
      await askReferenceTransaction(push, state, updatesOf(push, transaction))
    }
  }
}

/** The edits as reference-transaction sees them: the zero id where the old value does not matter. */
function updatesOf({ session }: ReceivedPush, transaction: readonly PlannedEdit[]): HookCommand[] {
  const { zeroId } = session.repository.format
  return transaction.map(({ edit: { name, expect, target } }) => ({
    name,
    oldId: expect.kind === 'id' ? expect.id : zeroId,
    newId: target?.kind === 'direct' ? target.id : zeroId,
  }))
}

/** Whether an edit was not applied because its ref is elsewhere than the client saw it. */
function isStale(outcome: RefOutcome | undefined): boolean {
  return outcome?.kind === 'rejected' && outcome.rejection.reason === 'stale'
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
