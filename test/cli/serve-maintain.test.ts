import { expect, test } from 'vitest'
import { git } from '../support/git.ts'
import { useScratch } from '../support/hooks.ts'
import { allowPush, findFaults, listPacks } from '../support/repositories.ts'
import { startPackstone } from '../support/servers/packstone.ts'

const scratch = useScratch()

/** Pushes so many commits one by one; resolves with the number of packs when it is less, or after so many seconds. */
async function packsAfterPushes(count: number, args: readonly string[], seconds: number): Promise<number> {
  const folder = scratch.fresh('served')
  const served = `${folder}/a.git`
  await git(['init', '-q', '--bare', served])
  await allowPush(served)
  await git(['config', 'gc.autoPackLimit', '4'], { cwd: served })
  const server = await startPackstone(folder, { args })
  const work = scratch.fresh('work')
  try {
    await git(['clone', '-q', `${server.url}/a.git`, work])
    for (let at = 0; at < count; at++) {
      await git(['commit', '-q', '--allow-empty', '-m', `commit ${at}`], { cwd: work })
      await git(['push', '-q', 'origin', 'HEAD:refs/heads/main'], { cwd: work })
    }
    for (let waited = 0; waited < 10 * seconds && (await listPacks(served)).length === count; waited++)
      await new Promise((resolve) => setTimeout(resolve, 100))
  } finally {
    // What is being maintained changes under the eyes of whoever looks.
    await server.close()
  }
  expect(await findFaults(served)).toEqual([])
  expect(await git(['rev-parse', 'main'], { cwd: served })).toBe(
    await git(['rev-parse', 'HEAD'], { cwd: work }),
  )
  return (await listPacks(served)).length
}

test('a served repository has its packs joined after pushes, unless that is turned off', async () => {
  expect(await packsAfterPushes(6, [], 120)).toBeLessThan(6)
  expect(await packsAfterPushes(6, ['--maintain=off'], 2)).toBe(6)
})
