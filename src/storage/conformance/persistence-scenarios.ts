import type { Storage } from '../storage.ts'
import { assertBytes, assertEqual, assertTrue, fail } from './assertions.ts'
import { scenario, type Scenario } from './conformance-case.ts'
import { readTexts } from './event-scenarios.ts'
import { assertPack, createSource, forkOptions } from './fork-scenarios.ts'
import {
  applyEdits,
  direct,
  edit,
  listPackNames,
  nameAndTarget,
  readPackFile,
  readTarget,
  sampleId,
  samplePackName,
  stagePack,
  symbolic,
  verdict,
} from './samples.ts'

const MAIN = 'refs/heads/main'
const SHA1_MAIN = { objectFormat: 'sha1', head: MAIN } as const

/** What a second storage over the same data sees, as another process would open it. */
export function persistenceScenarios(reopen: (storage: Storage) => Promise<Storage>): readonly Scenario[] {
  const through = async (storage: Storage, work: (other: Storage) => Promise<void>): Promise<void> => {
    const other = await reopen(storage)
    await work(other)
    await other.close()
  }
  return [
    scenario('what was committed is there after reopening, and what was not is not', async ({ storage }) => {
      const repository = await storage.create('team/a', SHA1_MAIN)
      const pack = await stagePack(repository, 1)
      await repository.commit({
        addPacks: [pack],
        refs: [
          edit(MAIN, direct(1)),
          edit('refs/heads/gone', direct(1)),
          edit('refs/heads/s', symbolic(MAIN)),
        ],
      })
      await applyEdits(repository, [edit('refs/heads/gone', null), edit('refs/tags/t', direct(2))], {
        atomic: true,
      })
      await applyEdits(repository, [edit('HEAD', symbolic('refs/heads/other'))])
      const config = `${await repository.readConfig()}[test]\n\tkey = value\n`
      await repository.writeConfig(config)
      await stagePack(repository, 2)
      await storage.create('deleted', SHA1_MAIN)
      await storage.delete('deleted')
      await repository.close()

      await through(storage, async (other) => {
        assertEqual((await other.list()).keys, ['team/a'], 'keys')
        const again = (await other.open('team/a')) ?? fail('team/a is gone after reopening')
        assertEqual(await listPackNames(again), [samplePackName(1)], 'packs')
        assertBytes(await readPackFile(again, pack.name, 'pack'), pack.packBytes, 'the pack')
        assertBytes(await readPackFile(again, pack.name, 'idx'), pack.indexBytes, 'the index')
        assertEqual(
          nameAndTarget(await again.listRefs('')),
          [
            { name: MAIN, target: direct(1) },
            { name: 'refs/heads/s', target: symbolic(MAIN) },
            { name: 'refs/tags/t', target: direct(2) },
          ],
          'refs',
        )
        assertEqual(await readTarget(again, 'HEAD'), symbolic('refs/heads/other'), 'HEAD')
        assertEqual(await again.readConfig(), config, 'config')
      })
    }),
    scenario('forks, masks and events are there after reopening', async ({ storage }) => {
      const { source, packs } = await createSource(storage, 2)
      const mask = new Uint8Array([1, 0, 255])
      const shared = packs.map(({ name }, at) => (at === 0 ? { name, visible: mask } : { name }))
      const fork = await storage.fork('source', 'fork', forkOptions(shared))
      const told = await source.commit({
        refs: [edit(MAIN, direct(5))],
        events: () => ['one', 'two', 'three'],
      })
      assertEqual(told.refs.map(verdict), ['applied'], 'outcomes')
      await source.dropEvents((await source.readEvents(1))[0]?.sequence ?? fail('no event'))
      await fork.close()
      await through(storage, async (other) => {
        assertEqual((await other.list()).keys, ['fork', 'source'], 'keys')
        const again = (await other.open('fork')) ?? fail('the fork is gone after reopening')
        for (const pack of packs) await assertPack(again, pack, 'derived')
        const partial = (await again.listPacks()).filter((pack) => pack.partial === true)
        assertEqual(
          partial.map(({ name }) => name),
          [samplePackName(1)],
          'partial packs',
        )
        assertBytes((await again.readPackMask(samplePackName(1))) ?? fail('no mask'), mask, 'mask')
        assertEqual(await readTarget(again, MAIN), direct(1), MAIN)
        const origin = (await other.open('source')) ?? fail('the source is gone after reopening')
        assertEqual(await readTexts(origin), ['two', 'three'], 'events')
        await other.delete('source')
        for (const pack of packs) await assertPack(again, pack, 'derived')
      })
    }),
    scenario('two storages over the same data see what the other commits, at once', async ({ storage }) => {
      const repository = await storage.create('a', SHA1_MAIN)
      await through(storage, async (other) => {
        const there = (await other.open('a')) ?? fail('the other storage does not see the repository')
        for (let number = 0; number < 10; number++) {
          const [writer, reader] = number % 2 === 0 ? [repository, there] : [there, repository]
          const pack = await stagePack(writer, number)
          await writer.commit({
            addPacks: [pack],
            refs: [edit(MAIN, direct(number))],
            atomic: number % 3 === 0,
          })
          assertEqual(await readTarget(reader, MAIN), direct(number), MAIN)
          assertTrue(
            (await listPackNames(reader)).includes(pack.name),
            `${pack.name} is not seen by the other storage`,
          )
          assertBytes(await readPackFile(reader, pack.name, 'pack'), pack.packBytes, pack.name)
        }
      })
    }),
    scenario('compare-and-swap holds across two storages over the same data', async ({ storage }) => {
      const repository = await storage.create('a', SHA1_MAIN)
      await applyEdits(repository, [edit(MAIN, direct(0))])
      await through(storage, async (other) => {
        const there = (await other.open('a')) ?? fail('the other storage does not see the repository')
        let held = 0
        for (let round = 1; round <= 6; round++) {
          const numbers = Array.from({ length: 20 }, (_, at) => 100 * round + at)
          const words = await Promise.all(
            numbers.map(async (number) => {
              const refs = [edit(MAIN, direct(number), { kind: 'id', id: sampleId(held) })]
              const handle = number % 2 === 0 ? repository : there
              return verdict((await handle.commit({ refs, atomic: number % 3 === 0 })).refs[0])
            }),
          )
          const winners = numbers.filter((_, at) => words[at] === 'applied')
          assertEqual(winners.length, 1, `number of winners in round ${round}`)
          held = winners[0] ?? -1
          assertEqual(await readTarget(repository, MAIN), direct(held), `${MAIN} after round ${round}`)
          assertEqual(await readTarget(there, MAIN), direct(held), `${MAIN} after round ${round}`)
        }
      })
    }),
    scenario('a key is created once across two storages over the same data', async ({ storage }) => {
      await through(storage, async (other) => {
        const results = await Promise.allSettled(
          Array.from({ length: 10 }, (_, at) => (at % 2 === 0 ? storage : other).create('a', SHA1_MAIN)),
        )
        const created = results.filter((result) => result.status === 'fulfilled')
        assertEqual(created.length, 1, 'number of creations that succeeded')
        assertEqual((await other.list()).keys, ['a'], 'keys')
      })
    }),
  ]
}
