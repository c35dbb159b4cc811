import type { RefEdit, RefOutcome } from './ref-edit.ts'
import type { RefValue } from './ref-table.ts'

/** What the edits that were applied leave of each ref: its new value, or `null` where it was deleted. */
export function appliedChanges(
  edits: readonly RefEdit[],
  outcomes: readonly RefOutcome[],
): ReadonlyMap<string, RefValue | null> {
  const changes = new Map<string, RefValue | null>()
  for (const [at, { name, target, peeled }] of edits.entries()) {
    if (outcomes[at]?.kind !== 'applied') continue
    changes.set(name, target && (peeled === undefined ? { target } : { target, peeled }))
  }
  return changes
}
