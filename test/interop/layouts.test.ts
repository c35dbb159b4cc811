import { appendFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { git, gitLines } from '../support/git.ts'
import { createHistory } from '../support/histories.ts'
import { useScratch, useServer } from '../support/hooks.ts'
import { PROTOCOLS, speaking } from '../support/protocols.ts'
import { findFaults, listPacks, readContents } from '../support/repositories.ts'
import { cloneWorkTree } from '../support/work-tree.ts'

const scratch = useScratch()
const server = useServer(scratch)

type Rearrange = (repository: string) => Promise<unknown>

const run =
  (...commands: readonly (readonly string[])[]): Rearrange =>
  async (cwd) => {
    for (const command of commands) await git(command, { cwd })
  }

/** Ways in which git may have stored one and the same repository. */
const LAYOUTS: Readonly<Record<string, Rearrange>> = {
  'one pack with long delta chains': run(['repack', '-adfq', '--depth=250', '--window=20']),
  'one pack without any delta': run(['repack', '-adfq', '--window=0']),
  'one pack with deltas by id': run(['-c', 'repack.useDeltaBaseOffset=false', 'repack', '-adfq']),
  'one pack with an index of version 1': run(['-c', 'pack.indexVersion=1', 'repack', '-adfq']),
  'one pack with bitmap, commit-graph and reverse index': run(
    ['-c', 'repack.writeBitmaps=true', '-c', 'pack.writeReverseIndex=true', 'repack', '-adfq'],
    ['commit-graph', 'write', '--reachable', '--changed-paths'],
  ),
  'loose objects only': async (repository) => {
    const packs = await listPacks(repository)
    for (const pack of packs) {
      const bytes = await readFile(`${pack}.pack`)
      await Promise.all(['pack', 'idx', 'rev'].map((ext) => rm(`${pack}.${ext}`, { force: true })))
      await git(['unpack-objects', '-q'], { cwd: repository, input: bytes })
    }
    expect(await listPacks(repository)).toEqual([])
  },
  'many packs, some loose objects, a multi-pack index': async (repository) => {
    const commits = await gitLines(['rev-list', '--all', '--reverse'], { cwd: repository })
    const objects = join(repository, 'objects/pack/pack')
    let before = ''
    for (let at = 10; at < commits.length; at += 25) {
      const tip = commits[at] ?? ''
      await git(['pack-objects', '--revs', '-q', objects], { cwd: repository, input: `${tip}\n${before}\n` })
      before = `^${tip}`
    }
    await git(['repack', '-dq'], { cwd: repository })
    await git(['multi-pack-index', 'write'], { cwd: repository })
    expect((await listPacks(repository)).length).toBeGreaterThan(2)
  },
  'a kept pack': async (repository) => {
    await run(['repack', '-adfq'])(repository)
    for (const pack of await listPacks(repository)) await writeFile(`${pack}.keep`, 'kept\n')
  },
  'all refs packed': run(['pack-refs', '--all', '--prune']),
  'objects in an alternate': async (repository) => {
    const store = scratch.fresh('alternate')
    await git(['clone', '--quiet', '--mirror', repository, store])
    await mkdir(join(repository, 'objects/info'), { recursive: true })
    await appendFile(join(repository, 'objects/info/alternates'), `${store}/objects\n`)
    for (const pack of await listPacks(repository)) {
      await Promise.all(['pack', 'idx', 'rev'].map((ext) => rm(`${pack}.${ext}`, { force: true })))
    }
    expect(await listPacks(repository)).toEqual([])
  },
}

describe.each(Object.keys(LAYOUTS))('a repository stored as %s', (layout) => {
  it('is cloned in full, fetched from and pushed to', async () => {
    const name = `${layout.replaceAll(/\W+/g, '-')}.git`
    const served = await createHistory('source-like', server.path(name), { scale: 0.4, seed: 5 })
    await git(['config', 'http.receivepack', 'true'], { cwd: served })
    await LAYOUTS[layout]?.(served)
    const contents = await readContents(served)
    for (const protocol of PROTOCOLS) {
      const clone = scratch.fresh('layout')
      await git([...speaking(protocol), 'clone', '--quiet', '--mirror', server.url(name), clone])
      expect(await readContents(clone)).toEqual(contents)
      expect(await findFaults(clone)).toEqual([])
    }
    const partial = scratch.fresh('layout-partial')
    await git(['init', '--quiet', '--bare', partial])
    const older = await git(['rev-parse', 'main~40'], { cwd: served })
    await git(['fetch', '--quiet', served, `${older}:refs/heads/main`], { cwd: partial })
    await git(['fetch', '--quiet', server.url(name), '+refs/*:refs/*'], { cwd: partial })
    expect(await readContents(partial)).toEqual(contents)

    const work = await cloneWorkTree(server.url(name), scratch.fresh('layout-work'), [], 10_000)
    await work.commit('src/added.ts', 'added\n')
    await work.git('push', '--quiet', 'origin', 'main')
    expect(await git(['rev-parse', 'main'], { cwd: served })).toBe(await work.git('rev-parse', 'main'))
    expect(
      (await findFaults(served)).filter((fault) => !fault.includes('.idx is not what git makes')),
    ).toEqual([])
  })
})
