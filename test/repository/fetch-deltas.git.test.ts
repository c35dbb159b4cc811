import { readdir, rm } from 'node:fs/promises'
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import type { Repository } from '../../src/repository/repository.ts'
import { openOnDisk } from '../graph/views.ts'
import { FastImport } from '../support/fast-import.ts'
import { git, gitBytes, gitLines } from '../support/git.ts'
import { createHistory } from '../support/histories.ts'
import { useScratch } from '../support/hooks.ts'
import { listReachable } from '../support/repositories.ts'
import { acceptedByGit, collectPack, idsOf } from './collect-pack.ts'

const scratch = useScratch()

/** How the same history may be stored when somebody fetches from it. */
const LAYOUTS: Readonly<Record<string, (path: string) => Promise<void>>> = {
  'one pack': async (path) => {
    await git(['repack', '-adfq'], { cwd: path })
  },
  'a pack of each push': async (path) => {
    const line = await gitLines(['rev-list', '--reverse', '--first-parent', 'main'], { cwd: path })
    const all = await gitLines(['rev-list', '--all'], { cwd: path })
    const stops = line.filter((_, at) => at % 7 === 6)
    let before: string[] = []
    const packs: string[] = []
    for (const wants of [...stops.map((id) => [id]), all]) {
      const input = `${[...wants, ...before.map((id) => `^${id}`)].join('\n')}\n`
      packs.push(await git(['pack-objects', '-q', '--revs', 'objects/pack/pack'], { cwd: path, input }))
      before = wants
    }
    await dropPacksBut(path, packs)
  },
  'loose objects': async (path) => {
    const pack = await gitBytes(['pack-objects', '-q', '--all', '--stdout'], { cwd: path, input: '' })
    await dropPacksBut(path, [])
    await git(['unpack-objects', '-q'], { cwd: path, input: pack })
  },
}

async function dropPacksBut(path: string, kept: readonly string[]): Promise<void> {
  for (const name of await readdir(`${path}/objects/pack`)) {
    if (!kept.some((hash) => name.includes(hash))) await rm(`${path}/objects/pack/${name}`, { force: true })
  }
}

/** The thin pack that git makes of the same. */
function packOfGit(path: string, want: string, have: string): Promise<Buffer> {
  const args = ['pack-objects', '--revs', '--thin', '--stdout', '--delta-base-offset', '-q', '--threads=1']
  return gitBytes(args, { cwd: path, input: `${want}\n^${have}\n` })
}

async function describeAll(repository: Repository): Promise<void> {
  const view = await repository.openView()
  await view.describeAll()
  await view.close()
}

/** What a client with only `have` has once it has fetched, as git sees it: everything, and nothing broken. */
async function assertCompletes(path: string, pack: Buffer, want: string, have: string): Promise<void> {
  const client = scratch.fresh('client.git')
  await git(['init', '-q', '--bare', client])
  const fetching = ['-c', 'uploadpack.allowAnySHA1InWant=true', 'fetch', '-q', path, `${have}:refs/heads/old`]
  await git(fetching, { cwd: client })
  const entries = await acceptedByGit(client, pack, ['--fix-thin'])
  await git(['update-ref', 'refs/heads/new', want], { cwd: client })
  expect(await git(['fsck', '--full', '--strict', '--no-dangling'], { cwd: client })).toBe('')
  const has = new Set(await listReachable(path, [have]))
  const needed = (await listReachable(path, [want])).filter((id) => !has.has(id))
  const sent = new Set(idsOf(entries))
  expect(needed.filter((id) => !sent.has(id))).toEqual([])
}

describe.each(Object.keys(LAYOUTS))('a fetch from %s', (layout) => {
  let path = ''
  let commits: string[] = []

  beforeAll(async () => {
    path = await createHistory('source-like', scratch.fresh('fetched'), { scale: 0.2 })
    await LAYOUTS[layout]!(path)
    commits = await gitLines(['rev-list', '--first-parent', 'main'], { cwd: path })
  })

  test.each([true, false])(
    'sends hardly more than git (reachability written down: %s)',
    async (described) => {
      const repository = await openOnDisk(path)
      if (described) await describeAll(repository)
      const want = commits[0] ?? ''
      for (const back of [1, 2, 5, 20]) {
        const have = commits[back] ?? ''
        const { pack } = await collectPack(repository, { wants: [want], haves: [have], thin: true })
        const expected = await packOfGit(path, want, have)
        expect(pack.length / expected.length, `${back} commits`).toBeLessThanOrEqual(back === 1 ? 1.05 : 1.1)
      }
    },
  )

  test('is completed by a client that has more than it said', async () => {
    const repository = await openOnDisk(path)
    const client = scratch.fresh('has-everything.git')
    await git(['clone', '-q', '--mirror', path, client])
    for (const isDescribed of [false, true]) {
      if (isDescribed) await describeAll(repository)
      for (const [wanted, had] of [
        [0, 10],
        [0, commits.length >> 1],
        [5, commits.length - 1],
      ] as const) {
        const request = { wants: [commits[wanted] ?? ''], haves: [commits[had] ?? ''], thin: true }
        const { plan, pack } = await collectPack(repository, request)
        const entries = await acceptedByGit(client, pack, ['--fix-thin'])
        expect(entries.length).toBeGreaterThanOrEqual(plan.objectCount)
      }
    }
  })

  test('gives the client all it asked for, whichever commits these are', async () => {
    const repository = await openOnDisk(path)
    let described = false
    await fc.assert(
      fc.asyncProperty(
        fc.nat({ max: commits.length - 1 }),
        fc.nat({ max: commits.length - 1 }),
        fc.boolean(),
        async (wanted, had, ofsDelta) => {
          const want = commits[wanted] ?? ''
          const have = commits[had] ?? ''
          const request = { wants: [want], haves: [have], thin: true, ofsDelta }
          const { plan, pack } = await collectPack(repository, request)
          expect(pack.readUInt32BE(8)).toBe(plan.objectCount)
          await assertCompletes(path, pack, want, have)
          // A thick one completes by itself, too.
          const thick = await collectPack(repository, { ...request, thin: false })
          const alone = scratch.fresh('alone.git')
          await git(['init', '-q', '--bare', alone])
          expect(await acceptedByGit(alone, thick.pack, [])).toHaveLength(plan.objectCount)
          if (!described) await describeAll(repository)
          described = true
        },
      ),
      { numRuns: 4 },
    )
  })
})

test('a fetch finds the base of each file among many of the same name', async () => {
  const path = scratch.fresh('namesakes.git')
  await git(['init', '-q', '--bare', path])
  const text = (seed: number): string =>
    Array.from({ length: 300 }, (_, line) => `line ${line} ${(line * seed * 7919) % 10007}\n`).join('')
  const names = Array.from({ length: 30 }, (_, at) => `packages/number-${at}/src/index.test.ts`)
  const stream = new FastImport()
  const ref = 'refs/heads/main'
  stream.commit({
    ref,
    changes: names.map((name, at) => ({ kind: 'write', path: name, content: text(at + 1) })),
  })
  stream.commit({
    ref,
    changes: [
      // All change a little, so that each has a base of its own among thirty of the same name.
      ...names.map((name, at) => ({
        kind: 'write' as const,
        path: name,
        content: `${text(at + 1)}one more line ${at}\n`,
      })),
      { kind: 'rename', from: names[7] ?? '', to: 'elsewhere/index.test.ts' },
      { kind: 'write', path: 'quite/new', content: text(4711) },
    ],
  })
  await stream.run(path)
  await git(['repack', '-adfq'], { cwd: path })
  const [want = '', have = ''] = await gitLines(['rev-list', 'main'], { cwd: path })
  const repository = await openOnDisk(path)
  await describeAll(repository)
  const { plan, pack } = await collectPack(repository, { wants: [want], haves: [have], thin: true })
  await assertCompletes(path, pack, want, have)
  // All but the one that moved away, and the new one.
  expect(plan.deltaCount).toBeGreaterThanOrEqual(29)
  expect(pack.length).toBeLessThan((await packOfGit(path, want, have)).length)
})
