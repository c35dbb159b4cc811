import { beforeAll, describe, expect, it } from 'vitest'
import { git, gitLines, tryGit } from '../support/git.ts'
import { createHistory } from '../support/histories.ts'
import { useScratch } from '../support/hooks.ts'
import { exercised } from '../support/exercised.ts'
import { PROTOCOLS, speaking } from '../support/protocols.ts'
import { findFaults } from '../support/repositories.ts'
import { listBoth, useSides } from '../support/sides.ts'

const scratch = useScratch()
const sides = useSides(scratch)
const ALLOWED = { 'uploadpack.allowFilter': 'true', 'uploadpack.allowAnySHA1InWant': 'true' }

let source = ''
let commits: string[] = []
beforeAll(async () => {
  source = await createHistory('source-like', scratch.fresh('source'), { scale: 0.15 })
  const patterns = await git(['hash-object', '-w', '--stdin'], { cwd: source, input: '/*\n!/*/\n/src/\n' })
  await git(['update-ref', 'refs/tags/patterns', patterns], { cwd: source })
  commits = await gitLines(['rev-list', 'main'], { cwd: source })
  await sides.serve('partial.git', source, ALLOWED)
})

const FILTERS = [
  'blob:none',
  'blob:limit=200',
  'blob:limit=1k',
  'tree:0',
  'tree:1',
  'tree:2',
  'object:type=commit',
  'object:type=tree',
  'object:type=blob',
  'object:type=tag',
  'sparse:oid=patterns',
  'combine:tree:3+blob:limit=500',
  'combine:blob:none+combine:tree%3a2%2bobject%3atype=tree',
]

describe.each(PROTOCOLS)('over protocol version %d', (protocol) => {
  const speak = speaking(protocol)

  // Version 1 is version 0 behind a banner: a few filters show that it is.
  it.each(protocol === 1 ? FILTERS.slice(0, 3) : FILTERS)(
    'a clone with %s has and lacks what one from git has and lacks',
    async (filter) => {
      const clone = [
        ...speak,
        'clone',
        '--quiet',
        '--bare',
        '--no-local',
        `--filter=${filter}`,
        'URL',
        'PATH',
      ]
      const both = await sides.run('partial.git', [clone])
      expect(both.ours.results[0]).toMatchObject({ code: 0, stderr: both.gits.results[0]?.stderr })
      expect(both.ours.state).toEqual(both.gits.state)
      const [ours, gits] = await listBoth(both)
      expect(ours).toEqual(gits)
      if (protocol === 2) exercised(both.ours.trace, 'v2/fetch=filter')
      else exercised(both.ours.trace, 'v0/filter')
    },
  )

  it.each(['blob:none', 'tree:0', 'blob:limit=100'])(
    'a work tree of a clone with %s is filled on demand',
    async (filter) => {
      const both = await sides.run('partial.git', [
        [...speak, 'clone', '--quiet', `--filter=${filter}`, 'URL', 'PATH'],
        [...speak, 'checkout', '--quiet', 'HEAD~3'],
        [...speak, 'log', '--oneline', '-p', '-3'],
        [...speak, 'fsck', '--full', '--strict'],
      ])
      expect(both.ours.results.map(({ code }) => code)).toEqual([0, 0, 0, 0])
      expect(both.ours.results[2]?.stdout.toString()).toBe(both.gits.results[2]?.stdout.toString())
      expect(both.ours.state).toEqual(both.gits.state)
      expect(await git(['status', '--porcelain'], { cwd: both.ours.path })).toBe('')
    },
  )

  it('later fetches keep to the filter, and refetching brings the rest', async () => {
    const name = `grows-v${protocol}.git`
    await sides.serve(name, source, ALLOWED)
    const move = async (to: string): Promise<void> => {
      for (const side of [sides.ours, sides.gits])
        await git(['update-ref', 'refs/heads/main', to], { cwd: side.path(name) })
    }
    await move(commits[20] ?? '')
    const clone = [...speak, 'clone', '--quiet', '--mirror', '--filter=blob:none', 'URL', 'PATH']
    const first = await sides.run(name, [clone])
    expect(first.ours.state).toEqual(first.gits.state)
    await move(commits[0] ?? '')
    for (const path of [first.ours.path, first.gits.path]) {
      await git([...speak, 'fetch', '--quiet', 'origin'], { cwd: path })
    }
    const missing = (path: string): Promise<string[]> =>
      gitLines(['rev-list', '--objects', '--all', '--no-object-names', '--missing=print'], { cwd: path })
    expect((await missing(first.ours.path)).sort()).toEqual((await missing(first.gits.path)).sort())
    await git([...speak, 'fetch', '--quiet', '--refetch', '--filter=blob:limit=1g', 'origin'], {
      cwd: first.ours.path,
    })
    expect((await missing(first.ours.path)).filter((line) => line.startsWith('?'))).toEqual([])
    expect(await findFaults(first.ours.path)).toEqual([])
  })

  it('thousands of files are fetched in one request', async () => {
    const blobs = (await gitLines(['cat-file', '--batch-all-objects', '--batch-check'], { cwd: source }))
      .filter((line) => line.includes(' blob '))
      .map((line) => line.split(' ')[0] ?? '')
    const both = await sides.run(
      'partial.git',
      [
        [...speak, 'clone', '--quiet', '--bare', '--filter=tree:0', 'URL', 'PATH'],
        [
          ...speak,
          '-c',
          'fetch.negotiationAlgorithm=noop',
          'fetch',
          '--quiet',
          '--no-tags',
          '--no-write-fetch-head',
          '--filter=blob:none',
          'URL',
          '--stdin',
        ],
      ],
      `${blobs.join('\n')}\n`,
    )
    expect(both.ours.results[1]).toMatchObject({ code: 0 })
    const [ours, gits] = await listBoth(both)
    expect(ours).toEqual(gits)
    expect(ours).toEqual(expect.arrayContaining(blobs))
  })

  it('trees are fetched on demand with what is below them', async () => {
    const tree = await git(['rev-parse', 'main~5^{tree}'], { cwd: source })
    for (const filter of ['blob:none', 'tree:0', 'tree:1', 'object:type=blob']) {
      const both = await sides.run('partial.git', [
        ['init', '--quiet', '--bare', 'PATH'],
        [...speak, 'fetch', '--quiet', `--filter=${filter}`, 'URL', `${tree}:refs/trees/one`],
      ])
      expect(both.ours.results[1]).toMatchObject({ code: 0 })
      const [ours, gits] = await listBoth(both)
      expect(ours, filter).toEqual(gits)
    }
  })

  it('filters and depth go together', async () => {
    const both = await sides.run('partial.git', [
      [...speak, 'clone', '--quiet', '--bare', '--depth=2', '--filter=blob:none', 'URL', 'PATH'],
      [...speak, 'fetch', '--quiet', '--deepen=3', 'origin', '+refs/heads/*:refs/heads/*'],
      [...speak, 'fetch', '--quiet', '--unshallow', 'origin', '+refs/heads/*:refs/heads/*'],
    ])
    expect(both.ours.results.map(({ code }) => code)).toEqual([0, 0, 0])
    expect(both.ours.state).toEqual(both.gits.state)
  })

  it('what is not allowed is refused in the words of git', async () => {
    const name = `strict-v${protocol}.git`
    await sides.serve(name, source, {
      ...ALLOWED,
      'uploadpackfilter.blob:none.allow': 'false',
      'uploadpackfilter.tree.maxDepth': '2',
      'uploadpackfilter.combine.allow': 'true',
    })
    for (const filter of ['blob:none', 'tree:3', 'combine:tree:1+blob:none', 'combine:tree:3+tree:1']) {
      const clone = [...speak, 'clone', '--bare', `--filter=${filter}`, 'URL', 'PATH']
      const { ours, gits } = await sides.run(name, [clone])
      const reason = (result: string): string | undefined => /remote error: .*/.exec(result)?.[0]
      expect(ours.results[0]?.code).toBe(gits.results[0]?.code)
      expect(reason(ours.results[0]?.stderr ?? '')).toMatch(/not supported|max depth/)
      expect(reason(ours.results[0]?.stderr ?? '')).toBe(reason(gits.results[0]?.stderr ?? ''))
    }
    const allowed = await sides.run(name, [
      [...speak, 'clone', '--quiet', '--bare', '--filter=tree:2', 'URL', 'PATH'],
    ])
    expect(allowed.ours.state).toEqual(allowed.gits.state)
  })

  it('a server that allows no filters makes whole clones', async () => {
    const name = `whole-v${protocol}.git`
    await sides.serve(name, source)
    const clone = [...speak, 'clone', '--bare', '--filter=blob:none', 'URL', 'PATH']
    const { ours, gits } = await sides.run(name, [clone])
    expect(ours.results[0]?.stderr).toContain('filtering not recognized by server, ignoring')
    expect(ours.state).toEqual(gits.state)
    expect(ours.state.missing).toEqual([])
  })

  it('patterns that are not there are refused with a message', async () => {
    const clone = [...speak, 'clone', '--bare', '--filter=sparse:oid=nowhere', 'URL', 'PATH']
    const url = sides.ours.url('partial.git')
    const args = clone.map((word) => word.replace('URL', url).replace('PATH', scratch.fresh('nowhere')))
    expect((await tryGit(args)).stderr).toContain("unable to access sparse blob in 'nowhere'")
  })
})
