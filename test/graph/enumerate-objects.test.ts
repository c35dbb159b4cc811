import { readFile, rm, writeFile } from 'node:fs/promises'
import { beforeAll, describe, expect, test } from 'vitest'
import { parseHex } from '../../src/bytes/hex.ts'
import { enumerateObjects, type EnumerateRequest } from '../../src/graph/enumerate-objects.ts'
import type { ObjectView } from '../../src/odb/object-view.ts'
import { createHistory, type HistoryName } from '../support/histories.ts'
import { git, gitLines } from '../support/git.ts'
import { useScratch } from '../support/hooks.ts'
import { createRandom } from '../support/random.ts'
import { listPacks, listReachable } from '../support/repositories.ts'
import { includedIds } from './included-ids.ts'
import { openOnDisk, openViewOf, WAYS } from './views.ts'

const scratch = useScratch()

async function enumerate(
  view: ObjectView,
  wants: readonly string[],
  haves: readonly string[] = [],
  options: Partial<EnumerateRequest> = {},
): Promise<string[]> {
  const raw = (id: string): Uint8Array => parseHex(id)
  return includedIds(
    await enumerateObjects(view, { wants: wants.map(raw), haves: haves.map(raw), ...options }),
  )
}

describe.each<readonly [HistoryName, number]>([
  ['source-like', 0.15],
  ['merges', 0.3],
  ['renames', 0.5],
  ['odd-objects', 1],
  ['odd-refs', 1],
])('the history %s', (name, scale) => {
  let path = ''
  let tips: string[] = []
  let commits: string[] = []

  beforeAll(async () => {
    path = await createHistory(name, scratch.fresh(name), { scale })
    tips = await gitLines(['for-each-ref', '--format=%(objectname)'], { cwd: path })
    commits = await gitLines(['rev-list', '--all'], { cwd: path })
  })

  describe.each(WAYS)('%s', (way) => {
    test('is enumerated as git rev-list --objects does', async () => {
      const view = await openViewOf(path, way)
      expect(await enumerate(view, tips)).toEqual(await listReachable(path))
      expect(await enumerate(view, tips, [], { verifyBlobs: true })).toEqual(await listReachable(path))
      expect(await enumerate(view, tips, tips)).toEqual([])
    })

    test('is enumerated from any commit, without what another one has', async () => {
      const view = await openViewOf(path, way)
      const random = createRandom(1)
      const isCommit = new Set(commits)
      for (let round = 0; round < 8; round++) {
        const [want, have] = [random.pick(commits), random.pick(commits)]
        const found = await enumerate(view, [want], round % 3 === 0 ? [] : [have])
        const all = await listReachable(path, [want])
        if (round % 3 === 0) {
          expect(found).toEqual(all)
          continue
        }
        const exact = await listReachable(path, [want, `^${have}`])
        const has = new Set(await listReachable(path, [have]))
        const needed = all.filter((id) => !has.has(id))
        expect(needed.filter((id) => !found.includes(id))).toEqual([])
        expect(found.filter((id) => !all.includes(id))).toEqual([])
        expect(found.filter((id) => isCommit.has(id))).toEqual(exact.filter((id) => isCommit.has(id)))
      }
    })
  })
})

describe('objects that are missing', () => {
  /** A history of loose objects, of which one is taken away. */
  async function withoutObject(revision: string): Promise<{ view: ObjectView; tip: string; gone: string }> {
    const path = await createHistory('source-like', scratch.fresh('missing'), { scale: 0.02 })
    const [pack = ''] = await listPacks(path)
    const bytes = await readFile(`${pack}.pack`)
    for (const kind of ['pack', 'idx']) await rm(`${pack}.${kind}`)
    await git(['unpack-objects', '-q'], { cwd: path, input: bytes })
    const [gone, tip] = await Promise.all([
      git(['rev-parse', revision], { cwd: path }),
      git(['rev-parse', 'main'], { cwd: path }),
    ])
    await rm(`${path}/objects/${gone.slice(0, 2)}/${gone.slice(2)}`)
    const repository = await openOnDisk(path)
    return { view: await repository.openView(), tip, gone }
  }

  test.each([
    ['commit', 'main~2'],
    ['tree', 'main~1^{tree}'],
    ['tree', 'main:src'],
  ])('a %s is named with what needs it', async (type, revision) => {
    const { view, tip, gone } = await withoutObject(revision)
    const error = (await enumerate(view, [tip]).catch((caught: unknown) => caught)) as {
      code: string
      details: Record<string, string>
    }
    expect(error.code).toBe('MISSING_OBJECT')
    expect(error.details).toMatchObject({ id: gone, type })
    expect(error.details['neededBy']).toMatch(/^[0-9a-f]{40}$/)
    await view.close()
  })

  test('a blob is only missed by those who look', async () => {
    const path = await createHistory('source-like', scratch.fresh('blobs'), { scale: 0.02 })
    const blob = (await gitLines(['ls-tree', '-r', 'main'], { cwd: path }))[0]!.split(/[ \t]/)[2]!
    const { view, tip, gone } = await withoutObject(blob)
    expect(gone).toBe(blob)
    expect(await enumerate(view, [tip])).toContain(blob)
    await expect(enumerate(view, [tip], [], { verifyBlobs: true })).rejects.toMatchObject({
      code: 'MISSING_OBJECT',
      details: { id: blob, type: 'blob' },
    })
    await view.close()
  })

  test('a want is named; a have does not matter', async () => {
    const { view, tip } = await withoutObject('main~2')
    const absent = '12'.repeat(20)
    await expect(enumerate(view, [absent])).rejects.toMatchObject({
      code: 'MISSING_OBJECT',
      details: { id: absent },
    })
    await expect(enumerate(view, [tip], [absent])).rejects.toMatchObject({ code: 'MISSING_OBJECT' })
    await view.close()
  })

  test('commits missing behind the haves do not matter', async () => {
    const { view, tip } = await withoutObject('main~2')
    const path = await createHistory('source-like', scratch.fresh('behind'), { scale: 0.02 })
    const [have = ''] = await gitLines(['rev-parse', 'main~1'], { cwd: path })
    expect(await enumerate(view, [tip], [have])).toContain(tip)
    await view.close()
  })
})

describe('a shallow repository', () => {
  test('is enumerated up to its boundary, as git does', async () => {
    const source = await createHistory('merges', scratch.fresh('shallow-source'), { scale: 0.2 })
    const path = scratch.fresh('shallow')
    await git(['clone', '-q', '--bare', '--no-single-branch', '--depth=4', `file://${source}`, path])
    const view = await (await openOnDisk(path)).openView()
    expect(view.shallow.size).toBeGreaterThan(0)
    const tips = await gitLines(['for-each-ref', '--format=%(objectname)'], { cwd: path })
    expect(await enumerate(view, tips)).toEqual(await listReachable(path))
    await view.close()
  })

  test('may be pretended: commits named as shallow have no parents', async () => {
    const path = await createHistory('merges', scratch.fresh('pretend'), { scale: 0.1 })
    const boundary = await git(['rev-parse', 'main~3'], { cwd: path })
    const shallow = scratch.fresh('shallow-file')
    await writeFile(shallow, `${boundary}\n`)
    const expected = await gitLines(
      ['--shallow-file', shallow, 'rev-list', '--objects', '--no-object-names', 'main'],
      { cwd: path },
    )
    for (const way of WAYS) {
      const view = await openViewOf(path, way)
      const tip = await git(['rev-parse', 'main'], { cwd: path })
      const found = await enumerate(view, [tip], [], { shallow: new Set([boundary]) })
      expect(found).toEqual([...new Set(expected)].sort())
    }
  })
})
