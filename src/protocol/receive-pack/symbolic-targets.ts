import { isRefName } from '../../refs/ref-name.ts'
import type { Repository } from '../../repository/repository.ts'
import type { CommandOutcome } from './push-outcome.ts'

/** How many symbolic refs git follows one after the other. */
const MAX_SYMBOLIC_DEPTH = 5

/**
 * Finds the ref that each command changes in the end: its own, or the one that a symbolic ref of that name leads to. A
 * command through a symbolic ref beside one for its target is dropped when both say the same, and refuses both otherwise.
 *
 * @returns names by outcome; outcomes with an error, and those that another one covers, have none.
 */
export async function readSymbolicTargets(
  repository: Repository,
  outcomes: readonly CommandOutcome[],
  say: (text: string) => void,
): Promise<ReadonlyMap<CommandOutcome, string>> {
  const open = outcomes.filter(({ error }) => error === undefined)
  const byName = new Map(open.map((outcome) => [outcome.command.name, outcome]))
  const names = open.map(({ command }) => command.name)
  const safeNames = names.filter((name) => isRefName(name))
  const stored = await repository.storage.readRefs(safeNames)
  const refs = new Map(safeNames.map((name, at) => [name, stored[at]]))
  const targets = new Map<CommandOutcome, string>()
  for (const outcome of open) {
    const { name } = outcome.command
    if (refs.get(name)?.target.kind !== 'symbolic') {
      targets.set(outcome, name)
      continue
    }
    const target = await followSymbolicRef(repository, name)
    if (target === undefined) {
      say(`error: refusing update to broken symref '${name}'\n`)
      outcome.error = 'broken symref'
      continue
    }
    const other = byName.get(target)
    if (other === undefined) {
      targets.set(outcome, target)
      continue
    }
    const { oldId, newId } = outcome.command
    if (other.command.oldId === oldId && other.command.newId === newId) continue
    say(`error: refusing inconsistent update between symref '${name}' and its target '${target}'\n`)
    outcome.error = 'inconsistent aliased update'
    other.error = 'inconsistent aliased update'
  }
  for (const outcome of open) if (outcome.error !== undefined) targets.delete(outcome)
  return targets
}

async function followSymbolicRef(repository: Repository, name: string): Promise<string | undefined> {
  let at = name
  for (let depth = 0; depth <= MAX_SYMBOLIC_DEPTH; depth++) {
    const [ref] = await repository.storage.readRefs([at])
    if (ref?.target.kind !== 'symbolic') return at
    at = ref.target.target
    if (!isRefName(at)) return undefined
  }
  return undefined
}
