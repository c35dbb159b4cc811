import type { RefExpectation } from '../../refs/ref-edit.ts'
import type { RepositoryStorage } from '../repository-storage.ts'
import { assertEqual, assertTrue, fail } from './assertions.ts'
import { scenario, type Scenario } from './conformance-case.ts'
import {
  applyEdits,
  direct,
  edit,
  listPackNames,
  readTarget,
  sampleId,
  stagePack,
  verdict,
} from './samples.ts'

const MAIN = 'refs/heads/main'

/** Many commits at once, through two handles that know nothing of each other. */
export const raceScenarios: readonly Scenario[] = [
  ...[false, true].map((atomic): Scenario => {
    return {
      name: `of fifty ${atomic ? 'atomic' : 'ordinary'} compare-and-swaps on one ref exactly one wins, every round`,
      run: async ({ createRepository, openRepository }) => {
        const handles = [await createRepository(), await openRepository()]
        let held: number | undefined
        for (let round = 0; round < 4; round++) {
          const expect: RefExpectation =
            held === undefined ? { kind: 'absent' } : { kind: 'id', id: sampleId(held) }
          const numbers = Array.from({ length: 50 }, (_, at) => 100 * (round + 1) + at)
          const results = await Promise.all(
            numbers.map((number) => swap(handles, number, [edit(MAIN, direct(number), expect)], atomic)),
          )
          const winners = numbers.filter((_, at) => results[at]?.[0] === 'applied')
          assertEqual(winners.length, 1, `number of winners in round ${round}`)
          const losers = new Set(results.flat().filter((one) => one !== 'applied'))
          losers.delete('stale')
          losers.delete('locked')
          assertEqual([...losers], [], 'reasons other than stale and locked')
          held = winners[0]
          for (const handle of handles) {
            assertEqual(
              await readTarget(handle, MAIN),
              direct(held ?? -1),
              `${MAIN}, which must be the winner's`,
            )
          }
        }
      },
    }
  }),
  scenario(
    'no update is lost when everybody reads, adds one and tries again',
    async ({ createRepository, openRepository }) => {
      const handles = [await createRepository(), await openRepository()]
      await applyEdits(handles[0] ?? fail('no handle'), [edit(MAIN, direct(0))])
      const increments = Array.from({ length: 8 }, async (_, worker) => {
        for (let done = 0; done < 4;) {
          const repository = handles[worker % 2] ?? fail('no handle')
          const target = await readTarget(repository, MAIN)
          if (target?.kind !== 'direct') fail(`${MAIN} holds ${JSON.stringify(target)}`)
          const next = Number.parseInt(target.id.slice(0, 8), 16)
          const [word] = await swap(
            handles,
            worker,
            [edit(MAIN, direct(next), { kind: 'id', id: target.id })],
            worker % 3 === 0,
          )
          if (word === 'applied') done++
        }
      })
      await Promise.all(increments)
      assertEqual(
        await readTarget(handles[1] ?? fail('no handle'), MAIN),
        direct(32),
        `${MAIN} after 32 increments`,
      )
    },
  ),
  scenario(
    'commits to different refs at the same time are all applied',
    async ({ createRepository, openRepository }) => {
      const handles = [await createRepository(), await openRepository()]
      const numbers = Array.from({ length: 60 }, (_, at) => at)
      const nameOf = (number: number): string => `refs/heads/topic/${number % 7}/${number}`
      for (const phase of ['create', 'update', 'delete'] as const) {
        const results = await Promise.all(
          numbers.map((number) => {
            const target =
              phase === 'delete' && number % 2 === 0 ? null : direct(phase === 'create' ? 1 : number)
            const expect: RefExpectation = { kind: phase === 'create' ? 'absent' : 'exists' }
            return swap(handles, number, [edit(nameOf(number), target, expect)], number % 5 === 0)
          }),
        )
        assertEqual(
          results.flat().filter((word) => word !== 'applied'),
          [],
          `edits rejected in phase ${phase}`,
        )
      }
      const expected = numbers.filter((number) => number % 2 === 1)
      for (const handle of handles) {
        const found = (await handle.listRefs('refs/heads/topic/')).map((ref) => [ref.name, ref.target])
        const wanted = expected.map((number) => [nameOf(number), direct(number)] as const)
        assertEqual(
          found,
          wanted.toSorted(([left], [right]) => (left < right ? -1 : 1)),
          'refs',
        )
      }
    },
  ),
  scenario(
    'an atomic commit is seen whole or not at all, by readers and by other commits',
    async ({ createRepository, openRepository }) => {
      const handles = [await createRepository(), await openRepository()]
      const names = ['refs/heads/x', 'refs/heads/y', 'refs/tags/z']
      const all = (number: number): ReturnType<typeof edit>[] =>
        names.map((name) => edit(name, direct(number)))
      await applyEdits(handles[0] ?? fail('no handle'), all(0), { atomic: true })
      let writing = true
      const reader = async (): Promise<void> => {
        while (writing) {
          for (const handle of handles) {
            const refs = await handle.listRefs('refs/')
            const ids = new Set(refs.map((ref) => JSON.stringify(ref.target)))
            assertTrue(
              refs.length === 3 && ids.size === 1,
              `a reader saw half a commit: ${JSON.stringify(refs)}`,
            )
          }
          await new Promise((resolve) => setTimeout(resolve, 0))
        }
      }
      const writers = Array.from({ length: 4 }, async (_, worker) => {
        for (let number = 1; number <= 6; number++) {
          for (;;) {
            const words = await swap(handles, worker, all(100 * worker + number), true)
            if (words.every((word) => word === 'applied')) break
            assertTrue(
              words.includes('locked'),
              `an edit without expectation was rejected: ${words.join(', ')}`,
            )
          }
        }
      })
      const done = Promise.all(writers).finally(() => {
        writing = false
      })
      await Promise.all([done, reader()])
    },
  ),
  scenario(
    'whoever sees a ref sees the packs that came with it',
    async ({ createRepository, openRepository }) => {
      const repository = await createRepository()
      const other = await openRepository()
      let last = false
      const reader = async (): Promise<void> => {
        for (let ended = false; !ended;) {
          ended = last
          const refs = await other.listRefs('refs/heads/')
          const packs = await listPackNames(other)
          const count = refs.length
          assertTrue(packs.length >= count, `a reader saw ${count} refs, but then only ${packs.length} packs`)
          await new Promise((resolve) => setTimeout(resolve, 0))
        }
      }
      const writer = async (): Promise<void> => {
        for (let number = 0; number < 20; number++) {
          const pack = await stagePack(repository, number)
          const refs = [edit(`refs/heads/${number}`, direct(number))]
          await repository.commit({ addPacks: [pack], refs, atomic: number % 2 === 0 })
        }
      }
      await Promise.all([
        reader(),
        writer().finally(() => {
          last = true
        }),
      ])
    },
  ),
  scenario(
    'of two commits whose names exclude each other at most one is applied',
    async ({ createRepository, openRepository }) => {
      const handles = [await createRepository(), await openRepository()]
      for (let round = 0; round < 10; round++) {
        const names = [`refs/heads/${round}`, `refs/heads/${round}/below`]
        const results = await Promise.all(
          names.map((name, at) => swap(handles, at + round, [edit(name, direct(1))], round % 3 === 0)),
        )
        const applied = names.filter((_, at) => results[at]?.[0] === 'applied')
        assertTrue(applied.length <= 1, `${names.join(' and ')} were both created`)
        const stored = (await handles[0]?.listRefs(`refs/heads/${round}`))?.map((ref) => ref.name)
        assertEqual(
          stored?.filter((name) => names.includes(name)),
          applied,
          'refs that are there',
        )
      }
    },
  ),
  scenario(
    'what a commit wrote is seen by every read that starts afterwards, through every handle',
    async ({ createRepository, openRepository }) => {
      const handles = [await createRepository(), await openRepository()]
      for (let number = 0; number < 30; number++) {
        const atomic = number % 3 === 0
        const target = number % 5 === 4 ? null : direct(number)
        await swap(handles, number, [edit(MAIN, target), edit('refs/heads/n', direct(number))], atomic)
        for (const handle of [...handles, await openRepository()]) {
          assertEqual(await readTarget(handle, MAIN), target, `${MAIN} after commit ${number}`)
          const listed = await handle.listRefs('refs/heads/')
          assertEqual(listed.length, target === null ? 1 : 2, `number of refs after commit ${number}`)
          assertEqual(listed.at(-1)?.target, direct(number), `refs/heads/n after commit ${number}`)
        }
      }
    },
  ),
]

/** Commits through one of the handles; gives a word for each outcome. */
async function swap(
  handles: readonly RepositoryStorage[],
  turn: number,
  edits: readonly ReturnType<typeof edit>[],
  atomic: boolean,
): Promise<string[]> {
  const repository = handles[turn % handles.length] ?? fail('no handle')
  return (await repository.commit({ refs: edits, atomic })).refs.map(verdict)
}
