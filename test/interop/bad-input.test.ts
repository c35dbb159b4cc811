import { randomBytes } from 'node:crypto'
import { cp } from 'node:fs/promises'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { git } from '../support/git.ts'
import { createHistory } from '../support/histories.ts'
import { AGAINST_GIT, useScratch, useServer } from '../support/hooks.ts'
import {
  DELIM,
  FLUSH,
  pktLine,
  postPush,
  postService,
  type RawAnswer,
  type RawCommand,
} from '../support/raw-http.ts'
import {
  encodeRawPack,
  rawCommit,
  rawObjectId,
  rawTree,
  type RawEntry,
  type RawPackOptions,
} from '../support/raw-pack.ts'
import { allowPush, findFaults, readRefLines, snapshotFiles } from '../support/repositories.ts'

const scratch = useScratch()
const server = useServer(scratch)
const oracle = useServer(scratch, 'git')

const ABSENT = '1234567890123456789012345678901234567890'

const blob = Buffer.from('a blob that nobody has\n')
const blobId = rawObjectId('blob', blob)
const tree = rawTree('file', blobId)
const treeId = rawObjectId('tree', tree)
const commit = rawCommit(treeId)
const commitId = rawObjectId('commit', commit)
const GOOD: readonly RawEntry[] = [
  { type: 'commit', body: commit },
  { type: 'tree', body: tree },
  { type: 'blob', body: blob },
]
const create: RawCommand = { ref: 'refs/heads/new', to: commitId }

const template = scratch.fresh('template')
let tip = ''
let older = ''

beforeAll(async () => {
  await createHistory('source-like', template, { scale: 0.05 })
  await allowPush(template)
  tip = await git(['rev-parse', 'main'], { cwd: template })
  older = await git(['rev-parse', 'main~3'], { cwd: template })
})

/** The repository under test: for each test a new one, the same on both servers. */
let name = ''
let count = 0

beforeEach(async () => {
  name = `bad-${++count}.git`
  for (const host of [server, oracle]) await cp(template, host.path(name), { recursive: true })
})

const pack = (entries: readonly RawEntry[], options?: RawPackOptions): Buffer =>
  encodeRawPack(entries, options)

/** Sends a push to both servers. Ours must answer like git's, and have changed nothing at all. */
async function expectSameRefusal(commands: readonly RawCommand[], body: Uint8Array): Promise<RawAnswer> {
  const before = await snapshotFiles(server.path(name))
  const ours = await postPush(server.url(name), commands, body)
  const gits = await postPush(oracle.url(name), commands, body)
  expect(ours.status).toBe(200)
  expect(gits.lines.filter((line) => line.startsWith('ok '))).toEqual([])
  const words = (answer: RawAnswer): string[] =>
    answer.lines.map((line) => (/^unpack (?!ok\n)/.test(line) ? 'unpack failed\n' : line))
  expect(words(ours)).toEqual(words(gits))
  if (!AGAINST_GIT) expect(await snapshotFiles(server.path(name))).toEqual(before)
  return ours
}

describe('a push is refused and leaves nothing behind when', () => {
  it('the pack is cut off anywhere', async () => {
    const whole = pack(GOOD)
    for (const length of [0, 3, 11, 12, 13, 40, whole.length - 21, whole.length - 20, whole.length - 1]) {
      const answer = await expectSameRefusal([create], whole.subarray(0, length))
      expect(answer.lines[0]).toMatch(/^unpack /)
      expect(answer.lines[1]).toBe('ng refs/heads/new unpacker error\n')
    }
  })

  it('the checksum is wrong', async () => {
    await expectSameRefusal([create], pack(GOOD, { spoilChecksum: true }))
  })

  it('the header claims more objects than there are', async () => {
    await expectSameRefusal([create], pack(GOOD, { claimedCount: 4 }))
  })

  it('the header claims fewer objects than there are', async () => {
    await expectSameRefusal([create], pack(GOOD, { claimedCount: 2 }))
  })

  it('the header claims more objects than anybody can have', async () => {
    await expectSameRefusal([create], pack(GOOD, { claimedCount: 0xffff_ffff }))
  })

  it('the version of the pack is unknown', async () => {
    await expectSameRefusal([create], pack(GOOD, { version: 9 }))
  })

  it('a delta needs a base that nobody has', async () => {
    const delta = Buffer.from([5, 5, 5, 1, 2, 3, 4, 5])
    await expectSameRefusal([create], pack([...GOOD, { type: 'ref-delta', base: ABSENT, delta }]))
  })

  it('a delta does not fit its base', async () => {
    const delta = Buffer.from([5, 5, 5, 1, 2, 3, 4, 5])
    await expectSameRefusal([create], pack([...GOOD, { type: 'ref-delta', base: blobId, delta }]))
  })

  it('a delta copies from behind the end of its base', async () => {
    const delta = Buffer.from([blob.length, 100, 0x90 | 0x01, 20, 100])
    await expectSameRefusal([create], pack([...GOOD, { type: 'ref-delta', base: blobId, delta }]))
  })

  it('deltas are based on each other in a circle', async () => {
    // Neither id exists: each would have to be known to make the other.
    const delta = Buffer.from([1, 1, 1, 65])
    const circle: RawEntry[] = [
      { type: 'ref-delta', base: ABSENT, delta },
      { type: 'ref-delta', base: ABSENT.replaceAll('1', 'a'), delta },
    ]
    await expectSameRefusal([create], pack([...GOOD, ...circle]))
  })

  it('the data is garbage', async () => {
    await expectSameRefusal([create], randomBytes(300))
    const spoiled = pack(GOOD)
    spoiled.fill(0xff, 14, 40)
    await expectSameRefusal([create], spoiled)
  })

  it('the tree of the commit is missing', async () => {
    const answer = await expectSameRefusal([create], pack([{ type: 'commit', body: commit }]))
    expect(answer.lines).toContain('ng refs/heads/new missing necessary objects\n')
  })

  it('a blob of the tree is missing', async () => {
    await expectSameRefusal([create], pack(GOOD.slice(0, 2)))
  })

  it('a parent of the commit is missing', async () => {
    const orphan = rawCommit(treeId, [ABSENT])
    const id = rawObjectId('commit', orphan)
    await expectSameRefusal(
      [{ ref: 'refs/heads/new', to: id }],
      pack([{ type: 'commit', body: orphan }, ...GOOD.slice(1)]),
    )
  })

  it('the object that a ref is to name is not in the pack', async () => {
    await expectSameRefusal([{ ref: 'refs/heads/new', to: ABSENT }], pack(GOOD))
  })

  it('the new value of a branch is no commit', async () => {
    await expectSameRefusal([{ ref: 'refs/heads/new', to: blobId }], pack(GOOD))
  })

  it.each([
    'refs/heads/a..b',
    'refs/heads/.hidden',
    'refs/heads/x.lock',
    'refs/heads/with space',
    'refs/heads/tail/',
    'refs/heads/@{now}',
    'refs/heads//double',
    'refs/heads/back\\slash',
    'refs/../../escape',
    'objects/pack/x',
    'HEADLESS',
  ])('the ref name %s is not allowed', async (ref) => {
    await expectSameRefusal([{ ref, to: commitId }], pack(GOOD))
  })

  it('the old value is stale', async () => {
    const stale = { ref: 'refs/heads/main', from: older, to: commitId }
    await expectSameRefusal([stale], pack(GOOD))
  })

  it('a ref to be created is there already', async () => {
    await expectSameRefusal([{ ref: 'refs/heads/main', to: commitId }], pack(GOOD))
  })

  it('a ref to be changed is not there', async () => {
    await expectSameRefusal([{ ref: 'refs/heads/none', from: tip, to: commitId }], pack(GOOD))
  })
})

it('bytes after the pack are refused, or ignored as git does when it unpacks', async () => {
  const before = await readRefLines(server.path(name))
  const answer = await postPush(server.url(name), [create], Buffer.concat([pack(GOOD), Buffer.from('more')]))
  const taken = answer.lines[0] === 'unpack ok\n'
  expect(answer.lines[1]).toBe(taken ? 'ok refs/heads/new\n' : 'ng refs/heads/new unpacker error\n')
  expect(await readRefLines(server.path(name))).toHaveLength(before.length + (taken ? 1 : 0))
  expect(await findFaults(server.path(name))).toEqual([])
})

it('a push that names one ref twice is refused as a whole', async () => {
  const before = await snapshotFiles(server.path(name))
  const commands = [create, { ...create, to: tip }]
  const answer = await postPush(server.url(name), commands, pack(GOOD), 'report-status atomic')
  expect(answer.lines.filter((line) => line.startsWith('ng refs/heads/new'))).toHaveLength(2)
  if (!AGAINST_GIT) expect(await snapshotFiles(server.path(name))).toEqual(before)
})

it('an atomic push with one stale ref changes nothing', async () => {
  const before = await snapshotFiles(server.path(name))
  const commands = [create, { ref: 'refs/heads/main', from: older, to: commitId }]
  const answer = await postPush(server.url(name), commands, pack(GOOD), 'report-status atomic')
  expect(answer.lines.filter((line) => line.startsWith('ok '))).toEqual([])
  expect(answer.lines.filter((line) => line.startsWith('ng '))).toHaveLength(2)
  if (!AGAINST_GIT) expect(await snapshotFiles(server.path(name))).toEqual(before)
  expect((await readRefLines(server.path(name))).join()).not.toContain('refs/heads/new')
})

it('received objects that break git’s rules are refused where the config asks for the check', async () => {
  const body = Buffer.from(`tree ${treeId}\nauthor nobody\ncommitter nobody\n\nbad\n`)
  const id = rawObjectId('commit', body)
  const bad = pack([{ type: 'commit', body }, ...GOOD.slice(1)])
  for (const host of [server, oracle])
    await git(['config', 'receive.fsckObjects', 'true'], { cwd: host.path(name) })
  const answer = await expectSameRefusal([{ ref: 'refs/heads/new', to: id }], bad)
  expect(answer.lines[0]).toMatch(/^unpack /)
  for (const host of [server, oracle])
    await git(['config', '--unset', 'receive.fsckObjects'], { cwd: host.path(name) })
})

describe('an upload-pack request is refused when', () => {
  const want = (id: string, capabilities = ''): Buffer => pktLine(`want ${id}${capabilities}\n`)

  it.each([0, 1])('it wants an unknown id, over protocol version %d', async (version) => {
    const body = Buffer.concat([want(ABSENT, ' side-band-64k ofs-delta'), FLUSH, pktLine('done\n')])
    const headers = version === 0 ? undefined : { 'git-protocol': 'version=1' }
    const ours = await postService(server.url(name), 'git-upload-pack', body, headers)
    const gits = await postService(oracle.url(name), 'git-upload-pack', body, headers)
    expect(ours.lines).toEqual(gits.lines)
    expect(ours.lines[0]).toBe(`ERR upload-pack: not our ref ${ABSENT}`)
  })

  it('it wants an unknown id, over protocol version 2', async () => {
    const body = Buffer.concat([
      pktLine('command=fetch\n'),
      DELIM,
      pktLine(`want ${ABSENT}\n`),
      pktLine('done\n'),
      FLUSH,
    ])
    const headers = { 'git-protocol': 'version=2' }
    const ours = await postService(server.url(name), 'git-upload-pack', body, headers)
    const gits = await postService(oracle.url(name), 'git-upload-pack', body, headers)
    expect(ours.lines).toEqual(gits.lines)
  })

  it.each([
    ['an unknown command', Buffer.concat([pktLine('command=dance\n'), FLUSH])],
    [
      'an unknown argument',
      Buffer.concat([pktLine('command=fetch\n'), DELIM, pktLine('frobnicate\n'), FLUSH]),
    ],
    ['no command', Buffer.concat([pktLine('agent=x\n'), FLUSH])],
    ['garbage', Buffer.from('this is not a pkt-line')],
    ['a length that is too small', Buffer.from('0003')],
    ['a line that ends early', Buffer.from('00ffcommand=fe')],
  ])('it has %s, over protocol version 2', async (_, body) => {
    const answer = await postService(server.url(name), 'git-upload-pack', body, {
      'git-protocol': 'version=2',
    })
    expect(answer.lines.join('\n')).not.toContain('packfile')
    if (!AGAINST_GIT) expect([200, 400]).toContain(answer.status)
    expect(answer.body.includes('PACK')).toBe(false)
  })
})

describe('an HTTP request is refused when', () => {
  const text = async (path: string, init?: RequestInit): Promise<[number, string]> => {
    const response = await fetch(`${server.url(name)}/${path}`, init)
    return [response.status, await response.text()]
  }

  it('it names a service that there is not', async () => {
    expect((await text('info/refs?service=git-dance'))[0]).toBe(403)
  })

  it('its content type is not that of the service', async () => {
    const init = { method: 'POST', body: '0000', headers: { 'content-type': 'text/plain' } }
    expect((await text('git-upload-pack', init))[0]).toBe(415)
  })

  it('its method is not that of the service', async () => {
    expect((await text('git-upload-pack'))[0]).toBe(405)
  })

  it('its path leads out of the served folder', async () => {
    for (const path of [
      '../../etc/passwd',
      '%2e%2e/%2e%2e/info/refs',
      '..%2f..%2finfo/refs?service=git-upload-pack',
    ]) {
      expect((await text(path))[0]).toBeGreaterThanOrEqual(400)
    }
  })

  it('its body claims to be gzip and is not', async () => {
    const init = {
      method: 'POST',
      body: 'not gzip at all',
      headers: { 'content-type': 'application/x-git-upload-pack-request', 'content-encoding': 'gzip' },
    }
    const [status, body] = await text('git-upload-pack', init)
    expect(body).not.toContain('PACK')
    if (!AGAINST_GIT) expect(status).toBe(400)
  })

  // Git's own server answers these with 200 and nothing.
  it.skipIf(AGAINST_GIT).each(['git-upload-pack', 'git-receive-pack'])(
    'it says nothing to %s',
    async (service) => {
      for (const protocol of ['version=0', 'version=2']) {
        const headers = { 'content-type': `application/x-${service}-request`, 'git-protocol': protocol }
        const [status, body] = await text(service, { method: 'POST', body: '', headers })
        expect([status, body]).toEqual([400, expect.stringMatching(/^\S.*\n$/)])
      }
    },
  )
})

it('the same push with nothing wrong is taken', async () => {
  const good = await postPush(server.url(name), [create], pack(GOOD))
  expect(good.lines).toEqual(['unpack ok\n', 'ok refs/heads/new\n', ''])
  expect(await findFaults(server.path(name))).toEqual([])
})
