import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { createClient, type FetchFunction } from '../../src/client/index.ts'
import { decodeLatin1, encodeLatin1 } from '../../src/bytes/text.ts'
import { openBare, useRemotes } from '../support/client-servers.ts'
import { git } from '../support/git.ts'
import { gitError } from '../support/git-error.ts'
import { createHistory } from '../support/histories.ts'
import { useScratch } from '../support/hooks.ts'
import { findFaults } from '../support/repositories.ts'
import { cloneWorkTree } from '../support/work-tree.ts'

const scratch = useScratch()
const remotes = useRemotes(scratch, 'git')

/** Makes a remote and a repository that share old history, and have gone on for so many commits each. */
async function makeDiverged(name: string, mine: number, theirs: number): Promise<string> {
  const source = await createHistory('source-like', remotes.path(name), { scale: 0.2 })
  const path = scratch.fresh('here')
  await git(['clone', '--quiet', '--bare', source, path])
  const grow = async (repository: string, ref: string, count: number, minutes: number): Promise<void> => {
    let tip = await git(['rev-parse', 'main'], { cwd: repository })
    for (let at = 0; at < count; at++) {
      const date = `${1_700_000_000 + 60 * (minutes + at)} +0000`
      tip = await git(['commit-tree', `${tip}^{tree}`, '-p', tip, '-m', `${ref} ${at}`], {
        cwd: repository,
        env: { GIT_COMMITTER_DATE: date, GIT_AUTHOR_DATE: date },
      })
    }
    await git(['update-ref', ref, tip], { cwd: repository })
  }
  await grow(path, 'refs/heads/mine', mine, 1000)
  await grow(source, 'refs/heads/main', theirs, 0)
  // The remote's branch is not at a commit that is here, so that common ground has to be looked for.
  for (const ref of (await git(['for-each-ref', '--format=%(refname)'], { cwd: source })).split('\n')) {
    if (ref !== 'refs/heads/main') await git(['update-ref', '-d', ref], { cwd: source })
  }
  return path
}

/** A `fetch` that drops words from advertised capabilities and writes down the requests that are posted. */
function without(words: readonly string[], posted: string[] = []): FetchFunction {
  return async (url, init) => {
    if (init.body instanceof Uint8Array) {
      const isZipped = new Headers(init.headers).get('Content-Encoding') === 'gzip'
      posted.push(decodeLatin1(isZipped ? gunzipSync(init.body) : init.body))
    }
    const response = await fetch(url, init)
    if (init.method === 'POST') return response
    const text = decodeLatin1(new Uint8Array(await response.arrayBuffer()))
    // Same length, so that packets keep theirs.
    const changed = words.reduce(
      (all, word) => all.replaceAll(new RegExp(`(?<=[\\0 ])${word}(?=[ \\n])`, 'g'), 'x'.repeat(word.length)),
      text,
    )
    return new Response(new Uint8Array(encodeLatin1(changed)), { headers: response.headers })
  }
}

const countHaves = (request: string): number => request.split('have ').length - 1

describe('negotiation', () => {
  it.each([0, 2] as const)(
    'offers 16, then twice as many, and repeats what is common, in version %d',
    async (protocol) => {
      const name = `rounds-${protocol}.git`
      const path = await makeDiverged(name, 60, 2)
      const posted: string[] = []
      const client = createClient({ url: remotes.url(name), protocol, fetch: without([], posted) })
      const result = await client.fetch(await openBare(path), { tags: 'none' })
      expect(result.objectCount).toBeLessThan(8)
      const rounds = posted.filter((request) => request.includes('want ')).map(countHaves)
      expect(rounds.slice(0, 2)).toEqual([16, 32])
      expect(rounds.length).toBeLessThan(5)
      expect(await findFaults(path)).toEqual([])
    },
  )

  it('offers every commit while the remote knows none, and then gets everything', async () => {
    const name = 'strangers.git'
    const source = await createHistory('tiny-files', remotes.path(name), { scale: 0.1 })
    const path = await createHistory('merges', scratch.fresh('stranger'), { scale: 0.3 })
    const posted: string[] = []
    const client = createClient({ url: remotes.url(name), fetch: without([], posted) })
    await client.fetch(await openBare(path), { tags: 'none' })
    const own = Number(await git(['rev-list', '--count', '--branches', '--tags'], { cwd: path }))
    expect(posted.map(countHaves).reduce((sum, count) => sum + count)).toBe(own)
    expect(posted.at(-1)).toContain('done')
    expect(await git(['rev-parse', 'refs/remotes/origin/main'], { cwd: path })).toBe(
      await git(['rev-parse', 'main'], { cwd: source }),
    )
  })

  it.each([
    [['no-done']],
    [['side-band-64k']],
    [['side-band-64k', 'side-band']],
    [['multi_ack_detailed']],
    [['thin-pack', 'ofs-delta', 'include-tag', 'no-progress']],
    [['multi_ack_detailed', 'multi_ack', 'no-done', 'side-band-64k', 'side-band', 'thin-pack', 'ofs-delta']],
  ])('works with a remote that lacks %j', async (words) => {
    const name = `lacks-${words.join('-')}.git`
    const path = await makeDiverged(name, 5, 3)
    const client = createClient({ url: remotes.url(name), protocol: 0, fetch: without(words) })
    const result = await client.fetch(await openBare(path), { tags: 'none' })
    expect(result.objectCount).toBe(3)
    expect(await findFaults(path)).toEqual([])
  })

  it.each([
    [['shallow'], { depth: 1 }],
    [['deepen-since'], { since: 1 }],
    [['deepen-not'], { not: ['refs/heads/main'] }],
    [['deepen-relative'], { depth: 1, relative: true }],
  ])('refuses what a remote that lacks %j cannot do', async (words, deepen) => {
    const name = `cannot-${words.join('-')}.git`
    const path = await makeDiverged(name, 1, 1)
    const client = createClient({ url: remotes.url(name), protocol: 0, fetch: without(words) })
    await expect(client.fetch(await openBare(path), { deepen })).rejects.toThrow(
      gitError('UNSUPPORTED', 'does not offer'),
    )
  })
})

describe('a filter', () => {
  it('is passed on for a pack alone, and refused where the remote does not offer it', async () => {
    const source = await createHistory('source-like', remotes.path('filter.git'), { scale: 0.1 })
    await git(['config', 'uploadpack.allowFilter', 'true'], { cwd: source })
    const work = await cloneWorkTree(source, scratch.fresh('unused'))
    const tip = await work.git('rev-parse', 'HEAD')
    for (const protocol of [0, 2] as const) {
      const client = createClient({ url: remotes.url('filter.git'), protocol })
      const sizes: number[] = []
      for (const filter of [undefined, 'blob:none', 'tree:0']) {
        const fetched = await client.fetchPack({ wants: [tip], ...(filter === undefined ? {} : { filter }) })
        const head = await fetched.pack[Symbol.asyncIterator]().next()
        const bytes = head.done === true ? new Uint8Array(12) : head.value
        sizes.push(new DataView(bytes.buffer, bytes.byteOffset).getUint32(8))
        await fetched.close()
      }
      const [all = 0, noBlobs = 0, commits = 0] = sizes
      expect(all).toBeGreaterThan(noBlobs)
      expect(noBlobs).toBeGreaterThan(commits)
    }
    await git(['config', 'uploadpack.allowFilter', 'false'], { cwd: source })
    const client = createClient({ url: remotes.url('filter.git') })
    await expect(client.fetchPack({ wants: [tip], filter: 'blob:none' })).rejects.toThrow(
      gitError('UNSUPPORTED', 'filters'),
    )
    await expect(client.fetchPack({ wants: [tip], filter: 'blob:none\ndone' })).rejects.toThrow(
      gitError('INVALID_ARGUMENT'),
    )
  })
})
