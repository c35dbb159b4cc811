import { expect, test } from 'vitest'
import { gitLines } from '../support/git.ts'
import { useScratch, useServer } from '../support/hooks.ts'
import { createRandom } from '../support/random.ts'
import { findFaults, listPacks, listReachable } from '../support/repositories.ts'
import { cloneWorkTree } from '../support/work-tree.ts'

const scratch = useScratch()
const server = useServer(scratch, 'packstone', { args: ['--allow-push', '--memory-budget', '1'] })

/** Text that hardly compresses. */
function noise(seed: number, lines: number): string {
  const random = createRandom(seed)
  return Array.from({ length: lines }, () => `${Buffer.from(random.bytes(45)).toString('base64')}\n`).join('')
}

/** Objects of the newest pack, by how the pack stores them. */
async function countNewest(repository: string, known: readonly string[]): Promise<number> {
  const fresh = (await listPacks(repository)).filter((pack) => !known.includes(pack))
  expect(fresh).toHaveLength(1)
  const lines = await gitLines(['verify-pack', '-v', `${fresh[0] ?? ''}.idx`], { cwd: repository })
  return lines.filter((line) => /^[0-9a-f]{40} /.test(line)).length
}

test('a thin pack too large for the memory budget is completed from the store, and is what git would keep', async () => {
  const repository = await server.createRepository('thin.git')
  const tree = await cloneWorkTree(server.url('thin.git'), scratch.fresh('work'))
  const text = noise(1, 4000)
  await tree.commit('base.txt', text)
  await tree.git('push', '--quiet', 'origin', 'HEAD')
  const before = await listPacks(repository)

  // A delta on what the server has, beside something that is larger than all of the memory for work.
  await tree.commit('base.txt', `${text}one more line\n`)
  await tree.commit('large.txt', noise(2, 20_000))
  await tree.git('push', '--quiet', '--thin', 'origin', 'HEAD')

  // Two commits, two trees, two blobs; and the old blob, which the pack was completed with.
  expect(await countNewest(repository, before)).toBe(7)
  expect(await findFaults(repository)).toEqual([])
  expect(await listReachable(repository)).toEqual(await listReachable(tree.path, ['HEAD']))
  const clone = await cloneWorkTree(server.url('thin.git'), scratch.fresh('again'))
  expect(await clone.git('rev-parse', 'HEAD')).toBe(await tree.git('rev-parse', 'HEAD'))
})
