import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { git, gitFails, gitLines, tryGit } from '../support/git.ts'
import { createHistory } from '../support/histories.ts'
import { useScratch, useServer } from '../support/hooks.ts'
import { PROTOCOLS, speaking } from '../support/protocols.ts'
import {
  findFaults,
  listObjects,
  listPacks,
  listReachable,
  readContents,
  readRefLines,
} from '../support/repositories.ts'
import { cloneWorkTree } from '../support/work-tree.ts'

const scratch = useScratch()
const server = useServer(scratch)

/** Points refs of a served repository, a fetch of which is then under test. */
async function setRefs(repository: string, refs: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, value] of Object.entries(refs))
    await git(['update-ref', name, value], { cwd: repository })
}

/** The ids in the packs that a fetch added: run the fetch with `fetch.unpackLimit=1`. */
async function listPacked(packs: readonly string[]): Promise<string[]> {
  const ids: string[] = []
  for (const pack of packs) {
    const lines = await gitLines(['show-index'], { input: await readFile(`${pack}.idx`) })
    ids.push(...lines.map((line) => line.split(' ')[1] ?? ''))
  }
  return ids.sort()
}

describe.each(PROTOCOLS)('over protocol version %d', (protocol) => {
  const speak = speaking(protocol)

  it('each fetch brings exactly what is new', async () => {
    const name = `steps-v${protocol}.git`
    const served = await createHistory('source-like', server.path(name), { scale: 0.5 })
    const tip = await git(['rev-parse', 'main'], { cwd: served })
    await git(['for-each-ref', '--format=delete %(refname)', 'refs/tags', 'refs/heads/topic'], {
      cwd: served,
    }).then((input) => git(['update-ref', '--stdin'], { cwd: served, input: `${input}\n` }))
    await setRefs(served, { 'refs/heads/main': 'main~60' })
    const clone = scratch.fresh('steps')
    await git([...speak, 'clone', '--quiet', '--mirror', server.url(name), clone])

    for (const back of [59, 57, 30, 29, 1, 0]) {
      const before = await listReachable(clone)
      const packs = await listPacks(clone)
      await setRefs(served, { 'refs/heads/main': `${tip}~${back}` })
      await git([...speak, '-c', 'fetch.unpackLimit=1', 'fetch', '--quiet'], { cwd: clone })
      const had = new Set(before)
      const fresh = (await listReachable(served)).filter((id) => !had.has(id))
      const added = (await listPacks(clone)).filter((pack) => !packs.includes(pack))
      // Bases of thin deltas come to lie in the pack too; beyond them nothing is sent that is there already.
      const packed = await listPacked(added)
      expect(packed).toEqual(expect.arrayContaining(fresh))
      const bases = packed.filter((id) => had.has(id))
      expect(bases.length).toBeLessThanOrEqual(fresh.length)
    }
    expect(await readContents(clone)).toEqual(await readContents(served))
    expect(await findFaults(clone)).toEqual([])
  })

  it('histories that have grown apart find what they share', async () => {
    const name = `apart-v${protocol}.git`
    const served = await createHistory('merges', server.path(name), { scale: 1 })
    const clone = scratch.fresh('apart')
    await git([...speak, 'clone', '--quiet', server.url(name), clone])
    const fork = await git(['rev-list', '--topo-order', '--skip=30', '-1', 'HEAD'], { cwd: clone })
    // The client goes its own way for long enough to need several rounds of negotiation.
    const stream = Array.from(
      { length: 400 },
      (_, at) =>
        `commit refs/heads/own\ncommitter A <a@example.com> ${1_700_000_000 + at} +0000\ndata 2\nx\n${at === 0 ? `from ${fork}\n` : ''}\n`,
    )
    await git(['fast-import', '--quiet'], { cwd: clone, input: stream.join('') })
    const work = await cloneWorkTree(server.url(name), scratch.fresh('apart-other'), speak, 10_000)
    await work.commit('theirs', '1')
    await git(['config', 'http.receivepack', 'true'], { cwd: served })
    await work.git(...speak, 'push', '--quiet', 'origin', 'main')

    for (const algorithm of ['consecutive', 'skipping', 'noop']) {
      const copy = scratch.fresh('apart-copy')
      await git(['clone', '--quiet', '--mirror', clone, copy])
      const config = ['-c', `fetch.negotiationAlgorithm=${algorithm}`]
      await git([...speak, ...config, 'fetch', '--quiet', server.url(name), '+refs/heads/*:refs/theirs/*'], {
        cwd: copy,
      })
      expect(await git(['rev-parse', 'refs/theirs/main'], { cwd: copy })).toBe(
        await work.git('rev-parse', 'main'),
      )
      expect(await findFaults(copy)).toEqual([])
    }
  })

  it('tags come along with what they name, and only then', async () => {
    const name = `follow-v${protocol}.git`
    const served = await server.createRepository(name)
    const work = await cloneWorkTree(server.url(name), scratch.fresh('tagger'), speak)
    await work.commit('a', '1')
    await work.git('push', '--quiet', 'origin', 'main')
    const clone = scratch.fresh('follow')
    await git([...speak, 'clone', '--quiet', server.url(name), clone])

    await work.commit('a', '2')
    await work.git('tag', '-a', '-m', 'on main', 'on-main')
    await work.git('tag', '-a', '-m', 'of a tag', 'of-tag', 'on-main')
    await work.git('tag', 'light-on-main')
    await work.git('checkout', '--quiet', '-b', 'aside', 'HEAD~1')
    await work.commit('b', '1')
    await work.git('tag', '-a', '-m', 'aside', 'on-aside')
    await work.git('push', '--quiet', 'origin', '--all')
    await work.git('push', '--quiet', 'origin', '--tags')

    await git([...speak, 'fetch', '--quiet', 'origin', 'main:refs/remotes/origin/main'], { cwd: clone })
    const names = async (): Promise<string[]> =>
      (await readRefLines(clone, 'refs/tags')).map((line) => line.split(' ')[0] ?? '')
    expect(await names()).toEqual(['refs/tags/light-on-main', 'refs/tags/of-tag', 'refs/tags/on-main'])
    await git([...speak, 'fetch', '--quiet', '--tags', 'origin'], { cwd: clone })
    expect(await readRefLines(clone, 'refs/tags')).toEqual(await readRefLines(served, 'refs/tags'))
    expect(await findFaults(clone)).toEqual([])

    const without = scratch.fresh('without-tags')
    await git([...speak, 'clone', '--quiet', '--no-tags', server.url(name), without])
    expect(await readRefLines(without, 'refs/tags')).toEqual([])
  })

  it('a clone of one branch holds that branch and nothing else', async () => {
    const name = `single-v${protocol}.git`
    const served = await createHistory('merges', server.path(name), { scale: 0.5 })
    const clone = scratch.fresh('single')
    const args = ['clone', '--quiet', '--bare', '--single-branch', '--no-tags', '--branch=line/3']
    await git([...speak, ...args, server.url(name), clone])
    const wanted = new Set(await listReachable(served, ['line/3']))
    const held = await listObjects(clone)
    expect(held).toEqual(expect.arrayContaining([...wanted]))
    // Git asks for the tags of what it clones even when it then does not keep them as refs.
    for (const id of held)
      if (!wanted.has(id)) expect(await git(['cat-file', '-t', id], { cwd: clone })).toBe('tag')
  })

  it('an id that no ref reaches is refused, in git’s words', async () => {
    const name = `unknown-v${protocol}.git`
    await createHistory('source-like', server.path(name), { scale: 0.05 })
    const clone = scratch.fresh('unknown')
    await git([...speak, 'clone', '--quiet', '--bare', server.url(name), clone])
    const refusal = await gitFails(
      [...speak, 'fetch', 'origin', '1234567890123456789012345678901234567890'],
      { cwd: clone },
    )
    expect(refusal).toMatch(/not our ref|unadvertised object/)
  })

  it('an id that a ref reaches is sent when the protocol or the config allows it', async () => {
    const name = `reachable-v${protocol}.git`
    const served = await createHistory('source-like', server.path(name), { scale: 0.05 })
    const id = await git(['rev-parse', 'main~5'], { cwd: served })
    const clone = scratch.fresh('reachable')
    await git(['init', '--quiet', '--bare', clone])
    const fetch = [...speak, 'fetch', '--quiet', server.url(name), `${id}:refs/heads/got`]
    if (protocol !== 2) {
      expect(await gitFails(fetch, { cwd: clone })).toMatch(/unadvertised object/)
      await git(['config', 'uploadpack.allowReachableSHA1InWant', 'true'], { cwd: served })
    }
    await git(fetch, { cwd: clone })
    expect(await listReachable(clone)).toEqual(await listReachable(served, ['main~5']))
  })

  it('hidden refs are not shown and not sent', async () => {
    const name = `hidden-v${protocol}.git`
    const served = await createHistory('odd-refs', server.path(name))
    await git(['config', 'uploadpack.hideRefs', 'refs/notes'], { cwd: served })
    await git(['config', '--add', 'transfer.hideRefs', 'refs/pull'], { cwd: served })
    const listed = await git([...speak, 'ls-remote', server.url(name)])
    expect(listed).not.toMatch(/refs\/(notes|pull)/)
    expect(listed).toContain('refs/changes/')
    const clone = scratch.fresh('hidden')
    await git([...speak, 'clone', '--quiet', '--mirror', server.url(name), clone])
    const notes = await git(['rev-parse', 'refs/notes/commits'], { cwd: served })
    expect(await listObjects(clone)).not.toContain(notes)
  })
})

it('requests that git compresses are understood', async () => {
  // Git compresses a request once it is longer than a kilobyte: many branches make for many wants.
  const served = await createHistory('merges', server.path('gzip.git'), { scale: 1 })
  const commits = await gitLines(['rev-list', 'main'], { cwd: served })
  const lines = commits.slice(0, 120).map((id, at) => `create refs/heads/many/${at} ${id}\n`)
  await git(['update-ref', '--stdin'], { cwd: served, input: lines.join('') })
  for (const protocol of PROTOCOLS) {
    const clone = scratch.fresh('gzip')
    const trace = scratch.fresh('gzip-trace')
    const env = { GIT_TRACE_CURL: trace, GIT_TRACE_CURL_NO_DATA: '1' }
    await git([...speaking(protocol), 'clone', '--quiet', '--mirror', server.url('gzip.git'), clone], { env })
    expect(await readContents(clone)).toEqual(await readContents(served))
    expect(await readFile(trace, 'latin1')).toMatch(/content-encoding: gzip/i)
  }
})

it('a client that does not take offset deltas gets deltas by id', async () => {
  const served = await createHistory('source-like', server.path('plain-client.git'), { scale: 0.3 })
  await git(['repack', '-adfq', '--depth=50'], { cwd: served })
  const clone = scratch.fresh('plain-client')
  await git([
    '-c',
    'repack.useDeltaBaseOffset=false',
    'clone',
    '--quiet',
    '--mirror',
    server.url('plain-client.git'),
    clone,
  ])
  expect(await readContents(clone)).toEqual(await readContents(served))
  expect(await findFaults(clone)).toEqual([])
})

it('progress is shown as git users know it, and silence kept when asked for', async () => {
  await createHistory('source-like', server.path('progress.git'), { scale: 0.3 })
  const loud = await tryGit([
    'clone',
    '--progress',
    '--bare',
    server.url('progress.git'),
    scratch.fresh('loud'),
  ])
  expect(loud.stderr).toMatch(/remote: Enumerating objects: \d+, done\./)
  expect(loud.stderr).toMatch(/remote: Total \d+ \(delta \d+\), reused \d+ \(delta \d+\)/)
  const quiet = await tryGit([
    'clone',
    '--quiet',
    '--bare',
    server.url('progress.git'),
    scratch.fresh('quiet'),
  ])
  expect(quiet.stderr).toBe('')
})
