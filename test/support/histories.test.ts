import { describe, expect, it } from 'vitest'
import { createHistory, HISTORY_NAMES } from './histories.ts'
import { useScratch } from './hooks.ts'
import { findFaults, listReachable, readRefLines } from './repositories.ts'

const scratch = useScratch()

describe.each(HISTORY_NAMES)('the generated history %s', (name) => {
  it('is accepted by git, not trivial, and the same for the same seed', async () => {
    const options = { scale: 0.2, seed: 7 }
    const one = await createHistory(name, scratch.fresh(name), options)
    const two = await createHistory(name, scratch.fresh(name), options)
    expect(await findFaults(one)).toEqual([])
    expect((await listReachable(one)).length).toBeGreaterThan(5)
    expect(await readRefLines(two)).toEqual(await readRefLines(one))
  })
})
