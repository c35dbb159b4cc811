import type { RefEdit, RefOutcome } from '../../refs/ref-edit.ts'
import type { RefTarget } from '../../refs/ref.ts'
import { isSameTarget } from './ref-reader.ts'

/** An edit that was judged to take place and changes something. */
export interface RefChange {
  readonly edit: RefEdit
  readonly before: RefTarget | null
}

/** From how many edits on refs are written into packed-refs at once instead of into a file each. */
const PACK_FROM = 33

/** Tells whether a transaction of this many edits writes its refs into packed-refs. */
export function usesPackedRefs(editCount: number, atomic: boolean): boolean {
  return editCount >= PACK_FROM || (atomic && editCount > 1)
}

/** The edits that take place and change something. */
export function changesOf(edits: readonly RefEdit[], outcomes: readonly RefOutcome[]): RefChange[] {
  const changes: RefChange[] = []
  edits.forEach((edit, at) => {
    const outcome = outcomes[at]
    if (outcome?.kind !== 'applied') return
    const { before } = outcome
    const isSame =
      before === null || edit.target === null ? before === edit.target : isSameTarget(before, edit.target)
    if (!isSame) changes.push({ edit, before })
  })
  return changes
}

/**
 * Splits changes into those that packed-refs can express and those that need the ref's own file: a packed ref lies
 * under `refs/` and is not symbolic. Deleting a symbolic ref takes both, for packed-refs may have an older value.
 */
export function splitChanges(
  changes: readonly RefChange[],
  packed: boolean,
): { readonly packed: readonly RefChange[]; readonly loose: readonly RefChange[] } {
  const isPacked = ({ edit, before }: RefChange): boolean => {
    if (!edit.name.startsWith('refs/')) return false
    if (edit.target === null) return true
    return packed && edit.target.kind === 'direct' && before?.kind !== 'symbolic'
  }
  return {
    packed: changes.filter(isPacked),
    loose: changes.filter((change) => !isPacked(change) || change.before?.kind === 'symbolic'),
  }
}
