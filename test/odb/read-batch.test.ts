import { beforeAll, expect, test } from 'vitest'
import { openRepositoryAt } from '../../src/cli/open-repository.ts'
import { createMemoryBudget } from '../../src/odb/memory-budget.ts'
import { parseHex } from '../../src/bytes/hex.ts'
import type { RawObject } from '../../src/object/object-reader.ts'
import { readBatch } from '../../src/odb/read-batch.ts'
import { createRandom } from '../support/random.ts'
import { createHistory } from '../support/histories.ts'
import { git, gitLines } from '../support/git.ts'
import { useScratch } from '../support/hooks.ts'

const scratch = useScratch()
let repository: string
/** Ids of objects in two packs, in any order, some of them twice, some of nothing. */
let ids: string[]

beforeAll(async () => {
  repository = await createHistory('source-like', scratch.fresh('a.git'))
  await git(['repack', '-adfq'], { cwd: repository })
  const blob = await git(['hash-object', '-w', '--stdin'], { cwd: repository, input: 'loose' })
  const known = await gitLines(['cat-file', '--batch-all-objects', '--batch-check=%(objectname)'], {
    cwd: repository,
  })
  const random = createRandom(3)
  ids = Array.from({ length: 600 }, () => known[random.below(known.length)] ?? '')
  ids.splice(100, 0, blob, '1'.repeat(40))
  ids.push('2'.repeat(40), blob)
})

test.each([0, 5_000, 1 << 30])(
  'objects are given out in the order they were asked for, with %d bytes of them waiting',
  async (maxHeldBytes) => {
    const opened = await openRepositoryAt(repository, { memoryBudget: createMemoryBudget(1 << 20) })
    const view = await opened.openView()
    try {
      const given: (RawObject | null)[] = []
      let most = 0
      let made = 0
      await readBatch<RawObject>(view, {
        ids: ids.map(parseHex),
        tryAnswer: (id) => {
          const object = view.tryRead(id)
          if (object !== undefined) made++
          return object
        },
        weigh: ({ body }) => body.length,
        maxHeldBytes,
        take: (object, position) => {
          expect(position).toBe(given.length)
          given.push(object)
          most = Math.max(most, made - given.length)
          return position % 2 === 0 ? Promise.resolve() : undefined
        },
      })
      expect(given.length).toBe(ids.length)
      for (const [at, object] of given.entries()) {
        const id = ids[at] ?? ''
        if (/^([12])\1*$/.test(id)) expect(object).toBeNull()
        else expect(object?.body.length).toBe(Number(await sizeOf(id)))
      }
      expect(made).toBe(ids.length)
      if (maxHeldBytes > 1 << 20) expect(most).toBeGreaterThan(100)
    } finally {
      await view.close()
      await opened.close()
    }
  },
)

const sizes = new Map<string, string>()

async function sizeOf(id: string): Promise<string | undefined> {
  if (sizes.size === 0) {
    const known = await gitLines(
      ['cat-file', '--batch-all-objects', '--batch-check=%(objectname) %(objectsize)'],
      { cwd: repository },
    )
    for (const line of known) sizes.set(line.slice(0, 40), line.slice(41))
  }
  return sizes.get(id)
}

test('an object that cannot be read fails when its turn comes, not before', async () => {
  const opened = await openRepositoryAt(repository)
  const view = await opened.openView()
  try {
    const given: number[] = []
    const wanted = ids.slice(0, 90).map(parseHex)
    const reading = readBatch<RawObject>(view, {
      ids: wanted,
      tryAnswer: (id) => {
        if (id === wanted[40]) throw new Error('unreadable')
        return view.tryRead(id)
      },
      weigh: () => 0,
      maxHeldBytes: 0,
      take: (_, position) => {
        given.push(position)
        return undefined
      },
    })
    await expect(reading).rejects.toThrow('unreadable')
    expect(given).toEqual(Array.from({ length: 40 }, (_, at) => at))
  } finally {
    await view.close()
    await opened.close()
  }
})
