import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { git, tryGit } from '../support/git.ts'
import { createHistory } from '../support/histories.ts'
import { useScratch, useServer } from '../support/hooks.ts'
import { PROTOCOLS, speaking } from '../support/protocols.ts'
import { findFaults, readContents, readRefLines } from '../support/repositories.ts'

const scratch = useScratch()
const server = useServer(scratch)

it('a history of more than 20 000 objects goes in by push and out by clone', async () => {
  const source = await createHistory('source-like', scratch.fresh('large'), { scale: 11 })
  await git(['repack', '-adfq', '--depth=50', '--window=10'], { cwd: source })
  const contents = await readContents(source)
  expect(contents.reachable.length).toBeGreaterThan(20_000)
  const served = await server.createRepository('large.git')
  await git(['push', '--quiet', '--mirror', server.url('large.git')], { cwd: source })
  const clone = scratch.fresh('large-clone')
  await git(['clone', '--quiet', '--mirror', server.url('large.git'), clone])
  expect(await readContents(clone)).toEqual(contents)
  expect(await findFaults(served)).toEqual([])
  expect(await findFaults(clone)).toEqual([])
})

it('this project’s own history goes in by push and out by clone', async ({ skip }) => {
  const shallow = await tryGit(['rev-parse', '--is-shallow-repository'], { cwd: process.cwd() })
  if (shallow.stdout.toString().trim() !== 'false') skip('not run from a whole clone of the project')
  const source = scratch.fresh('own')
  await git(['clone', '--quiet', '--bare', '--no-local', process.cwd(), source])
  const contents = await readContents(source)
  const served = await server.createRepository('own.git')
  await git(['push', '--quiet', '--mirror', server.url('own.git')], { cwd: source })
  const clone = scratch.fresh('own-clone')
  await git(['clone', '--quiet', '--mirror', server.url('own.git'), clone])
  expect(await readContents(served)).toEqual(contents)
  expect(await readContents(clone)).toEqual(contents)
  expect(await findFaults(served)).toEqual([])
})

/** Makes a repository of many refs. They are written by hand: git itself would make a file for each first. */
async function createManyRefs(path: string, count: number): Promise<string> {
  await createHistory('merges', path, { scale: 0.5 })
  const ids = await Promise.all(['main', 'main~1'].map((name) => git(['rev-parse', name], { cwd: path })))
  const lines = (await readRefLines(path)).map((line) => line.split(' ').slice(0, 2).reverse().join(' '))
  for (let at = 0; at < count; at++) {
    lines.push(
      `${String(ids[at % 3 === 0 ? 0 : 1])} refs/${at % 2 === 0 ? 'heads' : 'tags'}/many/${at % 50}/${at}`,
    )
  }
  const sorted = lines.sort((a, b) => (a.slice(41) < b.slice(41) ? -1 : 1))
  await writeFile(join(path, 'packed-refs'), `# pack-refs with: sorted\n${sorted.join('\n')}\n`)
  return path
}

it('a repository of 5 000 refs is cloned', async () => {
  const served = await createManyRefs(server.path('refs.git'), 5000)
  const contents = await readContents(served)
  expect(contents.refs.length).toBeGreaterThanOrEqual(5000)
  for (const protocol of PROTOCOLS) {
    const clone = scratch.fresh('refs-clone')
    await git([...speaking(protocol), 'clone', '--quiet', '--mirror', server.url('refs.git'), clone])
    expect(await readContents(clone)).toEqual(contents)
    const branch = await git([
      ...speaking(protocol),
      'ls-remote',
      server.url('refs.git'),
      'refs/heads/many/8/8',
    ])
    expect(branch).toBe(
      `${await git(['rev-parse', 'refs/heads/many/8/8'], { cwd: served })}\trefs/heads/many/8/8`,
    )
  }
})

// The time that git takes to push grows with the square of the number of refs.
it('a thousand refs are pushed at once', async () => {
  const source = await createManyRefs(scratch.fresh('refs'), 1000)
  const served = await server.createRepository('pushed-refs.git')
  await git(['push', '--quiet', '--mirror', server.url('pushed-refs.git')], { cwd: source })
  expect(await readContents(served)).toEqual(await readContents(source))
})
