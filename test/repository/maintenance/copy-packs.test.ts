import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { encodeHex } from '../../../src/bytes/hex.ts'
import type { Codecs } from '../../../src/codec/ports.ts'
import { objectFormat, type ObjectFormatName } from '../../../src/object/object-format.ts'
import { indexStoredPack } from '../../../src/pack/indexer/windowed-indexer.ts'
import type { PackIndex } from '../../../src/pack/pack-index.ts'
import { PackReachability } from '../../../src/pack/reachability/pack-reachability.ts'
import { copyPacks } from '../../../src/repository/maintenance/copy-packs.ts'
import { numberRows } from '../../../src/repository/maintenance/joined-rows.ts'
import { joinLargePacks } from '../../../src/repository/maintenance/join-packs.ts'
import { checkedMaintenanceOptions } from '../../../src/repository/maintenance/maintenance-options.ts'
import { discardMade, type MadePack } from '../../../src/repository/maintenance/made-pack.ts'
import { readState, type RepositoryState } from '../../../src/repository/maintenance/repository-state.ts'
import { createStepContext } from '../../../src/repository/maintenance/step-context.ts'
import { openRepository, type Repository } from '../../../src/repository/repository.ts'
import { createMemoryStorage } from '../../../src/storage/memory/index.ts'
import type { PackFileKind, RepositoryStorage } from '../../../src/storage/repository-storage.ts'
import type { StoredFile } from '../../../src/storage/stored-file.ts'
import { git, gitBytes, gitLines } from '../../support/git.ts'
import { gitError } from '../../support/git-error.ts'
import { useScratch } from '../../support/hooks.ts'
import { createRandom } from '../../support/random.ts'
import { encodeRawPack, rawObjectId, type RawEntry } from '../../support/raw-pack.ts'
import { acceptedByGit } from '../collect-pack.ts'
import { codecs, makeHistory, once, packOf, readRefs } from '../fork/fixture.ts'
import { storedBytes } from './fixture.ts'

const scratch = useScratch()
const { signal } = new AbortController()

/** Codecs that have nothing to do where entries are copied. */
const COPYING: Codecs = {
  ...codecs,
  inflate: new Proxy(codecs.inflate, {
    get: () => () => {
      throw new Error('something was inflated')
    },
  }),
}

/** A repository in memory of the given packs, in the order in which they came. */
async function createStored(
  packs: readonly Uint8Array[],
  format: ObjectFormatName,
): Promise<{ repository: Repository; state: RepositoryState }> {
  const storage = createMemoryStorage()
  const stored = await storage.create('a', { objectFormat: format, head: 'refs/heads/main' })
  const receiving = openRepository(stored, { codecs })
  for (const pack of packs) {
    const incoming = await receiving.receivePack(once(pack))
    await incoming.commit([], { atomic: false })
  }
  await receiving.close()
  const repository = openRepository((await storage.open('a'))!, { codecs: COPYING })
  const state = await readState(repository)
  onTestFinished(async () => {
    await state.view.close()
    await repository.close()
    await storage.close()
  })
  return { repository, state }
}

/** Packs that have many of the objects of a history in common, each with other deltas of either form, and one that a thin pack became. */
async function overlappingPacks(path: string): Promise<Buffer[]> {
  const refs = await readRefs(path)
  const tips = refs.map(({ id }) => id)
  const all = await gitLines(['rev-list', '--all', '--objects', '--no-object-names'], { cwd: path })
  const random = createRandom(1)
  const packs = ['--delta-base-offset', '-q', '--delta-base-offset'].map((form) => {
    const some = all.filter(() => random.below(5) < 3)
    return gitBytes(['pack-objects', '--stdout', '-q', form], { cwd: path, input: some.join('\n') })
  })
  return [
    ...(await Promise.all(packs)),
    await packOf(path, tips.slice(1)),
    await packOf(path, [...tips, `^${tips[1]}`], true),
  ]
}

async function copyAll(
  repository: Repository,
  state: RepositoryState,
  pieceBytes?: number,
): Promise<MadePack> {
  const files = state.ordinary.map(({ file }) => file)
  const rows = await numberRows(files, signal)
  const made = await copyPacks(repository, rows!, {
    signal,
    ...(pieceBytes === undefined ? {} : { pieceBytes }),
  })
  onTestFinished(() => discardMade([made]))
  return made
}

async function bytesOf(file: StoredFile): Promise<Uint8Array> {
  const [bytes] = await file.read([{ offset: 0, length: file.size }])
  return bytes!
}

/** What a reachability file says, in words that do not depend on the order in which ids were numbered. */
function describeReachability(bytes: Uint8Array, index: PackIndex, format: ObjectFormatName): unknown {
  const { packChecksum, objectCount, packOrder, idLength } = index
  const file = new PackReachability(bytes, packChecksum, objectCount, objectFormat(format, codecs))
  const nameOf = (node: number): string => {
    if (node < objectCount) return encodeHex(index.id(packOrder[node]!))
    const at = (node - objectCount) * idLength
    return encodeHex(file.externals.subarray(at, at + idLength))
  }
  return Array.from({ length: objectCount }, (_, position) => ({
    type: file.type(position),
    isRefDelta: file.isRefDelta(position),
    base: file.bases[position],
    time: file.time(position),
    edges: Array.from(
      file.edges.subarray(file.edgeStarts[position], file.edgeStarts[position + 1]),
      (node) => (node < 0 ? `-${nameOf(~node)}` : nameOf(node)),
    ),
  }))
}

/** A storage in which one byte of each file of a kind reads as another. */
function withDamage(
  stored: RepositoryStorage,
  kind: PackFileKind,
  at: (size: number) => number,
): RepositoryStorage {
  return {
    ...stored,
    openPackFile: async (name, asked) => {
      const file = await stored.openPackFile(name, asked)
      if (asked !== kind) return file
      const damaged = at(file.size)
      return {
        size: file.size,
        close: () => file.close(),
        read: async (ranges) => {
          const read = await file.read(ranges)
          ranges.forEach(({ offset, length }, k) => {
            if (offset <= damaged && damaged < offset + length) read[k]![damaged - offset]! ^= 1
          })
          return read
        },
      }
    },
  }
}

describe.each(['sha1', 'sha256'] as const)('packs of %s objects', (format) => {
  test.each([undefined, 42, 1001])(
    'are joined without inflating anything, with the index that git makes, when %s bytes are read at a time',
    async (pieceBytes) => {
      const path = await makeHistory(7, 40, format)
      const packs = await overlappingPacks(path)
      const { repository, state } = await createStored(packs, format)
      expect(state.ordinary).toHaveLength(packs.length)
      const { staged, indexing } = await copyAll(repository, state, pieceBytes)

      const into = scratch.fresh('joined')
      await git(['init', '-q', '--bare', `--object-format=${format}`, into])
      const pack = join(into, `objects/pack/${staged.name}.pack`)
      await writeFile(pack, await bytesOf(staged.pack))
      await git(['index-pack', '--strict', pack], { cwd: into })
      expect((await readFile(pack.replace(/pack$/, 'idx'))).equals(indexing.index)).toBe(true)
      await git(['fsck', '--strict', '--full'], { cwd: into })
      const everything = await gitLines(['rev-list', '--all', '--objects', '--no-object-names'], {
        cwd: path,
      })
      expect(indexing.packIndex.objectCount).toBe(new Set(everything).size)

      const again = await indexStoredPack(staged.pack, {
        codecs,
        format: objectFormat(format, codecs),
        reachability: true,
        memoryBytes: 8 << 20,
      })
      expect(describeReachability(indexing.reachability!, indexing.packIndex, format)).toEqual(
        describeReachability(again.reachability!, again.packIndex, format),
      )
    },
  )
})

describe('a join of large packs', () => {
  const context = createStepContext(checkedMaintenanceOptions({}), signal, signal)

  test.each([
    ['pack', 'CORRUPT_PACK', (size: number) => size >> 1],
    // A checksum of an entry.
    ['idx', 'CORRUPT_INDEX', (size: number) => size - 200],
  ] as const)('notices a damaged %s, and changes nothing', async (kind, code, at) => {
    const packs = await overlappingPacks(await makeHistory(8))
    const { repository } = await createStored(packs, 'sha1')
    const before = await repository.storage.listPacks()
    const damaged = openRepository(withDamage(repository.storage, kind, at), { codecs })
    const state = await readState(damaged)
    await expect(joinLargePacks(damaged, state, state.ordinary, context)).rejects.toThrow(gitError(code))
    await state.view.close()
    expect(await repository.storage.listPacks()).toEqual(before)
  })

  test('makes no chains of deltas that grow from join to join', async () => {
    const bodies = Array.from({ length: 300 }, (_, at) => Buffer.from(`version ${at}\n`))
    const entries = bodies.map((body, at): RawEntry => {
      const former = bodies[at - 1]
      if (former === undefined) return { type: 'blob', body }
      const delta = Buffer.concat([Buffer.of(former.length, body.length, body.length), body])
      return { type: 'ref-delta', base: rawObjectId('blob', former), delta }
    })
    const packs = [entries.slice(0, 200), entries.slice(200)].map((part) => encodeRawPack(part))
    const { repository, state } = await createStored(packs, 'sha1')
    expect(
      await numberRows(
        state.ordinary.map(({ file }) => file),
        signal,
      ),
    ).toBeUndefined()
    const plain = openRepository(repository.storage, { codecs })
    const looked = await readState(plain)
    const { added } = (await joinLargePacks(plain, looked, looked.ordinary, context)) as { added: string }
    await looked.view.close()
    const into = scratch.fresh('shortened')
    await git(['init', '-q', '--bare', into])
    const listed = await acceptedByGit(into, await storedBytes(plain, added), [])
    expect(listed).toHaveLength(bodies.length)
    expect(Math.max(...listed.map(({ depth }) => depth))).toBeLessThanOrEqual(50)
  })
})
