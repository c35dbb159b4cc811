import { cp } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { git, gitFails, tryGit } from '../support/git.ts'
import { createHistory } from '../support/histories.ts'
import { useScratch, useServer } from '../support/hooks.ts'
import { findFaults, readContents } from '../support/repositories.ts'

const scratch = useScratch()
const server = useServer(scratch, 'packstone')
const oracle = useServer(scratch, 'git')

/** Makes git read files instead of speaking to a service. */
const DUMB = { GIT_SMART_HTTP: '0' }

async function serve(name: string, prepare: (path: string) => Promise<unknown>): Promise<string> {
  const path = await createHistory('source-like', server.path(name), { scale: 0.1 })
  await git(['config', 'http.getanyfile', 'true'], { cwd: path })
  await prepare(path)
  await cp(path, oracle.path(name), { recursive: true })
  return path
}

describe('a client without smart HTTP', () => {
  it.each([
    ['packed objects', (cwd: string) => git(['repack', '-adq'], { cwd })],
    [
      'loose objects',
      async (cwd: string) => {
        await git(['commit-tree', '-m', 'loose', 'HEAD^{tree}'], { cwd }).then((id) =>
          git(['update-ref', 'refs/heads/loose', id], { cwd }),
        )
      },
    ],
    ['a detached HEAD', (cwd: string) => git(['update-ref', '--no-deref', 'HEAD', 'HEAD'], { cwd })],
  ])('clones and fetches from a repository with %s', async (shape, prepare) => {
    const name = `dumb-${shape.replaceAll(' ', '-')}.git`
    const served = await serve(name, prepare)
    const clone = scratch.fresh('clone')
    await git(['clone', '-q', '--mirror', server.url(name), clone], { env: DUMB })
    expect(await readContents(clone)).toEqual(await readContents(served))
    expect(await findFaults(clone)).toEqual([])
    expect(await git(['ls-remote', server.url(name)], { env: DUMB })).toBe(
      await git(['ls-remote', oracle.url(name)], { env: DUMB }),
    )
  })

  it('gets the same bytes as from git', async () => {
    const name = 'bytes.git'
    const served = await serve(name, (cwd) => git(['repack', '-adq'], { cwd }))
    const loose = await git(['hash-object', '-w', '--stdin'], { cwd: served, input: 'loose\n' })
    await git(['hash-object', '-w', '--stdin'], { cwd: oracle.path(name), input: 'loose\n' })
    const packs = await (await fetch(`${server.url(name)}/objects/info/packs`)).text()
    const pack = /pack-[0-9a-f]+/.exec(packs)?.[0] ?? ''
    for (const file of [
      'HEAD',
      'info/refs',
      `objects/${loose.slice(0, 2)}/${loose.slice(2)}`,
      `objects/pack/${pack}.pack`,
      `objects/pack/${pack}.idx`,
      `objects/pack/pack-${'0'.repeat(40)}.pack`,
      `objects/00/${'0'.repeat(38)}`,
      'config',
      'objects/pack/..%2f..%2fconfig',
      'objects/..%2fconfig',
    ]) {
      const [mine, theirs] = await Promise.all(
        [server, oracle].map(async (one) => {
          const response = await fetch(`${one.url(name)}/${file}`)
          return { ok: response.ok, body: response.ok ? Buffer.from(await response.arrayBuffer()) : null }
        }),
      )
      expect(mine, file).toEqual(theirs)
    }
    const head = await fetch(`${server.url(name)}/objects/pack/${pack}.pack`, { method: 'HEAD' })
    expect([head.status, await head.text()]).toEqual([200, ''])
  })

  it('is not shown hidden refs', async () => {
    const name = 'hidden.git'
    await serve(name, (cwd) => git(['config', 'transfer.hideRefs', 'refs/heads'], { cwd }))
    expect(await git(['ls-remote', server.url(name)], { env: DUMB })).not.toContain('refs/heads/')
  })

  it('is refused where http.getanyfile does not say otherwise, with words', async () => {
    const name = 'refused.git'
    const served = await serve(name, () => Promise.resolve())
    await git(['config', '--unset', 'http.getanyfile'], { cwd: served })
    const words = await gitFails(['clone', server.url(name), scratch.fresh('refused')], { env: DUMB })
    expect(words).toContain('403')
    const response = await fetch(`${server.url(name)}/HEAD`)
    expect([response.status, await response.text()]).toEqual([403, expect.stringContaining('smart HTTP')])
    const missing = await fetch(`${server.url('nowhere.git')}/HEAD`)
    expect(missing.status).toBe(404)
    expect((await tryGit(['ls-remote', server.url(name)])).code).toBe(0)
  })
})
