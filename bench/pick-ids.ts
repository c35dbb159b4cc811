import { gitLines } from '../test/support/git.ts'
import { createRandom } from '../test/support/random.ts'

/** Ids of a repository's objects, at most so many: the first ones in the order of history, or any, the same ones each time. */
export async function pickIds(
  repository: string,
  order: 'random' | 'history',
  count: number,
): Promise<readonly string[]> {
  const list = ['rev-list', '--all', '--objects', '--no-object-names']
  const ids = [...new Set(await gitLines(list, { cwd: repository }))]
  if (order === 'history') return ids.slice(0, count)
  const random = createRandom(7)
  for (let at = ids.length - 1; at > 0; at--) {
    const other = random.below(at + 1)
    const id = ids[at] ?? ''
    ids[at] = ids[other] ?? ''
    ids[other] = id
  }
  return ids.slice(0, count)
}
