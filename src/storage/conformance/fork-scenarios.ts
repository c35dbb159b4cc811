import type { RepositoryStorage } from '../repository-storage.ts'
import type { ForkRepositoryOptions, SharedPack, Storage } from '../storage.ts'
import { assertBytes, assertEqual, assertRejects, assertTrue, fail } from './assertions.ts'
import { scenario, type Scenario } from './conformance-case.ts'
import {
  applyEdits,
  direct,
  edit,
  listPackNames,
  nameAndTarget,
  readPackFile,
  readTarget,
  readWhole,
  sampleBytes,
  sampleId,
  samplePackName,
  stagePack,
  symbolic,
  type SamplePack,
} from './samples.ts'

const MAIN = 'refs/heads/main'
const SHA1_MAIN = { objectFormat: 'sha1', head: MAIN } as const
const MASK = new Uint8Array([0b10101010, 0xff, 0])

/** What a fork begins with, where a scenario does not say otherwise. */
export function forkOptions(
  packs: readonly SharedPack[],
  more: Partial<ForkRepositoryOptions> = {},
): ForkRepositoryOptions {
  return { head: MAIN, refs: [{ name: MAIN, target: direct(1) }], shallow: [], packs, ...more }
}

/** A repository `source` with packs 1 to `count`, derived files beside them, and `refs/heads/main`. */
export async function createSource(
  storage: Storage,
  count: number,
): Promise<{ source: RepositoryStorage; packs: SamplePack[] }> {
  const source = await storage.create('source', SHA1_MAIN)
  const packs: SamplePack[] = []
  for (let number = 1; number <= count; number++) packs.push(await stagePack(source, number))
  await source.commit({ addPacks: packs, refs: [edit(MAIN, direct(1))] })
  for (const { name } of packs)
    await source.writeDerived(name, 'reachability', sampleBytes(5000, name.length))
  return { source, packs }
}

export async function assertPack(
  repository: RepositoryStorage,
  pack: SamplePack,
  derived?: 'derived',
): Promise<void> {
  assertBytes(await readPackFile(repository, pack.name, 'pack'), pack.packBytes, pack.name)
  assertBytes(await readPackFile(repository, pack.name, 'idx'), pack.indexBytes, `index of ${pack.name}`)
  if (derived === undefined) return
  const bytes = await repository.readDerived(pack.name, 'reachability')
  assertBytes(bytes ?? new Uint8Array(0), sampleBytes(5000, pack.name.length), 'derived file')
}

/** Repositories that share packs. */
export const forkScenarios: readonly Scenario[] = [
  scenario('a fork has the packs, refs, head, boundary and config that it was given', async ({ storage }) => {
    const { source, packs } = await createSource(storage, 3)
    const config = `${await source.readConfig()}[test]\n\tkey = value\n`
    await source.writeConfig(config)
    const refs = [
      { name: 'refs/heads/dev', target: direct(2) },
      { name: 'refs/heads/alias', target: symbolic('refs/heads/dev') },
      { name: 'refs/tags/t', target: direct(3), peeled: sampleId(2) },
    ]
    const shared = packs.slice(0, 2).map(({ name }) => ({ name }))
    const options = forkOptions(shared, { head: 'refs/heads/dev', refs, shallow: [sampleId(7)] })
    const fork = await storage.fork('source', 'team/fork', options)
    assertEqual(fork.objectFormat, 'sha1', 'object format')
    for (const handle of [fork, (await storage.open('team/fork')) ?? fail('the fork cannot be opened')]) {
      assertEqual(await listPackNames(handle), [samplePackName(1), samplePackName(2)], 'packs')
      for (const pack of packs.slice(0, 2)) await assertPack(handle, pack, 'derived')
      const listed = await handle.listPacks()
      assertEqual(
        listed[0]?.packSize,
        packs.find(({ name }) => name === listed[0]?.name)?.packBytes.length,
        'size',
      )
      assertEqual(
        listed.map(({ partial }) => partial),
        [undefined, undefined],
        'marks of partial packs',
      )
      assertEqual(await handle.readPackMask(samplePackName(1)), undefined, 'mask')
      const wanted = [refs[1], refs[0], refs[2]].map((ref) => ref && { name: ref.name, target: ref.target })
      assertEqual(nameAndTarget(await handle.listRefs('')), wanted, 'refs')
      assertEqual(await readTarget(handle, 'HEAD'), symbolic('refs/heads/dev'), 'HEAD')
      assertEqual(await handle.readShallow(), [sampleId(7)], 'boundary')
      assertEqual(await handle.readConfig(), config, 'config')
      assertEqual(await handle.readEvents(10), [], 'events')
    }
    assertEqual((await storage.list()).keys, ['source', 'team/fork'], 'keys')
  }),
  scenario('a fork keeps the marks of packs whose remote promised the rest', async ({ storage }) => {
    const { source, packs } = await createSource(storage, 2)
    const names = packs.map(({ name }) => ({ name }))
    await source.commit({ addPacks: [{ ...(await stagePack(source, 2)), promisor: true }] })
    const fork = await storage.fork('source', 'fork', forkOptions(names))
    await storage.fork('fork', 'again', forkOptions([names[0]!, { ...names[1]!, visible: MASK }]))
    for (const handle of [fork, (await storage.open('again')) ?? fail('the fork cannot be opened')]) {
      const marked = (await handle.listPacks()).filter(({ promisor }) => promisor === true)
      assertEqual(
        marked.map(({ name }) => name),
        [samplePackName(2)],
        'packs of promisors',
      )
    }
  }),
  scenario('masks come back as they were given, and forks of forks keep them', async ({ storage }) => {
    const { source, packs } = await createSource(storage, 2)
    const large = sampleBytes(1_300_000, 5)
    const given = MASK.slice()
    const shared = packs.map(({ name }, at) => ({ name, visible: at === 0 ? given : large }))
    const fork = await storage.fork('source', 'fork', forkOptions(shared))
    given.fill(0)
    const names = packs.map(({ name }) => ({ name }))
    const again = await storage.fork('fork', 'again', forkOptions(names))
    const narrower = new Uint8Array([1, 2, 3])
    const third = await storage.fork('again', 'third', forkOptions([{ ...names[0]!, visible: narrower }]))
    for (const handle of [fork, again]) {
      assertEqual(
        (await handle.listPacks()).map(({ partial }) => partial),
        [true, true],
        'marks of partial packs',
      )
      assertBytes((await handle.readPackMask(samplePackName(1))) ?? fail('no mask'), MASK, 'mask')
      assertBytes((await handle.readPackMask(samplePackName(2))) ?? fail('no mask'), large, 'large mask')
    }
    assertBytes(
      (await third.readPackMask(samplePackName(1))) ?? fail('no mask'),
      narrower,
      'mask of the third',
    )
    assertEqual(
      (await source.listPacks()).some(({ partial }) => partial),
      false,
      'the source has masks',
    )
    assertEqual(await source.readPackMask(samplePackName(1)), undefined, 'mask of the source')
    await assertRejects(() => fork.readPackMask(samplePackName(9)), 'NOT_FOUND', 'mask of no pack')
  }),
  scenario(
    'a pack that is added once more loses its mask, and a dropped one takes it away',
    async ({ storage }) => {
      const { packs } = await createSource(storage, 2)
      const shared = packs.map(({ name }) => ({ name, visible: MASK }))
      const fork = await storage.fork('source', 'fork', forkOptions(shared))
      await fork.commit({ addPacks: [await stagePack(fork, 1)], dropPacks: [samplePackName(2)] })
      assertEqual(await listPackNames(fork), [samplePackName(1)], 'packs')
      assertEqual((await fork.listPacks())[0]?.partial, undefined, 'mark of the pack that was added')
      assertEqual(await fork.readPackMask(samplePackName(1)), undefined, 'mask of the pack that was added')
      await fork.commit({ addPacks: [await stagePack(fork, 2)] })
      assertEqual(await fork.readPackMask(samplePackName(2)), undefined, 'mask of the pack that came back')
      for (const pack of packs) await assertPack(fork, pack)
      await fork.commit({ dropPacks: packs.map(({ name }) => name) })
      assertEqual(await listPackNames(fork), [], 'packs')
    },
  ),
  scenario('what happens to the source never hurts the fork', async ({ storage }) => {
    const { source, packs } = await createSource(storage, 2)
    const shared = [{ name: samplePackName(1) }, { name: samplePackName(2), visible: MASK }]
    const fork = await storage.fork('source', 'fork', forkOptions(shared))
    await source.commit({
      addPacks: [await stagePack(source, 3)],
      dropPacks: [samplePackName(1)],
      refs: [edit(MAIN, direct(3)), edit('refs/heads/new', direct(3))],
    })
    assertEqual(await listPackNames(fork), [samplePackName(1), samplePackName(2)], 'packs')
    assertEqual(nameAndTarget(await fork.listRefs('')), [{ name: MAIN, target: direct(1) }], 'refs')
    assertEqual(await storage.delete('source'), true, 'deletion')
    for (const pack of packs) await assertPack(fork, pack, 'derived')
    const again = await storage.create('source', SHA1_MAIN)
    assertEqual(await listPackNames(again), [], 'packs of a new repository')
    await storage.fork('fork', 'other', forkOptions(shared.slice(0, 1)))
    await storage.delete('fork')
    const other = (await storage.open('other')) ?? fail('the fork of the fork is gone')
    await assertPack(other, packs[0] ?? fail('no pack'), 'derived')
  }),
  scenario('what happens to the fork never hurts the source or another fork', async ({ storage }) => {
    const { source, packs } = await createSource(storage, 2)
    const shared = packs.map(({ name }) => ({ name }))
    const fork = await storage.fork('source', 'fork', forkOptions(shared))
    const other = await storage.fork('source', 'other', forkOptions(shared))
    const open = await fork.openPackFile(samplePackName(2), 'pack')
    await fork.writeDerived(samplePackName(1), 'reachability', new Uint8Array([1, 2, 3]))
    await fork.commit({
      addPacks: [await stagePack(fork, 5)],
      dropPacks: [samplePackName(2)],
      refs: [edit(MAIN, direct(5))],
    })
    await fork.writeConfig(`${await fork.readConfig()}[test]\n\tkey = value\n`)
    for (const handle of [source, other]) {
      assertEqual(await listPackNames(handle), [samplePackName(1), samplePackName(2)], 'packs')
      for (const pack of packs) await assertPack(handle, pack, 'derived')
      assertEqual(await readTarget(handle, MAIN), direct(1), MAIN)
      assertTrue(!(await handle.readConfig()).includes('[test]'), 'the config of the fork is seen elsewhere')
    }
    assertEqual(await storage.delete('fork'), true, 'deletion')
    for (const handle of [source, other]) for (const pack of packs) await assertPack(handle, pack, 'derived')
    assertBytes(await readWhole(open), packs[1]?.packBytes ?? fail('no pack'), 'a pack that was open')
    await open.close()
  }),
  scenario('a fork whose key is taken, or that has no source, changes nothing', async ({ storage }) => {
    const { packs } = await createSource(storage, 1)
    const taken = await storage.create('taken', SHA1_MAIN)
    await applyEdits(taken, [edit('refs/heads/a', direct(9))])
    const shared = packs.map(({ name }) => ({ name }))
    for (const key of ['taken', 'source']) {
      await assertRejects(
        () => storage.fork('source', key, forkOptions(shared)),
        'ALREADY_EXISTS',
        `fork to ${key}`,
      )
    }
    await assertRejects(
      () => storage.fork('nothing', 'new', forkOptions(shared)),
      'NOT_FOUND',
      'fork of nothing',
    )
    await assertRejects(
      () => storage.fork('source', '../new', forkOptions(shared)),
      'INVALID_ARGUMENT',
      'bad key',
    )
    assertEqual((await storage.list()).keys, ['source', 'taken'], 'keys')
    assertEqual(
      nameAndTarget(await taken.listRefs('')),
      [{ name: 'refs/heads/a', target: direct(9) }],
      'refs',
    )
    assertEqual(await listPackNames(taken), [], 'packs')
  }),
  scenario(
    'a fork of a pack that has gone meanwhile is a conflict and leaves nothing',
    async ({ storage }) => {
      const { source, packs } = await createSource(storage, 2)
      const shared = packs.map(({ name }) => ({ name }))
      await source.commit({ dropPacks: [samplePackName(2)] })
      await assertRejects(() => storage.fork('source', 'fork', forkOptions(shared)), 'CONFLICT', 'fork')
      assertEqual(await storage.open('fork'), undefined, 'the fork')
      assertEqual((await storage.list()).keys, ['source'], 'keys')
      await storage.fork('source', 'fork', forkOptions(shared.slice(0, 1)))
      assertEqual((await storage.list()).keys, ['fork', 'source'], 'keys')
    },
  ),
  scenario('a fork that begins with malformed refs is refused and leaves nothing', async ({ storage }) => {
    await createSource(storage, 1)
    const [one, two] = [direct(1), direct(2)]
    const attempts = [
      {
        refs: [
          { name: 'refs/heads/a', target: one },
          { name: 'refs/heads/a/b', target: two },
        ],
      },
      {
        refs: [
          { name: 'refs/heads/a', target: one },
          { name: 'refs/heads/a', target: two },
        ],
      },
      { refs: [{ name: 'HEAD', target: one }] },
      { refs: [{ name: 'refs/heads/a..b', target: one }] },
      { refs: [{ name: 'refs/heads/a', target: { kind: 'direct', id: 'abc' } as const }] },
      { head: 'refs/heads/a..b' },
      { shallow: ['abc'] },
      { packs: [{ name: samplePackName(1) }, { name: samplePackName(1) }] },
      { loose: new Uint8Array(3) },
    ]
    for (const more of attempts) {
      await assertRejects(
        () => storage.fork('source', 'fork', forkOptions([], more)),
        undefined,
        JSON.stringify(more),
      )
    }
    assertEqual((await storage.list()).keys, ['source'], 'keys')
  }),
  scenario('of forks of one key at the same time one succeeds', async ({ storage }) => {
    const { packs } = await createSource(storage, 1)
    const shared = packs.map(({ name }) => ({ name }))
    const results = await Promise.allSettled(
      Array.from({ length: 10 }, (_, at) =>
        at % 3 === 0 ? storage.create('new', SHA1_MAIN) : storage.fork('source', 'new', forkOptions(shared)),
      ),
    )
    assertEqual(results.filter(({ status }) => status === 'fulfilled').length, 1, 'number of winners')
    assertEqual((await storage.list()).keys, ['new', 'source'], 'keys')
  }),
  scenario('many forks of one source share its packs while others are deleted', async ({ storage }) => {
    const { packs } = await createSource(storage, 2)
    const shared = packs.map(({ name }) => ({ name }))
    await Promise.all(
      Array.from({ length: 12 }, async (_, at) => {
        await storage.fork('source', `fork${at}`, forkOptions(shared))
        if (at % 2 === 0) await storage.delete(`fork${at}`)
      }),
    )
    await storage.delete('source')
    const { keys } = await storage.list()
    assertEqual(keys.length, 6, 'number of forks')
    for (const key of keys) {
      const fork = (await storage.open(key)) ?? fail(`${key} is gone`)
      for (const pack of packs) await assertPack(fork, pack, 'derived')
    }
  }),
]
