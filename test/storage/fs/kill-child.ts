import { openBareRepository } from '../../../src/storage/fs/index.ts'
import type { RefEdit } from '../../../src/refs/ref-edit.ts'
import { stateAfter, TRANSACTION_NAMES } from './kill-states.ts'

/**
 * The process that kill.slow.test.ts kills: moves all refs to one state after the other, each move one atomic
 * transaction, and says each time when it is done.
 */
const [path = '', first = '0', ...ids] = process.argv.slice(2)
const repository = await openBareRepository(path)
if (repository === undefined) throw new Error(`no repository at ${path}`)
for (let round = Number(first); ; round++) {
  const state = stateAfter(round, ids)
  const refs = TRANSACTION_NAMES.map((name): RefEdit => {
    const id = state.get(name)
    return { name, expect: { kind: 'any' }, target: id === undefined ? null : { kind: 'direct', id } }
  })
  const result = await repository.commit({ refs, atomic: true })
  if (result.refs.every((outcome) => outcome.kind === 'applied')) process.stdout.write(`${round}\n`)
  // Single edits in between make a loose file again, for the next transaction to fold.
  for (const id of ids.slice(0, 2)) {
    await repository.commit({
      refs: [{ name: 'refs/heads/loose', expect: { kind: 'any' }, target: { kind: 'direct', id } }],
    })
  }
}
