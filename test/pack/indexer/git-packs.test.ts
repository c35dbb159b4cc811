import { readFile, writeFile } from 'node:fs/promises'
import { beforeAll, describe, expect, test } from 'vitest'
import { concatBytes } from '../../../src/bytes/concat.ts'
import { encodeHex } from '../../../src/bytes/hex.ts'
import { createNodeCodecs } from '../../../src/codec/node/index.ts'
import { createPortableCodecs } from '../../../src/codec/portable/index.ts'
import { objectFormat } from '../../../src/object/object-format.ts'
import { objectTypeName, parseObjectType } from '../../../src/object/object-type.ts'
import { indexPack, type IndexPackOptions, type PackWithIndex } from '../../../src/pack/indexer/index-pack.ts'
import { PackIndex } from '../../../src/pack/pack-index.ts'
import { FastImport } from '../../support/fast-import.ts'
import { createHistory, type HistoryName } from '../../support/histories.ts'
import { git, gitLines } from '../../support/git.ts'
import { useScratch } from '../../support/hooks.ts'
import {
  packRevisions,
  plain,
  readAllObjects,
  readPack,
  streamRevisions,
  type GitObject,
} from '../git-packs.ts'

const scratch = useScratch()
const codecs = createNodeCodecs()
const format = objectFormat('sha1', codecs)

function index(pack: Uint8Array, options: Partial<IndexPackOptions> = {}): Promise<PackWithIndex> {
  return indexPack(pack, { format, codecs, ...options })
}

/** Indexes and checks that the visitor sees every object once, as git reads it. */
async function indexSeeing(
  pack: Uint8Array,
  objects: ReadonlyMap<string, GitObject>,
  options: Partial<IndexPackOptions> = {},
): Promise<PackWithIndex> {
  const seen = new Set<string>()
  const indexed = await index(pack, {
    ...options,
    visit: (type, body, id) => {
      const hex = encodeHex(id)
      const object = objects.get(hex)
      expect(objectTypeName(type)).toBe(object?.type)
      expect(Buffer.compare(body, object?.body ?? new Uint8Array(0))).toBe(0)
      expect(seen.has(hex)).toBe(false)
      seen.add(hex)
    },
  })
  expect(seen.size).toBe(indexed.objectCount - indexed.addedCount)
  return indexed
}

describe.each<readonly [HistoryName, number]>([
  ['source-like', 0.3],
  ['merges', 0.3],
  ['binary', 1],
  ['odd-objects', 1],
  ['large-blobs', 0.4],
])('a pack of %s', (name, scale) => {
  let repository = ''
  let objects = new Map<string, GitObject>()

  beforeAll(async () => {
    repository = await createHistory(name, scratch.fresh(name), { scale })
    objects = await readAllObjects(repository)
  })

  test.each([
    ['ofs-deltas', ['--delta-base-offset', '--no-reuse-delta', '--depth=50']],
    ['ref-deltas', ['--no-reuse-delta', '--window=20', '--depth=250']],
    ['no deltas', ['--depth=0', '--no-reuse-delta']],
  ])('with %s gets the index that git gives it', async (_what, args) => {
    const made = await packRevisions(repository, scratch.path, args)
    const indexed = await indexSeeing(made.pack, objects)
    expect(Buffer.compare(indexed.index, made.index)).toBe(0)
    expect(Buffer.compare(concatBytes(indexed.pieces), made.pack)).toBe(0)
    expect(indexed.checksum).toEqual(made.pack.slice(-20))
    expect(indexed.addedCount).toBe(0)
  })
})

describe('long delta chains', () => {
  let repository = ''
  const VERSIONS = 4300

  beforeAll(async () => {
    repository = scratch.fresh('chain')
    await git(['init', '-q', '--bare', repository])
    const stream = new FastImport()
    const lines = Array.from({ length: 60 }, (_, at) => `line ${at}`)
    for (let version = 0; version < VERSIONS; version++) {
      lines[version % lines.length] = `line ${version} of ${version * 31}`
      stream.commit({
        ref: 'refs/heads/main',
        changes: [{ kind: 'write', path: 'file', content: lines.join('\n') }],
      })
    }
    await stream.run(repository)
  })

  test.each([50, 250, 4095])('of up to %i deltas get the index that git gives them', async (depth) => {
    const args = ['--threads=1', '--no-reuse-delta', '--delta-base-offset', '--window=3', `--depth=${depth}`]
    const made = await packRevisions(repository, scratch.path, args)
    const depths = (await gitLines(['verify-pack', '-v', `${scratch.path}/${made.name}.idx`]))
      .map((line) => /^chain length = (\d+)/.exec(line)?.[1])
      .map(Number)
    expect(Math.max(...depths.filter((length) => !Number.isNaN(length)))).toBeGreaterThan(0.4 * depth)
    const indexed = await index(made.pack)
    expect(Buffer.compare(indexed.index, made.index)).toBe(0)
    const portable = createPortableCodecs()
    const again = await indexPack(made.pack, { format: objectFormat('sha1', portable), codecs: portable })
    expect(Buffer.compare(again.index, made.index)).toBe(0)
  })
})

describe('a thin pack', () => {
  let repository = ''
  let objects = new Map<string, GitObject>()
  let thin: Uint8Array
  const readBases: NonNullable<IndexPackOptions['readBases']> = (ids) =>
    Promise.resolve(
      ids.map((id) => {
        const object = objects.get(encodeHex(id))
        return object === undefined ? null : { type: parseObjectType(object.type), body: object.body }
      }),
    )

  beforeAll(async () => {
    repository = await createHistory('source-like', scratch.fresh('thin'), { scale: 0.3 })
    objects = await readAllObjects(repository)
    thin = await streamRevisions(repository, ['--thin', '--delta-base-offset'], ['main', '^main~9'])
  })

  test('is completed with the bases it lacks, as a pack and index that git accepts', async () => {
    const indexed = await indexSeeing(thin, objects, { readBases })
    expect(indexed.addedCount).toBeGreaterThan(0)
    const path = scratch.fresh('completed.pack')
    const pack = concatBytes(indexed.pieces)
    await writeFile(path, pack)
    await git(['index-pack', '-o', `${path}.mine`, path], { cwd: repository })
    const mine = await readPackIndex(`${path}.mine`)
    expect(Buffer.compare(indexed.index, mine)).toBe(0)
    expect(plain(pack.slice(-20))).toEqual(indexed.checksum)

    const other = scratch.fresh('other.git')
    await git(['clone', '-q', '--bare', repository, other])
    const name = await git(['index-pack', '--stdin', '--fix-thin'], { cwd: other, input: thin })
    const gits = await readPack(`${other}/objects/pack/${name.replace('\t', '-')}`)
    expect(idsOf(indexed.index)).toEqual(idsOf(gits.index))
  })

  test.each([
    ['without anybody to ask for bases', undefined],
    [
      'with a store that has none of them',
      (ids: readonly Uint8Array[]) => Promise.resolve(ids.map(() => null)),
    ],
  ])('is refused %s, naming a base', async (_what, read) => {
    const indexing = index(thin, read === undefined ? {} : { readBases: read })
    await expect(indexing).rejects.toMatchObject({
      code: 'MISSING_BASE',
      details: { base: expect.stringMatching(/^[0-9a-f]{40}$/) as unknown },
    })
  })

  test('is refused when one base of several is missing', async () => {
    const lacking = index(thin, {
      readBases: async (ids) => (await readBases(ids)).map((base, at) => (at === 0 ? null : base)),
    })
    await expect(lacking).rejects.toMatchObject({ code: 'MISSING_BASE' })
  })
})

async function readPackIndex(path: string): Promise<Uint8Array> {
  return plain(await readFile(path))
}

function idsOf(bytes: Uint8Array): string[] {
  const parsed = new PackIndex(bytes, 20)
  return Array.from({ length: parsed.objectCount }, (_, rank) => encodeHex(parsed.id(rank)))
}
