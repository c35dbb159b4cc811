import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { concatBytes } from '../../src/bytes/concat.ts'
import { createDeflate } from '../../src/codec/loops/deflate/deflate.ts'
import { createNodeCodecs } from '../../src/codec/node/index.ts'
import { createPortableCodecs } from '../../src/codec/portable/index.ts'
import { planRepack, type RepackOptions } from '../../src/repository/repack/repack.ts'
import { openRepository } from '../../src/repository/repository.ts'
import { openBareRepository } from '../../src/storage/fs/index.ts'
import { gitError } from '../support/git-error.ts'
import { git, gitLines } from '../support/git.ts'
import { createHistory, HISTORY_NAMES } from '../support/histories.ts'
import { listPacks, listReachable } from '../support/repositories.ts'

const node = createNodeCodecs()
const CODECS = {
  node,
  portable: createPortableCodecs(),
  // Deflates as git's zlib does; the one that Node has makes other streams.
  loops: { ...node, deflate: createDeflate(6) },
}

let top: string
let made = 0

beforeAll(async () => {
  top = await mkdtemp(join(tmpdir(), 'packstone-repack-'))
})
afterAll(() => rm(top, { recursive: true, force: true }))

interface Packed {
  readonly bytes: Uint8Array
  readonly objectCount: number
  readonly deltaCount: number
  readonly reusedCount: number
  readonly reusedDeltaCount: number
}

/** Packs everything the refs of a repository reach, as the command does. */
async function pack(
  path: string,
  options: RepackOptions = {},
  provider: keyof typeof CODECS = 'node',
): Promise<Packed> {
  const storage = await openBareRepository(path)
  if (storage === undefined) throw new Error(`no repository at ${path}`)
  const repository = openRepository(storage, { codecs: CODECS[provider] })
  const view = await repository.openView()
  try {
    const refs = await repository.listAdvertisedRefs(view)
    const plan = await planRepack(
      view,
      refs.map((ref) => ref.id),
      options,
    )
    const pieces: Uint8Array[] = []
    for await (const piece of plan.write()) pieces.push(piece)
    return { ...plan, bytes: concatBytes(pieces) }
  } finally {
    await view.close()
    await repository.close()
  }
}

interface Entry {
  readonly id: string
  readonly type: string
  readonly offset: number
  /** 0 for an object that is stored whole. */
  readonly depth: number
  readonly base: string | undefined
}

/** Lets git verify a pack strictly, and returns what it sees in it, in the order of the pack. */
async function verify(bytes: Uint8Array, format = 'sha1'): Promise<Entry[]> {
  const path = join(top, `made-${made++}`)
  await writeFile(`${path}.pack`, bytes)
  // A pack is checked for whole connectivity in a repository that has nothing else.
  const empty = `${path}.git`
  await git(['init', '--quiet', '--bare', `--object-format=${format}`, empty])
  await git(['index-pack', '--strict', `--object-format=${format}`, `${path}.pack`], { cwd: empty })
  const verifying = ['verify-pack', '-v', `--object-format=${format}`, `${path}.idx`]
  const lines = await gitLines(verifying, { cwd: empty })
  return lines
    .map((line) => line.split(/\s+/))
    .filter(([id = '']) => /^[0-9a-f]{40,64}$/.test(id))
    .map(([id = '', type = '', , , offset, depth, base]) => {
      return { id, type, offset: Number(offset), depth: Number(depth ?? 0), base }
    })
    .sort((left, right) => left.offset - right.offset)
}

const idsOf = (entries: readonly Entry[]): string[] => entries.map(({ id }) => id).sort()
const longest = (entries: readonly Entry[]): number => Math.max(...entries.map(({ depth }) => depth))

describe.each(HISTORY_NAMES)('a pack of a %s history', (shape) => {
  let path: string
  beforeAll(async () => {
    path = await createHistory(shape, join(top, shape))
  })

  test.each([
    ['with deltas searched anew', { reuseObjects: false }],
    ['with stored deltas kept', {}],
    ['without deltas', { window: 0, reuseDeltas: false }],
  ] as const)('%s has exactly what the refs reach', async (_, options) => {
    const { bytes, objectCount, deltaCount } = await pack(path, options)
    const entries = await verify(bytes)
    expect(idsOf(entries)).toEqual(await listReachable(path))
    expect(objectCount).toBe(entries.length)
    expect(deltaCount).toBe(entries.filter(({ depth }) => depth > 0).length)
    expect(longest(entries)).toBeLessThanOrEqual(50)
  })

  test('is at most a hundredth larger than the one git makes', async () => {
    const { bytes } = await pack(path, { reuseObjects: false }, 'loops')
    const name = join(top, `git-${made++}`)
    const args = [
      '--all',
      '--no-reuse-object',
      '--window=10',
      '--depth=50',
      '--threads=1',
      '--delta-base-offset',
      '-q',
    ]
    const checksum = await git(['pack-objects', ...args, name], { cwd: path, input: '' })
    const theirs = (await readFile(`${name}-${checksum}.pack`)).length
    expect(bytes.length).toBeLessThanOrEqual(1.01 * theirs)
  })
})

describe('a pack of source code', () => {
  let path: string
  /** The same with several packs and loose objects. */
  let scattered: string

  beforeAll(async () => {
    path = await createHistory('source-like', join(top, 'source'))
    await git(['repack', '-adfq', '--window=50', '--depth=30'], { cwd: path })
    scattered = join(top, 'scattered')
    await git(['clone', '--quiet', '--bare', '--no-local', path, scattered])
    for (const name of ['one', 'two']) {
      const tree = await git(['mktree'], {
        cwd: scattered,
        input: `100644 blob ${await git(['hash-object', '-w', '--stdin'], { cwd: scattered, input: `${name}\n`.repeat(50) })}\t${name}\n`,
      })
      const commit = await git(['commit-tree', '-m', name, tree], { cwd: scattered })
      await git(['update-ref', `refs/heads/${name}`, commit], { cwd: scattered })
      if (name === 'one') await git(['repack', '-dq'], { cwd: scattered })
    }
    expect((await listPacks(scattered)).length).toBe(2)
  })

  test('is the same bytes each time, with every memory, and never more than one may differ in them', async () => {
    const options = { reuseObjects: false } as const
    const { bytes } = await pack(path, options)
    const again = await pack(path, options)
    const uncached = await pack(path, { ...options, deltaCacheBytes: 0 })
    const little = await pack(path, { ...options, deltaCacheBytes: 5000 })
    for (const other of [again, uncached, little]) {
      expect(Buffer.compare(other.bytes, bytes)).toBe(0)
    }
  })

  test.each([1, 3, 50])('has no chain longer than --depth=%i, whatever was stored', async (depth) => {
    for (const options of [{ reuseObjects: false }, { reuseDeltas: false }, {}]) {
      const entries = await verify((await pack(path, { ...options, depth })).bytes)
      expect(longest(entries)).toBeLessThanOrEqual(depth)
      expect(longest(entries)).toBeGreaterThan(0)
    }
  })

  test('has no deltas at depth 0', async () => {
    const { bytes, deltaCount } = await pack(path, { depth: 0 })
    expect(deltaCount).toBe(0)
    expect(longest(await verify(bytes))).toBe(0)
  })

  test('keeps all stored deltas that are short enough', async () => {
    const [stored = ''] = await listPacks(path)
    const lines = await gitLines(['verify-pack', '-v', `${stored}.idx`], { cwd: path })
    const bases = new Map(lines.map((line) => line.split(/\s+/)).map((fields) => [fields[0], fields[6]]))
    const { bytes, reusedDeltaCount, reusedCount, objectCount } = await pack(path)
    const entries = await verify(bytes)
    const kept = entries.filter(({ id, base }) => base !== undefined && bases.get(id) === base)
    expect(reusedDeltaCount).toBe([...bases.values()].filter((base) => base !== undefined).length)
    expect(kept.length).toBe(reusedDeltaCount)
    expect(reusedCount).toBe(objectCount)
  })

  test('has commits, tags, trees and blobs in this order, and bases in front of their deltas', async () => {
    const entries = await verify((await pack(path, { reuseObjects: false })).bytes)
    const types = entries.map(({ type }) => type)
    const order = ['commit', 'tag', 'tree', 'blob']
    expect(types).toEqual([...types].sort((left, right) => order.indexOf(left) - order.indexOf(right)))
    const seen = new Set<string>()
    for (const { id, base } of entries) {
      if (base !== undefined) expect(seen).toContain(base)
      seen.add(id)
    }
  })

  test('has exactly what the refs reach when that is in several packs and loose', async () => {
    for (const options of [{ reuseObjects: false }, {}]) {
      expect(idsOf(await verify((await pack(scattered, options)).bytes))).toEqual(
        await listReachable(scattered),
      )
    }
  })

  test('is made alike by both providers, up to how they deflate', async () => {
    const [node, portable] = await Promise.all([
      pack(path, { reuseObjects: false }),
      pack(path, { reuseObjects: false }, 'portable'),
    ])
    const shape = (entries: readonly Entry[]): unknown => entries.map(({ id, base }) => [id, base])
    expect(shape(await verify(portable.bytes))).toEqual(shape(await verify(node.bytes)))
  })

  test('stores objects over the threshold whole, and stays right when the window has little memory', async () => {
    const entries = await verify((await pack(path, { reuseObjects: false, bigFileThreshold: 49 })).bytes)
    expect(longest(entries)).toBe(0)
    const tight = await pack(path, { reuseObjects: false, windowMemory: 1 })
    expect(idsOf(await verify(tight.bytes))).toEqual(await listReachable(path))
    expect(tight.deltaCount).toBeGreaterThan(0)
  })

  test('is not begun when an option is impossible or a tip is missing', async () => {
    for (const window of [-1, 1.5, NaN]) {
      await expect(pack(path, { window })).rejects.toMatchObject(gitError('INVALID_ARGUMENT'))
    }
    await expect(pack(path, { depth: 5000 })).rejects.toMatchObject(gitError('INVALID_ARGUMENT'))
    await expect(pack(path, { signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough')
  })
})

test('a repository of SHA-256 is packed', async () => {
  const path = join(top, 'sha256')
  await git(['init', '--quiet', '--bare', '--object-format=sha256', path])
  const lines = Array.from({ length: 100 }, (_, line) => `line ${line}`)
  let parent: string[] = []
  for (let version = 0; version < 5; version++) {
    lines[version * 7] = `changed ${version}`
    const blob = await git(['hash-object', '-w', '--stdin'], { cwd: path, input: lines.join('\n') })
    const tree = await git(['mktree'], { cwd: path, input: `100644 blob ${blob}\tfile\n` })
    const commit = await git(['commit-tree', '-m', 'v', ...parent, tree], { cwd: path })
    parent = ['-p', commit]
    await git(['update-ref', 'refs/heads/main', commit], { cwd: path })
  }
  const { bytes, deltaCount } = await pack(path)
  expect(deltaCount).toBeGreaterThanOrEqual(4)
  expect(idsOf(await verify(bytes, 'sha256'))).toEqual(await listReachable(path))
})
