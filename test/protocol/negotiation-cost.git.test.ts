import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { encodeHex } from '../../src/bytes/hex.ts'
import { createNodeCodecs } from '../../src/codec/node/index.ts'
import { objectTypeName } from '../../src/object/object-type.ts'
import type { ObjectView } from '../../src/odb/object-view.ts'
import { uploadPack } from '../../src/protocol/service.ts'
import { openRepository, type Repository } from '../../src/repository/repository.ts'
import { localFileSystem } from '../../src/storage/fs/file-system.ts'
import { openBareRepository } from '../../src/storage/fs/index.ts'
import { git, gitLines, TEST_TIME, tryGit } from '../support/git.ts'
import { openServed, temporaryDirectory, type Version } from './served-repository.ts'
import { chunked, collect, demux, DELIM, FLUSH, packets, wire } from './wire.ts'

/** What was asked of views: how often, and which objects were read. */
interface Lookups {
  count: number
  readonly read: Map<string, string>
}

/** The same repository, with every question to its views counted. */
function countLookups(repository: Repository): {
  readonly repository: Repository
  readonly lookups: Lookups
} {
  const lookups: Lookups = { count: 0, read: new Map() }
  const watch = (view: ObjectView): ObjectView =>
    new Proxy(view, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name, target)
        if (typeof value !== 'function') return value
        return (...args: unknown[]): unknown => {
          const [id] = args
          if (id instanceof Uint8Array) lookups.count++
          const result: unknown = Reflect.apply(value, target, args)
          if (name === 'tryRead' && id instanceof Uint8Array) {
            const object = target.tryRead(id)
            if (object) lookups.read.set(encodeHex(id), objectTypeName(object.type))
          }
          return result
        }
      },
    })
  return {
    repository: { ...repository, openView: async () => watch(await repository.openView()) },
    lookups,
  }
}

/** A chain of commits, each with a branch. */
async function createChain(length: number): Promise<{ readonly path: string; readonly commits: string[] }> {
  const path = await temporaryDirectory()
  await git(['init', '-q', '--bare', path])
  let stream = ''
  for (let at = 1; at <= length; at++) {
    stream += `commit refs/heads/main\nmark :${at}\ncommitter C <c@example.com> ${TEST_TIME + at} +0000\ndata 0\n`
    if (at === 1) stream += 'M 100644 inline file\ndata 1\n1\n'
    stream += '\n'
  }
  const made = await tryGit(['-c', 'fastimport.unpackLimit=0', 'fast-import', '--quiet'], {
    cwd: path,
    input: stream,
  })
  if (made.code !== 0) throw new Error(made.stderr)
  const commits = (await gitLines(['rev-list', 'main'], { cwd: path })).reverse()
  const refs = commits.map((id, at) => `${id} refs/heads/b${String(at).padStart(6, '0')}\n`)
  await writeFile(
    join(path, 'packed-refs'),
    `# pack-refs with: peeled fully-peeled sorted \n${refs.join('')}`,
  )
  return { path, commits }
}

const unknown = (at: number): string => at.toString(16).padStart(40, 'f')

/** Asks for every branch and offers half of the commits, each with one that is unknown. */
async function negotiate(version: Version, length: number): Promise<{ count: number; answer: Uint8Array }> {
  const { path, commits } = await createChain(length)
  const { repository, lookups } = countLookups(await openServed(path))
  const haves = commits
    .filter((_, at) => at < length / 2)
    .flatMap((id, at) => [`have ${id}`, `have ${unknown(at)}`])
  const wants = commits.map((id) => `want ${id}`)
  const request =
    version === 2
      ? wire('command=fetch', DELIM, ...wants, ...haves, FLUSH)
      : wire(
          `${wants[0] ?? ''} multi_ack_detailed side-band-64k no-done`,
          ...wants.slice(1),
          FLUSH,
          ...haves,
          FLUSH,
        )
  const answer = await collect(uploadPack(repository, chunked(request), { version, options: {} }))
  return { count: lookups.count, answer }
}

it.each<Version>([0, 2])('in v%d twice the refs and haves cost twice the lookups', async (version) => {
  const small = await negotiate(version, 4000)
  const large = await negotiate(version, 8000)
  expect(large.count / small.count).toBeLessThan(2.5)
  // A few for each want, have and commit, whatever the order in which they come.
  expect(large.count).toBeLessThan(12 * (8000 + 8000))
})

it('ids that are nowhere are looked for on disk together, not one by one', async () => {
  const { path } = await createChain(2)
  let calls = 0
  const fileSystem = new Proxy(localFileSystem, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name, target)
      if (typeof value !== 'function') return value
      return (...args: unknown[]): unknown => {
        calls++
        return Reflect.apply(value, target, args)
      }
    },
  })
  const storage = await openBareRepository(path, { durable: false, fileSystem })
  if (storage === undefined) throw new Error(`no repository at ${path}`)
  const repository = openRepository(storage, { codecs: createNodeCodecs() })
  const tip = await git(['rev-parse', 'main'], { cwd: path })
  const scattered = (at: number): string => (at * 7919).toString(16).padStart(8, '0').padStart(40, 'f')
  const haves = Array.from({ length: 20_000 }, (_, at) => {
    return `have ${Array.from(scattered(at)).reverse().join('')}`
  })
  const request = wire('command=fetch', DELIM, `want ${tip}`, ...haves, FLUSH)
  await collect(uploadPack(repository, chunked(request), { version: 2, options: {} }))
  await repository.close()
  expect(calls).toBeLessThan(6000)
})

it('a negotiation ends as soon as every want reaches something common', async () => {
  const { path, commits } = await createChain(300)
  const { repository } = countLookups(await openServed(path))
  const talk = async (...haves: string[]): Promise<string[]> => {
    const lines = [
      `want ${commits[299] ?? ''}`,
      `want ${commits[150] ?? ''}`,
      ...haves.map((id) => `have ${id}`),
    ]
    const request = wire('command=fetch', DELIM, ...lines, FLUSH)
    return packets(await collect(uploadPack(repository, chunked(request), { version: 2, options: {} })))
  }
  expect(await talk(unknown(1), commits[200] ?? '')).not.toContain('ready')
  expect(await talk(unknown(1), commits[200] ?? '', commits[3] ?? '')).toContain('ready')
  expect(await talk(commits[0] ?? '')).toContain('ready')
})

it.each(['as git packed them', 'loose'])(
  'objects asked for by id, %s, are sent without a look at history',
  async (how) => {
    const path = await temporaryDirectory()
    await git(['init', '-q', '--bare', path])
    let stream = ''
    for (let at = 1; at <= 600; at++) {
      stream += `commit refs/heads/main\ncommitter C <c@example.com> ${TEST_TIME + at} +0000\ndata 0\n`
      stream += `M 100644 inline d${at % 7}/f${at}\ndata ${String(at).length}\n${at}\n\n`
    }
    const limit = how === 'loose' ? '100000' : '0'
    await tryGit(['-c', `fastimport.unpackLimit=${limit}`, 'fast-import', '--quiet'], {
      cwd: path,
      input: stream,
    })
    const listed = await gitLines(['cat-file', '--batch-all-objects', '--batch-check'], { cwd: path })
    const blobs = listed.filter((line) => line.includes(' blob ')).map((line) => line.split(' ')[0] ?? '')
    const { repository, lookups } = countLookups(await openServed(path))
    const request = wire(
      'command=fetch',
      DELIM,
      'thin-pack',
      'ofs-delta',
      'filter blob:none',
      ...blobs.map((id) => `want ${id}`),
      'done',
      FLUSH,
    )
    const answer = await collect(uploadPack(repository, chunked(request), { version: 2, options: {} }))
    const { data, ended } = await demux(answer.slice(wire('packfile\n').length))
    expect(ended).toBe(true)
    expect(new DataView(data.buffer, data.byteOffset).getUint32(8)).toBe(blobs.length)
    expect(new Set(lookups.read.values())).not.toContain('commit')
    expect(new Set(lookups.read.values())).not.toContain('tree')
    expect(lookups.count).toBeLessThan(12 * blobs.length)
  },
)
