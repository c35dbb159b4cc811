import { assertEqual, assertRejects } from './assertions.ts'
import { scenario, type Scenario } from './conformance-case.ts'
import { direct, edit, listPackNames, readTarget, sampleId, stagePack, verdict } from './samples.ts'

const MAIN = 'refs/heads/main'

/** The list of shallow commits, as a part of the one atomic step. */
export const shallowScenarios: readonly Scenario[] = [
  scenario(
    'a commit replaces the list of shallow commits, and leaves it alone when it names none',
    async ({ createRepository, openRepository }) => {
      const repository = await createRepository()
      const other = await openRepository()
      const [one, two, three] = [sampleId(1), sampleId(2), sampleId(3)]
      const pack = await stagePack(repository, 1)
      await repository.commit({ addPacks: [pack], refs: [edit(MAIN, direct(1))], shallow: [two, one, two] })
      assertEqual(await repository.readShallow(), [one, two], 'shallow commits')
      assertEqual(await listPackNames(repository), [pack.name], 'packs')
      assertEqual(await readTarget(repository, MAIN), direct(1), MAIN)
      await repository.commit({ refs: [edit(MAIN, direct(2))] })
      assertEqual(await other.readShallow(), [one, two], 'shallow commits after a commit without a list')
      await repository.commit({ shallow: [three] })
      assertEqual(await other.readShallow(), [three], 'shallow commits after a commit of nothing else')
      await repository.commit({ shallow: [] })
      assertEqual(await other.readShallow(), [], 'shallow commits after an empty list')
    },
  ),
  scenario(
    'the list of shallow commits stays when every edit is rejected, and changes when one is applied',
    async ({ createRepository }) => {
      const repository = await createRepository()
      const shallow = [sampleId(7)]
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
      assertEqual(await repository.readShallow(), shallow, 'shallow commits after one edit was applied')
    },
  ),
  scenario(
    'a list of shallow commits with something else than ids changes nothing',
    async ({ createRepository }) => {
      const repository = await createRepository()
      await repository.commit({ shallow: [sampleId(1)] })
      for (const bad of ['', 'A'.repeat(40), sampleId(1, 64), `${sampleId(1)}\n`]) {
        const step = { refs: [edit(MAIN, direct(1))], shallow: [sampleId(2), bad] }
        await assertRejects(() => repository.commit(step), 'INVALID_ID', `the shallow commit '${bad}'`)
      }
      assertEqual(await repository.readShallow(), [sampleId(1)], 'shallow commits')
      assertEqual(await readTarget(repository, MAIN), null, MAIN)
    },
  ),
]
