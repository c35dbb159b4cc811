import type { RefOutcome } from '../../refs/ref-edit.ts'
import type { RepositoryStorage } from '../repository-storage.ts'
import { assertEqual, assertRejects, assertTrue, fail } from './assertions.ts'
import { scenario, type Scenario } from './conformance-case.ts'
import { direct, edit, listPackNames, readTarget, sampleId, stagePack, verdict } from './samples.ts'

const MAIN = 'refs/heads/main'

/** The texts of an outbox; checks that sequences ascend. */
export async function readTexts(repository: RepositoryStorage, limit = 1000): Promise<string[]> {
  const events = await repository.readEvents(limit)
  for (let at = 1; at < events.length; at++) {
    assertTrue(
      (events[at - 1]?.sequence ?? 0) < (events[at]?.sequence ?? 0),
      `sequences do not ascend: ${JSON.stringify(events)}`,
    )
  }
  return events.map(({ text }) => text)
}

const tell = (outcomes: readonly RefOutcome[]): string[] =>
  outcomes.filter(({ kind }) => kind === 'applied').map(({ name }) => `moved ${name}`)

/** The outbox: texts that are written in the same step as the refs. */
export const eventScenarios: readonly Scenario[] = [
  scenario(
    'events are there as soon as the commit is, in order',
    async ({ createRepository, openRepository }) => {
      const repository = await createRepository()
      const other = await openRepository()
      assertEqual(await repository.readEvents(10), [], 'events of a new repository')
      for (let number = 0; number < 6; number++) {
        const texts = [`first of ${number}`, `größe 😀 "${number}"\n`]
        const refs = [edit(MAIN, direct(number)), edit('refs/heads/b', direct(number))]
        await repository.commit({ refs, events: () => texts, atomic: number % 2 === 0 })
        const read = await readTexts(number % 3 === 0 ? repository : other)
        assertEqual(read.slice(-2), texts, `events after commit ${number}`)
        assertEqual(read.length, 2 * number + 2, 'number of events')
      }
    },
  ),
  scenario('events are told the outcomes that the commit answers', async ({ createRepository }) => {
    const repository = await createRepository()
    const told: (readonly RefOutcome[])[] = []
    const refs = [edit(MAIN, direct(1)), edit('refs/heads/b', direct(2), { kind: 'exists' })]
    const events = (outcomes: readonly RefOutcome[]): string[] => {
      told.push(outcomes)
      return tell(outcomes)
    }
    const result = await repository.commit({ refs, events })
    assertEqual(result.refs.map(verdict), ['applied', 'stale'], 'outcomes')
    assertEqual(told.at(-1), result.refs, 'what the events were told')
    assertEqual(await readTexts(repository), [`moved ${MAIN}`], 'events')
  }),
  scenario('a commit whose edits are all rejected tells nothing', async ({ createRepository }) => {
    const repository = await createRepository()
    await repository.commit({ refs: [edit(MAIN, direct(1))], events: () => ['made'] })
    const absent = { kind: 'absent' } as const
    const attempts = [
      { refs: [edit(MAIN, direct(2), absent)] },
      { refs: [edit(MAIN, direct(2), absent), edit('refs/heads/b', direct(2))], atomic: true },
      { refs: [edit(`${MAIN}/below`, direct(2))] },
    ]
    for (const attempt of attempts) {
      await repository.commit({ ...attempt, events: () => ['rejected'] })
      assertEqual(await readTexts(repository), ['made'], 'events')
    }
    await assertRejects(
      () => repository.commit({ refs: [edit('refs/heads/a..b', direct(2))], events: () => ['malformed'] }),
      undefined,
      'a malformed commit',
    )
    assertEqual(await readTexts(repository), ['made'], 'events')
  }),
  scenario(
    'a commit without edits can tell something too, and one may tell nothing',
    async ({ createRepository }) => {
      const repository = await createRepository()
      const pack = await stagePack(repository, 1)
      await repository.commit({ addPacks: [pack], events: (outcomes) => [`packed ${outcomes.length}`] })
      await repository.commit({ events: () => ['nothing else'] })
      await repository.commit({ refs: [edit(MAIN, direct(1))], events: () => [] })
      await repository.commit({ refs: [edit(MAIN, null)], events: tell })
      await repository.commit({ refs: [edit(MAIN, null)], events: () => ['was gone already'] })
      const texts = ['packed 0', 'nothing else', `moved ${MAIN}`, 'was gone already']
      assertEqual(await readTexts(repository), texts, 'events')
      assertEqual(await listPackNames(repository), [pack.name], 'packs')
    },
  ),
  scenario(
    'dropped events are gone, and their sequences are never used again',
    async ({ createRepository }) => {
      const repository = await createRepository()
      const used = new Set<number>()
      for (let round = 0; round < 5; round++) {
        await repository.commit({
          refs: [edit(MAIN, direct(round))],
          events: () => [`a${round}`, `b${round}`],
        })
        await repository.commit({ refs: [edit(MAIN, direct(round + 1))], events: () => [`c${round}`] })
        const events = await repository.readEvents(10)
        assertEqual(
          events.map(({ text }) => text),
          [`a${round}`, `b${round}`, `c${round}`],
          'events',
        )
        assertEqual((await repository.readEvents(2)).length, 2, 'number of events within the limit')
        for (const { sequence } of events) {
          assertTrue(
            Number.isSafeInteger(sequence) && !used.has(sequence),
            `sequence ${sequence} was used before`,
          )
          used.add(sequence)
        }
        await repository.dropEvents(events[0]?.sequence ?? fail('no event'))
        assertEqual(await readTexts(repository), [`b${round}`, `c${round}`], 'events behind a dropped one')
        assertEqual(await readTexts(repository, 1), [`b${round}`], 'first event behind a dropped one')
        await repository.dropEvents(events[0]?.sequence ?? fail('no event'))
        await repository.dropEvents(events[2]?.sequence ?? fail('no event'))
        assertEqual(await repository.readEvents(10), [], 'events when all are dropped')
      }
      await repository.dropEvents(0)
    },
  ),
  scenario('large events, and many, come back whole', async ({ createRepository }) => {
    const repository = await createRepository()
    const large = 'ö'.repeat(500_000)
    const many = Array.from({ length: 300 }, (_, at) => `event ${at}`)
    await repository.commit({ refs: [edit(MAIN, direct(1))], events: () => [large, ...many] })
    assertEqual(await readTexts(repository), [large, ...many], 'events')
    const tooLarge = 'ö'.repeat(600_000)
    await assertRejects(
      () => repository.commit({ refs: [edit(MAIN, direct(2))], events: () => [tooLarge] }),
      'LIMIT_EXCEEDED',
      'an event of more than 1 MiB',
    )
    assertEqual(await readTarget(repository, MAIN), direct(1), MAIN)
    assertEqual((await readTexts(repository)).length, 301, 'number of events')
  }),
  scenario(
    'of racing commits each tells exactly when it was applied, and readers miss none',
    async ({ createRepository, openRepository }) => {
      const handles = [await createRepository(), await openRepository()]
      const reader = await openRepository()
      const read: string[] = []
      let writing = true
      const consume = async (): Promise<void> => {
        for (let ended = false; !ended;) {
          ended = !writing
          const events = await reader.readEvents(3)
          read.push(...events.map(({ text }) => text))
          const last = events.at(-1)
          if (last !== undefined) await reader.dropEvents(last.sequence)
          if (events.length > 0) ended = false
          await new Promise((resolve) => setTimeout(resolve, 1))
        }
      }
      const applied: string[] = []
      const write = async (worker: number): Promise<void> => {
        for (let round = 0; round < 8; round++) {
          const repository = handles[worker % 2] ?? fail('no handle')
          const number = 100 * worker + round
          const held = await readTarget(repository, MAIN)
          const expect =
            held?.kind === 'direct' ? ({ kind: 'id', id: held.id } as const) : ({ kind: 'absent' } as const)
          const refs = [edit(MAIN, direct(number), expect), edit(`refs/heads/w${worker}`, direct(number))]
          const result = await repository.commit({
            refs,
            atomic: worker % 3 === 0,
            events: (outcomes) => [`${sampleId(number)} ${outcomes.map(verdict).join()}`],
          })
          const words = result.refs.map(verdict)
          if (words.includes('applied')) applied.push(`${sampleId(number)} ${words.join()}`)
        }
      }
      await Promise.all([
        consume(),
        Promise.all([0, 1, 2, 3].map(write)).finally(() => {
          writing = false
        }),
      ])
      assertEqual(read.toSorted(), applied.toSorted(), 'events that were read')
    },
  ),
]
