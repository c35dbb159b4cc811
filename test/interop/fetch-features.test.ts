import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { git, gitLines, TEST_TIME, tryGit } from '../support/git.ts'
import { createHistory } from '../support/histories.ts'
import { useScratch } from '../support/hooks.ts'
import { exercised } from '../support/exercised.ts'
import { PROTOCOLS, speaking } from '../support/protocols.ts'
import { DELIM, FLUSH, pktLine, postService } from '../support/raw-http.ts'
import { listBoth, useSides, type SideResult } from '../support/sides.ts'

const scratch = useScratch()
const sides = useSides(scratch)

/** Commits, by what leads to them. */
let ids: Record<'tip' | 'behind' | 'hiddenTip' | 'behindHidden' | 'unreached' | 'file' | 'hiddenFile', string>
let source = ''

beforeAll(async () => {
  source = await createHistory('source-like', scratch.fresh('source'), { scale: 0.1 })
  const commit = async (message: string, ...parents: string[]): Promise<string> => {
    const file = await git(['hash-object', '-w', '--stdin'], { cwd: source, input: `only in ${message}` })
    const tree = await git(['mktree'], { cwd: source, input: `100644 blob ${file}\tfile\n` })
    return git(['commit-tree', '-m', message, ...parents.flatMap((id) => ['-p', id]), tree], { cwd: source })
  }
  const behindHidden = await commit('behind')
  const hiddenTip = await commit('hidden', behindHidden)
  const unreached = await commit('unreached')
  await git(['update-ref', 'refs/hidden/one', hiddenTip], { cwd: source })
  await git(['tag', '-a', '-m', 'a tag', 'annotated', 'main~2'], { cwd: source })
  const parse = (name: string): Promise<string> => git(['rev-parse', name], { cwd: source })
  ids = {
    tip: await parse('main'),
    behind: await parse('main~4'),
    hiddenTip,
    behindHidden,
    unreached,
    file: (await git(['ls-tree', '-r', 'main~4'], { cwd: source })).split(/\s+/)[2] ?? '',
    hiddenFile: await parse(`${hiddenTip}:file`),
  }
})

const refused = (side: SideResult): boolean => side.results.at(-1)?.code !== 0

describe.each(PROTOCOLS)('over protocol version %d', (protocol) => {
  const speak = speaking(protocol)
  const init = ['init', '--quiet', '--bare', 'PATH']
  const hide = { 'transfer.hideRefs': 'refs/hidden' }

  it.each([
    ['nothing', {}],
    ['tips', { 'uploadpack.allowTipSHA1InWant': 'true' }],
    ['what is reachable', { 'uploadpack.allowReachableSHA1InWant': 'true' }],
    ['anything', { 'uploadpack.allowAnySHA1InWant': 'true' }],
  ])('allowing %s allows the ids that git allows', async (what, config) => {
    const name = `policy-${what.replaceAll(' ', '-')}-v${protocol}.git`
    await sides.serve(name, source, { ...hide, ...config })
    // Version 1 is version 0 behind a banner: one kind shows that it is.
    for (const [kind, id] of Object.entries(ids)) {
      if (protocol === 1 && kind !== 'behindHidden') continue
      const both = await sides.run(name, [init, [...speak, 'fetch', '--quiet', 'URL', `${id}:refs/got/it`]])
      expect(refused(both.ours), `${kind} ${both.ours.results.at(-1)?.stderr ?? ''}`).toBe(refused(both.gits))
      expect(both.ours.state, kind).toEqual(both.gits.state)
      if (protocol === 0 && what === 'tips') exercised(both.ours.trace, 'v0/allow-tip-sha1-in-want')
      if (protocol === 0 && what === 'what is reachable') {
        exercised(both.ours.trace, 'v0/allow-reachable-sha1-in-want')
      }
    }
  })

  it('a bare id is fetched at depth 1 into an empty repository', async () => {
    const name = `bare-v${protocol}.git`
    await sides.serve(name, source, { 'uploadpack.allowReachableSHA1InWant': 'true' })
    for (const id of [ids.tip, ids.behind]) {
      const fetch = [...speak, 'fetch', '--quiet', '--depth=1', 'URL', `${id}:refs/heads/it`]
      const both = await sides.run(name, [
        init,
        fetch,
        [...speak, 'fetch', '--quiet', '--deepen=2', 'URL', id],
      ])
      expect(both.ours.results.map(({ code }) => code)).toEqual([0, 0, 0])
      expect(both.ours.state).toEqual(both.gits.state)
      expect(both.ours.state.shallow.length).toBeGreaterThan(0)
    }
  })

  it('each form of a shallow fetch shows in the packets', async () => {
    const name = `forms-v${protocol}.git`
    await sides.serve(name, source)
    const back = await git(['rev-list', '--skip=6', '-1', 'main'], { cwd: source })
    for (const side of [sides.ours, sides.gits])
      await git(['update-ref', 'refs/heads/stop', back], { cwd: side.path(name) })
    const both = await sides.run(name, [
      [...speak, 'clone', '--quiet', '--bare', '--depth=1', 'URL', 'PATH'],
      [...speak, 'fetch', '--quiet', '--deepen=2', 'URL', 'main:main'],
      [...speak, 'fetch', '--quiet', '--shallow-exclude=stop', 'URL', 'main:main'],
      [...speak, 'fetch', '--quiet', `--shallow-since=${TEST_TIME + 60} +0000`, 'URL', 'main:main'],
      [...speak, 'fetch', '--quiet', '--unshallow', 'URL', 'main:main'],
    ])
    expect(both.ours.results.map(({ code }) => code)).toEqual(both.gits.results.map(({ code }) => code))
    expect(both.ours.state).toEqual(both.gits.state)
    if (protocol === 2)
      exercised(both.ours.trace, 'v2/fetch', 'v2/ls-refs', 'v2/fetch=shallow', 'v2/agent', 'v2/object-format')
    else exercised(both.ours.trace, 'v0/shallow', 'v0/deepen-since', 'v0/deepen-not', 'v0/deepen-relative')
  })

  it('a clone and a fetch use what is offered', async () => {
    const name = `plain-v${protocol}.git`
    await sides.serve(name, source, { 'transfer.advertiseSID': 'true' })
    const back = await git(['rev-parse', 'main~3'], { cwd: source })
    const sid = ['-c', 'transfer.advertiseSID=true']
    for (const side of [sides.ours, sides.gits])
      await git(['update-ref', 'refs/heads/main', back], { cwd: side.path(name) })
    const first = await sides.run(name, [[...speak, ...sid, 'clone', '--quiet', 'URL', 'PATH']])
    for (const side of [sides.ours, sides.gits])
      await git(['update-ref', 'refs/heads/main', ids.tip], { cwd: side.path(name) })
    const trace = scratch.fresh('trace')
    await git([...speak, ...sid, 'fetch', '--quiet'], {
      cwd: first.ours.path,
      env: { GIT_TRACE_PACKET: trace },
    })
    await git([...speak, ...sid, 'fetch', '--quiet'], { cwd: first.gits.path })
    expect(await gitLines(['for-each-ref'], { cwd: first.ours.path })).toEqual(
      await gitLines(['for-each-ref'], { cwd: first.gits.path }),
    )
    const packets = await readFile(trace, 'latin1')
    if (protocol === 2) exercised(packets, 'v2/session-id')
    else {
      exercised(
        packets,
        'v0/multi_ack_detailed',
        'v0/no-done',
        'v0/side-band-64k',
        'v0/thin-pack',
        'v0/ofs-delta',
      )
      exercised(packets, 'v0/no-progress', 'v0/include-tag', 'v0/symref', 'v0/object-format', 'v0/agent')
      exercised(packets, 'v0/session-id')
    }
  })

  it('a shallow repository tells where it ends also to those who ask for a range', async () => {
    const name = `ends-v${protocol}.git`
    const short = scratch.fresh('short.git')
    await git(['clone', '--quiet', '--bare', '--depth=8', `file://${source}`, short])
    await sides.serve(name, short)
    const clone = [
      ...speak,
      'clone',
      '--quiet',
      '--bare',
      `--shallow-since=${TEST_TIME - 1} +0000`,
      'URL',
      'PATH',
    ]
    const { ours } = await sides.run(name, [clone])
    expect(ours.results[0]).toMatchObject({ code: 0 })
    expect(ours.state.present).toEqual(
      [
        ...new Set(await gitLines(['rev-list', '--objects', '--no-object-names', '--all'], { cwd: short })),
      ].sort(),
    )
  })
})

describe('older ways of version 0', () => {
  it.each(['multi_ack', 'side-band'])('%s is answered as by git', async (word) => {
    const name = `older-${word}.git`
    await sides.serve(name, source)
    const unknown = '1'.repeat(40)
    const body = Buffer.concat([
      pktLine(`want ${ids.tip} ${word === 'side-band' ? 'side-band no-progress' : word}\n`),
      FLUSH,
      pktLine(`have ${unknown}\n`),
      pktLine(`have ${ids.behind}\n`),
      word === 'side-band' ? pktLine('done\n') : FLUSH,
    ])
    const ours = await postService(sides.ours.url(name), 'git-upload-pack', body)
    const gits = await postService(sides.gits.url(name), 'git-upload-pack', body)
    const acks = (lines: readonly string[]): string[] => lines.filter((line) => /^(ACK|NAK)/.test(line))
    expect(ours.status).toBe(200)
    expect(acks(ours.lines)).toEqual(acks(gits.lines))
    exercised(`> ${word} `, word === 'side-band' ? 'v0/side-band' : 'v0/multi_ack')
    if (word === 'side-band') {
      expect(ours.lines.some((line) => line.startsWith('\x01PACK'))).toBe(true)
      expect(Math.max(...ours.lines.map(({ length }) => length))).toBeLessThanOrEqual(996)
    }
  })
})

describe('version 2', () => {
  const speak = speaking(2)

  it('refs are asked for by name where the server allows it', async () => {
    const config = { 'uploadpack.allowRefInWant': 'true', 'transfer.hideRefs': 'refs/hidden' }
    await sides.serve('by-name.git', source, config)
    const both = await sides.run('by-name.git', [
      ['init', '--quiet', '--bare', 'PATH'],
      [
        ...speak,
        'fetch',
        '--quiet',
        'URL',
        'refs/heads/main:refs/heads/main',
        'refs/heads/topic:refs/heads/topic',
      ],
    ])
    expect(both.ours.results[1]).toMatchObject({ code: 0 })
    expect(both.ours.state).toEqual(both.gits.state)
    exercised(both.ours.trace, 'v2/fetch=ref-in-want')
    for (const ref of ['refs/hidden/one', 'refs/heads/none', 'main', '../x']) {
      const body = Buffer.concat([
        pktLine('command=fetch'),
        DELIM,
        pktLine(`want-ref ${ref}`),
        pktLine('done'),
        FLUSH,
      ])
      const headers = { 'git-protocol': 'version=2' }
      const { lines } = await postService(sides.ours.url('by-name.git'), 'git-upload-pack', body, headers)
      expect(lines).toEqual([`ERR unknown ref ${ref}`])
    }
  })

  it('a negotiation alone ends without a pack', async () => {
    await sides.serve('talk.git', source)
    const both = await sides.run('talk.git', [
      [...speak, 'clone', '--quiet', 'URL', 'PATH'],
      ['commit', '--quiet', '--allow-empty', '-m', 'own'],
      [...speak, 'fetch', '--negotiate-only', '--negotiation-tip=HEAD', 'origin'],
    ])
    expect(both.ours.results[2]?.code).toBe(0)
    expect(both.ours.results[2]?.stdout.toString()).toBe(both.gits.results[2]?.stdout.toString())
    expect(both.ours.results[2]?.stdout.toString()).toContain(ids.tip)
    exercised(both.ours.trace, 'v2/fetch=wait-for-done')
  })

  it('all of an answer comes on side-bands where the server allows it', async () => {
    const config = { 'uploadpack.allowSidebandAll': 'true', 'uploadpack.allowRefInWant': 'true' }
    await sides.serve('bands.git', source, config)
    const both = await sides.run('bands.git', [
      [...speak, 'clone', '--quiet', '--bare', 'URL', 'PATH'],
      [...speak, 'fetch', '--quiet', 'URL', '1'.repeat(40)],
    ])
    expect(both.ours.results.map(({ code }) => code)).toEqual(both.gits.results.map(({ code }) => code))
    expect(both.ours.state).toEqual(both.gits.state)
    expect(both.ours.results[1]?.stderr).toContain('upload-pack: not our ref 1111')
    // A git client does not get along with its own server when bands and depth come together; with ours it does.
    const path = scratch.fresh('deep-bands')
    await git([...speak, 'clone', '--quiet', '--bare', '--depth=2', sides.ours.url('bands.git'), path])
    await git([...speak, 'fetch', '--quiet', '--deepen=2', 'origin', 'main:main'], { cwd: path })
    expect(await git(['rev-list', '--count', '--first-parent', 'main'], { cwd: path })).toBe('4')
    exercised(both.ours.trace, 'v2/fetch=sideband-all')
  })

  it('server options are taken', async () => {
    await sides.serve('told.git', source)
    const both = await sides.run('told.git', [
      [...speak, 'clone', '--quiet', '--bare', '--server-option=one', '-cx.y=z', 'URL', 'PATH'],
      [...speak, 'fetch', '--quiet', '-o', 'two=2', 'URL'],
      [...speak, 'ls-remote', '-o', 'three', 'URL'],
    ])
    expect(both.ours.results.map(({ code }) => code)).toEqual([0, 0, 0])
    expect(both.ours.state).toEqual(both.gits.state)
    exercised(both.ours.trace, 'v2/server-option')
  })

  it('a clone of nothing knows the branch to begin with', async () => {
    const empty = scratch.fresh('empty.git')
    await git(['init', '--quiet', '--bare', '--initial-branch=fresh', empty])
    for (const unborn of ['advertise', 'allow', 'ignore']) {
      await sides.serve(`unborn-${unborn}.git`, empty, { 'lsrefs.unborn': unborn })
      const both = await sides.run(`unborn-${unborn}.git`, [[...speak, 'clone', '--quiet', 'URL', 'PATH']])
      const head = (side: SideResult): Promise<string> => git(['symbolic-ref', 'HEAD'], { cwd: side.path })
      expect(await head(both.ours)).toBe(await head(both.gits))
      if (unborn === 'advertise') exercised(both.ours.trace, 'v2/ls-refs=unborn')
    }
  })

  it('sizes of objects are told as by git', async () => {
    await sides.serve('sizes.git', source)
    const asked = [ids.tip, ids.file, '1'.repeat(40), ids.unreached]
    const body = Buffer.concat([
      pktLine('command=object-info'),
      pktLine('object-format=sha1'),
      DELIM,
      pktLine('size'),
      ...asked.map((id) => pktLine(`oid ${id}`)),
      FLUSH,
    ])
    const headers = { 'git-protocol': 'version=2' }
    const ours = await postService(sides.ours.url('sizes.git'), 'git-upload-pack', body, headers)
    const gits = await postService(sides.gits.url('sizes.git'), 'git-upload-pack', body, headers)
    expect(ours.lines).toEqual(gits.lines)
    expect(ours.lines).toHaveLength(6)
    exercised('> command=object-info', 'v2/object-info')
  })

  it('bundles are listed where they are configured', async () => {
    const config = {
      'bundle.version': '1',
      'bundle.mode': 'all',
      'bundle.base.uri': 'https://cdn.example/base.bundle',
    }
    await sides.serve('bundles.git', source, { ...config, 'uploadpack.advertiseBundleURIs': 'true' })
    const body = Buffer.concat([pktLine('command=bundle-uri'), DELIM, FLUSH])
    const headers = { 'git-protocol': 'version=2' }
    const { lines } = await postService(sides.ours.url('bundles.git'), 'git-upload-pack', body, headers)
    expect(lines).toEqual([
      'bundle.version=1',
      'bundle.mode=all',
      'bundle.base.uri=https://cdn.example/base.bundle',
      '',
    ])
    exercised('> command=bundle-uri', 'v2/bundle-uri')
  })
})

describe('packs from elsewhere', () => {
  let cdn: Server
  let pack: Buffer
  beforeAll(async () => {
    cdn = createServer((_, response) => response.end(pack))
    await new Promise<void>((resolve) => cdn.listen(0, '127.0.0.1', resolve))
  })
  afterAll(() => void cdn.close())

  it('are fetched from where the server says, and left out of its own', async () => {
    const stem = scratch.fresh('elsewhere')
    const hash = await git(['pack-objects', '--quiet', stem], { cwd: source, input: `${ids.file}\n` })
    pack = await readFile(`${stem}-${hash}.pack`)
    const uri = `http://127.0.0.1:${(cdn.address() as AddressInfo).port}/one.pack`
    await sides.serve('cdn.git', source, { 'uploadpack.blobPackfileUri': `${ids.file} ${hash} ${uri}` })
    for (const args of [[], ['--depth=2']]) {
      const both = await sides.run('cdn.git', [
        [...speaking(2), '-c', 'fetch.uriprotocols=http,https', 'clone', '--bare', ...args, 'URL', 'PATH'],
      ])
      expect(both.ours.results[0]).toMatchObject({ code: 0 })
      expect(both.ours.state).toEqual(both.gits.state)
      const [ours, gits] = await listBoth(both)
      expect(ours).toEqual(gits)
      if (args.length === 0) {
        exercised(both.ours.trace, 'v2/fetch=packfile-uris')
        expect(both.ours.trace).toContain(`${hash} ${uri}`)
      }
    }
    const without = await sides.run('cdn.git', [
      [...speaking(2), 'clone', '--quiet', '--bare', 'URL', 'PATH'],
    ])
    expect(without.ours.state).toEqual(without.gits.state)
    expect((await tryGit(['cat-file', '-e', ids.file], { cwd: without.ours.path })).code).toBe(0)
  })
})
