import type { RepositoryStorage } from '../repository-storage.ts'
import { assertEqual, assertRejects } from './assertions.ts'
import { scenario, type Scenario } from './conformance-case.ts'
import { direct, edit, listPackNames, readTarget, sampleId, stagePack, verdict } from './samples.ts'

const MAIN = 'refs/heads/main'

/** The list of shallow commits, as a part of the one atomic step. */
export const shallowScenarios: readonly Scenario[] = [
  scenario(
    'a commit changes the list of shallow commits, and leaves it alone when it says nothing of it',
    async ({ createRepository, openRepository }) => {
      const repository = await createRepository()
      const other = await openRepository()
      const [one, two, three] = [sampleId(1), sampleId(2), sampleId(3)]
      const pack = await stagePack(repository, 1)
      await repository.commit({
        addPacks: [pack],
        refs: [edit(MAIN, direct(1))],
        shallow: { add: [two, one, two], remove: [] },
      })
      assertEqual(await repository.readShallow(), [one, two], 'shallow commits')
      assertEqual(await listPackNames(repository), [pack.name], 'packs')
      assertEqual(await readTarget(repository, MAIN), direct(1), MAIN)
      await repository.commit({ refs: [edit(MAIN, direct(2))] })
      assertEqual(await other.readShallow(), [one, two], 'shallow commits after a commit without a change')
      await repository.commit({ shallow: { add: [three], remove: [one, sampleId(9)] } })
      assertEqual(await other.readShallow(), [two, three], 'shallow commits after a commit of nothing else')
      await repository.commit({ shallow: { add: [three], remove: [two, three] } })
      assertEqual(await other.readShallow(), [three], 'shallow commits, one of them removed and added')
      await repository.commit({ shallow: { add: [], remove: [three] } })
      assertEqual(await other.readShallow(), [], 'shallow commits after the last one was removed')
    },
  ),
  scenario(
    'changes of the list of shallow commits that are made at the same time all take effect',
    async ({ createRepository, openRepository }) => {
      const repository = await createRepository()
      const handles = [repository, await openRepository(), await openRepository()]
      const first = sampleId(100)
      await repository.commit({ shallow: { add: [first], remove: [] } })
      const commit = async (handle: RepositoryStorage, at: number): Promise<void> => {
        const shallow = { add: [sampleId(at + 1)], remove: at === 5 ? [first] : [] }
        await handle.commit({ refs: [edit(`refs/heads/b${at}`, direct(1))], shallow })
      }
      const steps = handles.flatMap((handle, at) => [0, 3, 6, 9].map((more) => commit(handle, at + more)))
      await Promise.all(steps)
      const expected = Array.from({ length: 12 }, (_, at) => sampleId(at + 1)).sort()
      assertEqual(await repository.readShallow(), expected, 'shallow commits')
    },
  ),
  scenario(
    'the list of shallow commits stays when every edit is rejected, and changes when one is applied',
    async ({ createRepository }) => {
      const repository = await createRepository()
      const shallow = { add: [sampleId(7)], remove: [] }
      const lost = edit(MAIN, direct(1), { kind: 'exists' })
      for (const atomic of [true, false]) {
        const refused = await repository.commit({ refs: [lost], shallow, atomic })
        assertEqual(refused.refs.map(verdict), ['stale'], 'outcome')
        assertEqual(await repository.readShallow(), [], 'shallow commits')
      }
      const both = [lost, edit('refs/heads/other', direct(1))]
      await repository.commit({ refs: both, shallow, atomic: true })
      assertEqual(await repository.readShallow(), [], 'shallow commits after an atomic commit that failed')
      await repository.commit({ refs: both, shallow })
      assertEqual(await repository.readShallow(), shallow.add, 'shallow commits after one edit was applied')
    },
  ),
  scenario(
    'a change of the list of shallow commits with something else than ids changes nothing',
    async ({ createRepository }) => {
      const repository = await createRepository()
      await repository.commit({ shallow: { add: [sampleId(1)], remove: [] } })
      for (const bad of ['', 'A'.repeat(40), sampleId(1, 64), `${sampleId(1)}\n`]) {
        for (const shallow of [
          { add: [sampleId(2), bad], remove: [] },
          { add: [sampleId(2)], remove: [bad] },
        ]) {
          const step = { refs: [edit(MAIN, direct(1))], shallow }
          await assertRejects(() => repository.commit(step), 'INVALID_ID', `the shallow commit '${bad}'`)
        }
      }
      assertEqual(await repository.readShallow(), [sampleId(1)], 'shallow commits')
      assertEqual(await readTarget(repository, MAIN), null, MAIN)
    },
  ),
]
