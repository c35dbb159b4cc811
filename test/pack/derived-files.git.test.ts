import { copyFile, readFile, utimes, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { encodeHex, parseHex } from '../../src/bytes/hex.ts'
import { createNodeCodecs } from '../../src/codec/node/index.ts'
import { objectFormat } from '../../src/object/object-format.ts'
import { encodePackBitmaps } from '../../src/pack/bitmap/encode-pack-bitmaps.ts'
import { commitClosures, selectBitmapCommits } from '../../src/pack/bitmap/commit-closures.ts'
import { createBits, encodeEwah, setBit } from '../../src/pack/bitmap/ewah.ts'
import { indexPack } from '../../src/pack/indexer/index-pack.ts'
import { encodeMultiPackIndex } from '../../src/pack/multi-pack-index/encode-multi-pack-index.ts'
import { MultiPackIndex } from '../../src/pack/multi-pack-index/multi-pack-index.ts'
import { encodeObjectTimes, parseObjectTimes } from '../../src/pack/object-times.ts'
import { PackIndex } from '../../src/pack/pack-index.ts'
import { PackReachability } from '../../src/pack/reachability/pack-reachability.ts'
import { encodeReverseIndex, parseReverseIndex } from '../../src/pack/reverse-index.ts'
import { git, gitBytes, gitLines } from '../support/git.ts'
import { gitError } from '../support/git-error.ts'
import { createHistory, type HistoryName } from '../support/histories.ts'
import { useScratch } from '../support/hooks.ts'
import { listPacks } from '../support/repositories.ts'
import { plain } from './git-packs.ts'
import { PackBitmaps } from './bitmap/pack-bitmaps.ts'

const scratch = useScratch()
const codecs = createNodeCodecs()
const format = objectFormat('sha1', codecs)
const HISTORIES: readonly HistoryName[] = ['source-like', 'merges', 'odd-objects']
const sources = new Map<HistoryName, string>()

beforeAll(async () => {
  for (const name of HISTORIES) {
    const repository = await createHistory(name, scratch.fresh(name), { scale: 0.3 })
    await git(['repack', '-adfq', '--write-bitmap-index'], { cwd: repository })
    sources.set(name, repository)
  }
})

/** A repository with one pack, its path without extension and its index. */
async function openPack(name: HistoryName): Promise<{ repository: string; path: string; index: PackIndex }> {
  const repository = sources.get(name)!
  const [path = ''] = await listPacks(repository)
  return { repository, path, index: new PackIndex(plain(await readFile(`${path}.idx`)), 20) }
}

/** Ids of what the bits say, by position in the pack, sorted. */
function idsOf(bits: Uint32Array, index: PackIndex): string[] {
  const ids: string[] = []
  for (let position = 0; position < index.objectCount; position++) {
    if ((bits[position >>> 5]! & (1 << (position & 31))) !== 0)
      ids.push(encodeHex(index.id(index.packOrder[position]!)))
  }
  return ids.sort()
}

async function reachableFrom(repository: string, revision: string): Promise<string[]> {
  const lines = await gitLines(['rev-list', '--objects', '--no-object-names', revision], { cwd: repository })
  return [...new Set(lines)].sort()
}

test('a .rev file is the one that git writes, and reads as the order of the pack', async () => {
  const { path, index } = await openPack('source-like')
  const target = scratch.fresh('copy.pack')
  await copyFile(`${path}.pack`, target)
  await git(['index-pack', '--rev-index', target], { cwd: scratch.path })
  const made = plain(await readFile(target.replace(/pack$/, 'rev')))
  expect(encodeReverseIndex(index, format)).toEqual(made)
  expect(parseReverseIndex(made, index, format)).toEqual(index.packOrder)
  made[40]! ^= 1
  expect(() => parseReverseIndex(made, index, format)).toThrow(gitError('CORRUPT_INDEX', 'checksum'))
})

test('the times of a cruft pack are read as git wrote them, and git reads ours', async () => {
  const repository = scratch.fresh('cruft')
  await git(['init', '-q', '--bare', repository])
  await git(['hash-object', '-w', '--stdin'], { cwd: repository, input: 'one' })
  await git(['hash-object', '-w', '--stdin'], { cwd: repository, input: 'two' })
  await git(['repack', '-adq', '--cruft'], { cwd: repository })
  const [path = ''] = await listPacks(repository)
  const index = new PackIndex(plain(await readFile(`${path}.idx`)), 20)
  const made = plain(await readFile(`${path}.mtimes`))
  const times = parseObjectTimes(made, index, format)
  expect(times).toHaveLength(2)
  expect(Math.abs(times[0]! - Date.now() / 1000)).toBeLessThan(3600)
  expect(encodeObjectTimes(times, index, format)).toEqual(made)
})

describe.each(HISTORIES)('bitmaps of the history %s', (name) => {
  test('are read as git wrote them', async () => {
    const { repository, path, index } = await openPack(name)
    const bitmaps = new PackBitmaps(plain(await readFile(`${path}.bitmap`)), index, format)
    expect(bitmaps.commits.length).toBeGreaterThan(0)
    expect(bitmaps.pathHashes).toBeDefined()
    for (const rank of bitmaps.commits.slice(0, 12)) {
      const bits = bitmaps.reachableBits(rank)!
      expect(idsOf(bits, index)).toEqual(await reachableFrom(repository, encodeHex(index.id(rank))))
    }
  })

  test('that we write are right to git, and say what git says', async () => {
    const { repository, path, index } = await openPack(name)
    const copy = scratch.fresh('written')
    await git(['clone', '-q', '--bare', '--no-hardlinks', repository, copy])
    await git(['repack', '-adq', '--no-write-bitmap-index'], { cwd: copy })
    const [target = ''] = await listPacks(copy)
    const pack = plain(await readFile(`${target}.pack`))
    const indexing = await indexPack(pack, { format, codecs, reachability: true })
    const reachability = new PackReachability(
      indexing.reachability!,
      indexing.checksum,
      indexing.objectCount,
      format,
    )
    const own = indexing.packIndex
    const tips = await gitLines(['rev-list', '--all', '--max-count=1000000'], { cwd: copy })
    const heads = await gitLines(['for-each-ref', '--format=%(objectname)', 'refs/heads/'], { cwd: copy })
    const positions = [...heads, ...tips.filter((_, k) => k % 7 === 0)].map(
      (id) => own.positions[own.find(parseHex(id))]!,
    )
    const selected = selectBitmapCommits(reachability, positions)
    const hashes = new PackBitmaps(plain(await readFile(`${path}.bitmap`)), index, format).pathHashes
    const known =
      hashes && Uint32Array.from({ length: own.objectCount }, (_, k) => hashes[index.find(own.id(k))] ?? 0)
    const file = encodePackBitmaps(own, reachability, commitClosures(reachability, selected), format, known)
    await writeFile(`${target}.bitmap`, file)
    expect(await git(['rev-list', '--test-bitmap', 'HEAD'], { cwd: copy })).toBe('')
    for (const id of heads.slice(0, 8)) {
      const args = ['rev-list', '--objects', '--no-object-names', '--use-bitmap-index', id]
      expect([...new Set(await gitLines(args, { cwd: copy }))].sort()).toEqual(
        await reachableFrom(repository, id),
      )
    }
    const read = new PackBitmaps(file, own, format)
    expect(read.pathHashes).toEqual(known)
    expect(read.commits.map((rank) => own.positions[rank]!)).toEqual(selected)
    for (const rank of read.commits.slice(0, 20)) {
      expect(idsOf(read.reachableBits(rank)!, own)).toEqual(
        await reachableFrom(repository, encodeHex(own.id(rank))),
      )
    }
    for (const type of [1, 2, 3, 4] as const) {
      const bits = createBits(own.objectCount)
      for (let at = 0; at < own.objectCount; at++) if (reachability.type(at) === type) setBit(bits, at)
      expect(encodeEwah(read.typeBits(type))).toEqual(encodeEwah(bits))
    }
  })
})

describe('a multi-pack-index', () => {
  /** A repository of several packs that have objects in common, each of another age. */
  async function createPacks(): Promise<{
    repository: string
    packs: { name: string; index: PackIndex; modified: number }[]
  }> {
    const repository = scratch.fresh('midx')
    await git(['init', '-q', '--bare', repository])
    const folder = join(repository, 'objects/pack')
    const source = sources.get('merges')!
    const commits = await gitLines(['rev-list', '--reverse', '--all'], { cwd: source })
    for (const [from, to] of [
      [0, 0.5],
      [0.3, 0.8],
      [0, 1],
    ] as const) {
      const some = commits.slice(Math.floor(from * commits.length), Math.ceil(to * commits.length))
      await gitBytes(['pack-objects', '--revs', '-q', join(folder, 'pack')], {
        cwd: source,
        input: `${some.at(-1)!}\n`,
      })
    }
    const paths = await listPacks(repository)
    const packs = await Promise.all(
      paths.sort().map(async (path, k) => {
        const modified = 1_600_000_000 + ((7 * k) % 3) * 1000
        await utimes(`${path}.pack`, modified, modified)
        return {
          name: basename(path),
          index: new PackIndex(plain(await readFile(`${path}.idx`)), 20),
          modified,
        }
      }),
    )
    return { repository, packs }
  }

  test('is the one that git writes', async () => {
    const { repository, packs } = await createPacks()
    expect(packs.length).toBeGreaterThan(1)
    await git(['multi-pack-index', 'write'], { cwd: repository })
    const made = plain(await readFile(join(repository, 'objects/pack/multi-pack-index')))
    expect(encodeMultiPackIndex([...packs].reverse(), format)).toEqual(made)
  })

  test('finds every object where its pack has it', async () => {
    const { repository, packs } = await createPacks()
    const file = encodeMultiPackIndex(packs, format)
    await writeFile(join(repository, 'objects/pack/multi-pack-index'), file)
    await git(['multi-pack-index', 'verify'], { cwd: repository })
    const index = new MultiPackIndex(file, format)
    expect(index.packs).toEqual(packs.map(({ name }) => name))
    for (const pack of packs) {
      for (let rank = 0; rank < pack.index.objectCount; rank++) {
        const at = index.find(pack.index.id(rank))
        const { pack: number, offset } = index.location(at)
        const holder = packs[number]!.index
        expect(holder.offset(holder.find(pack.index.id(rank)))).toBe(offset)
      }
    }
    expect(index.find(new Uint8Array(20))).toBe(-1)
  })

  test('holds offsets beyond four gigabytes', () => {
    const ids = [1, 2, 3].map((byte) => new Uint8Array(20).fill(byte))
    const offsets = [12, 0x90000000, 0x1_2345_6789]
    const index = {
      idLength: 20,
      objectCount: 3,
      bytes: Uint8Array.from(ids.flatMap((id) => [...id])),
      idAt: (rank: number) => 20 * rank,
      id: (rank: number) => ids[rank]!,
      offset: (rank: number) => offsets[rank]!,
    }
    const pack = { name: `pack-${'0'.repeat(40)}`, index: index as unknown as PackIndex, modified: 0 }
    const read = new MultiPackIndex(encodeMultiPackIndex([pack], format), format)
    expect(ids.map((id) => read.location(read.find(id)).offset)).toEqual(offsets)
  })
})
