import { expect, test } from 'vitest'
import { planFork } from '../../../src/repository/fork/plan-fork.ts'
import { planWhole } from '../../../src/repository/fork/plan-whole.ts'
import { git } from '../../support/git.ts'
import { listReachable } from '../../support/repositories.ts'
import { createRandom } from '../../support/random.ts'
import { createStorage, makeHistory, open, packOf, push, pushHistory, readRefs } from './fixture.ts'

test.each([1, 2, 3, 4, 5, 6])(
  'a repository is shared whole exactly when its refs reach all that it has, in however many packs (%i)',
  async (seed) => {
    const random = createRandom(seed)
    const path = await makeHistory(seed, 16)
    const { storage } = await createStorage('memory')
    const refs = await pushHistory(storage, 'source', path, 1 + (seed % 4))
    const source = await open(storage, 'source')
    const view = await source.openView()
    const all = await listReachable(path)
    const ids = [...new Set(refs.map(({ id }) => id))]
    const whole = planWhole(view, ids)
    expect(whole?.objectCount).toBe(all.length)
    expect(whole?.packs.every(({ visible }) => visible === undefined)).toBe(true)

    for (let round = 0; round < 6; round++) {
      const some = ids.filter(() => random.below(5) > 0)
      if (some.length === 0) continue
      const reachable = await listReachable(path, some)
      const part = planWhole(view, some)
      expect(part !== undefined).toBe(reachable.length === all.length)
      expect((await planFork(view, some))?.objectCount).toBe(reachable.length)
    }
    await view.close()
  },
)

test('a repository with an object that nothing reaches any more is not shared whole, until that is reached again', async () => {
  const path = await makeHistory(7, 10)
  const { storage } = await createStorage('memory')
  await pushHistory(storage, 'source', path, 2)
  const source = await open(storage, 'source')
  const id = await git(['commit-tree', '-m', 'gone', '-p', 'main', 'main^{tree}'], { cwd: path })
  await push(source, await packOf(path, [id, '^main']), [{ name: 'refs/heads/gone', id }])
  const plan = async (tips: readonly string[]): Promise<boolean> => {
    const view = await source.openView()
    const found = planWhole(view, tips)
    await view.close()
    return found !== undefined
  }
  const ids = (await readRefs(path)).map((ref) => ref.id)
  expect(await plan(ids)).toBe(false)
  expect(await plan([...ids, id])).toBe(true)
  const next = await git(['commit-tree', '-m', 'back', '-p', id, 'main^{tree}'], { cwd: path })
  await push(source, await packOf(path, [next, `^${id}`]), [{ name: 'refs/heads/gone', id: next }])
  expect(await plan([...ids, id])).toBe(false)
  expect(await plan([...ids, next])).toBe(true)
})
