import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { concatBytes } from '../../src/bytes/concat.ts'
import { createNodeCodecs } from '../../src/codec/node/index.ts'
import { isGitError } from '../../src/errors.ts'
import { objectFormat, type ObjectFormatName } from '../../src/object/object-format.ts'
import { readObject, type RawObject } from '../../src/object/object-reader.ts'
import type { ObjectView } from '../../src/odb/object-view.ts'
import { indexPack, type IndexPackOptions, type PackWithIndex } from '../../src/pack/indexer/index-pack.ts'
import { indexInWindows } from '../../src/repository/index-in-windows.ts'
import type { RepositoryExtras } from '../../src/repository/repository-extras.ts'
import {
  openLeanRepository,
  type OpenRepositoryOptions,
  type Repository,
} from '../../src/repository/repository.ts'
import { createMemoryStorage } from '../../src/storage/memory/index.ts'
import { searchFetchDeltas } from '../../src/repository/fetch-deltas/search-fetch-deltas.ts'
import { inChunks, openOnDisk } from '../graph/views.ts'
import { streamRevisions } from '../pack/git-packs.ts'
import { change, mutate } from '../pack/indexer/mutations.ts'
import { git, gitLines } from '../support/git.ts'
import { gitError } from '../support/git-error.ts'
import { createHistory } from '../support/histories.ts'
import { useScratch } from '../support/hooks.ts'
import { encodeRawPack } from '../support/raw-pack.ts'
import { findFaults, listReachable } from '../support/repositories.ts'
import { acceptedByGit, collectPack, idsOf } from './collect-pack.ts'

const scratch = useScratch()
const codecs = createNodeCodecs()

let path = ''
let commits: string[] = []

beforeAll(async () => {
  path = await createHistory('source-like', scratch.fresh('lean'), { scale: 0.2 })
  commits = await gitLines(['rev-list', '--first-parent', 'main'], { cwd: path })
})

async function createLean(extras: RepositoryExtras = {}): Promise<Repository> {
  const create = { objectFormat: 'sha1', head: 'refs/heads/main' } as const
  const repository = openLeanRepository(await createMemoryStorage().create('lean', create), {
    codecs,
    ...extras,
  })
  onTestFinished(() => repository.close())
  return repository
}

async function receive(repository: Repository, pack: Uint8Array, tip: string): Promise<void> {
  const incoming = await repository.receivePack(inChunks(pack, 5000))
  expect(await incoming.findMissing([tip])).toBeUndefined()
  const target = { kind: 'direct', id: tip } as const
  await incoming.commit([{ name: 'refs/heads/main', expect: { kind: 'any' }, target }], { atomic: true })
}

/** What both forms of indexing make of a pack, and of one that is damaged. */
async function indexBoth(
  pack: Uint8Array,
  options: Omit<IndexPackOptions, 'format' | 'codecs'> = {},
  format: ObjectFormatName = 'sha1',
): Promise<[resident: unknown, windowed: unknown]> {
  const given = { format: objectFormat(format, codecs), codecs, reachability: true, ...options }
  const outcome = async (index: typeof indexPack): Promise<unknown> => {
    try {
      return plainOutcome(await index(pack.slice(), given))
    } catch (error) {
      if (isGitError(error)) return error.code
      throw error
    }
  }
  return [await outcome(indexPack), await outcome(indexInWindows)]
}

function plainOutcome({ pieces, index, reachability, ...rest }: PackWithIndex): unknown {
  const bytes = { pack: concatBytes(pieces), index, reachability }
  return {
    ...rest,
    packIndex: undefined,
    ...Object.fromEntries(Object.entries(bytes).map(([name, of]) => [name, digest(of)])),
  }
}

function digest(bytes: Uint8Array | undefined): string {
  return createHash('sha256')
    .update(bytes ?? '')
    .digest('hex')
}

/** A repository with commits that change one file, of ids of either kind. */
async function createRepository(format: ObjectFormatName): Promise<string> {
  const made = scratch.fresh(format)
  await git(['init', '-q', '--bare', `--object-format=${format}`, made])
  const steps = Array.from({ length: 40 }, (_, step) => {
    const text = Array.from({ length: 90 }, (_line, at) => `line ${at} of ${at === step ? step : 0}\n`).join(
      '',
    )
    const data = (of: string): string => `data ${of.length}\n${of}\n`
    const head = `commit refs/heads/main\ncommitter A <a@example.com> ${1_600_000_000 + step} +0000\n`
    return `${head}${data(`step ${step}\n`)}M 100644 inline file\n${data(text)}`
  })
  await git(['fast-import', '--quiet'], { cwd: made, input: steps.join('') })
  return made
}

describe('indexing in windows makes of a pack in memory what `indexPack` makes of it', () => {
  test.each(['sha1', 'sha256'] as const)('where it is whole (%s)', async (format) => {
    const made = await createRepository(format)
    for (const args of [['--delta-base-offset'], []]) {
      const pack = await streamRevisions(made, args, ['--all'])
      const [resident, windowed] = await indexBoth(pack, {}, format)
      expect(windowed).toEqual(resident)
      expect((resident as PackWithIndex).deltaCount).toBeGreaterThan(10)
    }
  })

  test('where it has no objects', async () => {
    const [resident, windowed] = await indexBoth(encodeRawPack([]))
    expect(windowed).toEqual(resident)
    expect(resident).toMatchObject({ objectCount: 0 })
  })

  test('where it is thin, and where nobody has its bases', async () => {
    const view = await viewOf(path)
    const thin = await streamRevisions(path, ['--thin'], [commits[0] ?? '', `^${commits[9] ?? ''}`])
    const readBases = async (ids: readonly Uint8Array[]): Promise<(RawObject | null)[]> => {
      const bases: (RawObject | null)[] = []
      for (const id of ids) bases.push(await readObject(view, id))
      return bases
    }
    const [resident, windowed] = await indexBoth(thin, { readBases })
    expect(windowed).toEqual(resident)
    expect(resident).toMatchObject({ addedCount: expect.any(Number) as unknown })
    expect((resident as PackWithIndex).addedCount).toBeGreaterThan(0)
    expect(await indexBoth(thin)).toEqual(['MISSING_BASE', 'MISSING_BASE'])
  })

  test('where it is damaged', async () => {
    const pack = await streamRevisions(path, ['--delta-base-offset'], ['main', `^${commits[3] ?? ''}`])
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 3 }), async (changes) => {
        const [resident, windowed] = await indexBoth(mutate(pack, changes))
        expect(windowed).toEqual(resident)
      }),
      { numRuns: 60 },
    )
  })
})

async function viewOf(repository: string): Promise<ObjectView> {
  const view = await (await openOnDisk(repository)).openView()
  onTestFinished(() => view.close())
  return view
}

describe('a repository without extras', () => {
  test('takes pushes, thin ones too, and answers fetches with all that was asked for', async () => {
    const lean = await createLean()
    const have = commits[6] ?? ''
    const want = commits[0] ?? ''
    await receive(lean, await streamRevisions(path, [], [have]), have)
    await receive(lean, await streamRevisions(path, ['--thin'], [want, `^${have}`]), want)

    const client = scratch.fresh('client.git')
    await git(['init', '-q', '--bare', client])
    const first = await collectPack(lean, { wants: [have] })
    await acceptedByGit(client, first.pack)
    const { pack, plan } = await collectPack(lean, { wants: [want], haves: [have], thin: true })
    const sent = idsOf(await acceptedByGit(client, pack, ['--fix-thin']))
    expect(sent.length).toBeGreaterThanOrEqual(plan.objectCount)
    await git(['update-ref', 'refs/heads/main', want], { cwd: client })
    expect(await findFaults(client)).toEqual([])
    expect(await listReachable(client, [want])).toEqual(await listReachable(path, [want]))
  })

  test('sends more than one that searches deltas', async () => {
    const pack = await streamRevisions(path, ['--delta-base-offset'], [commits[0] ?? ''])
    const sizes: number[] = []
    for (const extras of [{}, { searchFetchDeltas }]) {
      const repository = await createLean(extras)
      await receive(repository, pack, commits[0] ?? '')
      const request = { wants: [commits[0] ?? ''], haves: [commits[5] ?? ''], thin: true }
      sizes.push((await collectPack(repository, request)).pack.length)
    }
    const [stored = 0, searched = 0] = sizes
    expect(stored).toBeGreaterThan(1.2 * searched)
  })

  test('keeps nothing of a push without objects', async () => {
    const lean = await createLean()
    const incoming = await lean.receivePack(inChunks(encodeRawPack([])))
    expect(incoming.objectCount).toBe(0)
    expect(incoming.pack).toBeUndefined()
    await incoming.discard()
  })

  test('refuses threads that would have nothing to do', async () => {
    const storage = await createMemoryStorage().create('threads', {
      objectFormat: 'sha1',
      head: 'refs/heads/main',
    })
    const threads = {} as NonNullable<OpenRepositoryOptions['threads']>
    expect(() => openLeanRepository(storage, { codecs, threads })).toThrow(
      gitError('UNSUPPORTED', 'pass that too'),
    )
    await openLeanRepository(storage, { codecs, threads, indexPack }).close()
  })
})
