import { cp, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { geometricSplit } from '../../../src/repository/maintenance/geometric-split.ts'
import { maintain } from '../../../src/repository/maintenance/maintain.ts'
import { openOnDisk } from '../../graph/views.ts'
import { git } from '../../support/git.ts'
import { useScratch } from '../../support/hooks.ts'
import { listObjects } from '../../support/repositories.ts'

const scratch = useScratch()

test('what is left after joining is a geometric progression', () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 1000 }), { maxLength: 30 })
  fc.assert(
    fc.property(sizes, fc.integer({ min: 2, max: 5 }), (unsorted, factor) => {
      const sorted = unsorted.sort((left, right) => left - right)
      const split = geometricSplit(sorted, factor)
      expect(split).not.toBe(1)
      const joined = sorted.slice(0, split).reduce((sum, size) => sum + size, 0)
      const left = split === 0 ? sorted : [joined, ...sorted.slice(split)]
      left.slice(1).forEach((size, at) => {
        expect(size).toBeGreaterThanOrEqual(factor * left[at]!)
      })
      if (left.length === sorted.length) expect(split).toBe(0)
    }),
  )
})

test.each([[[1, 1, 2, 4, 8]], [[5, 1, 3, 20, 100]], [[1, 2, 4, 8, 16]], [[7, 7, 7, 7]], [[1, 3, 5, 40, 90]]])(
  'packs of %j objects are joined where git joins them',
  async (sizes) => {
    const ours = scratch.fresh('ours')
    const theirs = scratch.fresh('theirs')
    await git(['init', '-q', '--bare', ours])
    const folder = join(ours, 'objects/pack/pack')
    for (const [at, size] of sizes.entries()) {
      const bodies = Array.from({ length: size }, (_, k) => `blob ${at} ${k}\n`)
      const stream = bodies.map((body) => `blob\ndata ${body.length}\n${body}\n`).join('')
      const loose = scratch.fresh('loose')
      await git(['init', '-q', '--bare', loose])
      await git(['fast-import', '--quiet'], { cwd: loose, input: stream })
      await git(['pack-objects', '-q', folder], { cwd: loose, input: (await listObjects(loose)).join('\n') })
    }
    await cp(ours, theirs, { recursive: true })
    const before = await listObjects(ours)
    const packsBefore = await readdir(join(ours, 'objects/pack'))
    const repository = await openOnDisk(ours)
    await maintain(repository)
    await git(['repack', '-dq', '--geometric=2'], { cwd: theirs })
    const left = async (path: string): Promise<string[]> => {
      const names = await readdir(join(path, 'objects/pack'))
      return names.filter((name) => name.endsWith('.pack') && packsBefore.includes(name)).sort()
    }
    expect(await left(ours)).toEqual(await left(theirs))
    expect(await listObjects(ours)).toEqual(before)
  },
)
