import { cp } from 'node:fs/promises'
import { beforeAll, expect, test } from 'vitest'
import { git } from '../support/git.ts'
import { useScratch } from '../support/hooks.ts'
import { createHistory } from '../support/histories.ts'
import { listPacks } from '../support/repositories.ts'
import { runPackstone } from './run-packstone.ts'

const scratch = useScratch()
let repository: string

beforeAll(async () => {
  // More than one segment: some of it is searched by others.
  repository = await createHistory('data-like', scratch.fresh('a.git'), { scale: 2 })
})

test.each(['node', 'portable'])(
  'pack makes the same bytes with any number of threads, codecs: %s',
  async (provider) => {
    const args = ['pack', repository, '--all', '--stdout', '--no-reuse-object']
    if (provider === 'portable') args.push('--portable')
    const alone = await runPackstone(args)
    expect([alone.code, alone.stderr]).toEqual([0, ''])
    for (const threads of provider === 'node' ? ['2', '4'] : ['2']) {
      const together = await runPackstone([...args, '--threads', threads])
      expect([together.code, together.stderr]).toEqual([0, ''])
      expect(together.stdout.equals(alone.stdout)).toBe(true)
    }
  },
)

test('maintain makes the same pack with several threads', async () => {
  const names: string[][] = []
  for (const threads of ['1', '3']) {
    const copy = scratch.fresh('copy.git')
    await cp(repository, copy, { recursive: true })
    const { code, stderr } = await runPackstone(['maintain', '--full', '--force', '--threads', threads, copy])
    expect([code, stderr]).toEqual([0, ''])
    await git(['fsck', '--strict'], { cwd: copy })
    names.push((await listPacks(copy)).map((path) => path.slice(copy.length)))
  }
  expect(names[0]).toHaveLength(1)
  expect(names[1]).toEqual(names[0])
})

test.each([
  ['pack', ['--all', '--stdout'], '--threads needs an option that has deltas searched'],
  ['maintain', [], '--threads needs --full or --gc'],
])('%s refuses threads that would have nothing to do', async (name, args, message) => {
  const { code, stderr } = await runPackstone([name, repository, ...args, '--threads', '2'])
  expect(code).toBe(2)
  expect(stderr).toContain(message)
})
