import type { RefEdit, RefExpectation, RefOutcome } from '../../refs/ref-edit.ts'
import { meetsExpectation } from '../../refs/ref-transaction.ts'
import type { RefTarget } from '../../refs/ref.ts'
import { assertEqual } from './assertions.ts'
import { scenario, type Scenario } from './conformance-case.ts'
import {
  applyEdits,
  direct,
  edit,
  nameAndTarget,
  readTarget,
  sampleId,
  symbolic,
  verdict,
} from './samples.ts'

const STATES: readonly (RefTarget | null)[] = [null, direct(1), direct(2), symbolic('refs/heads/x')]

const EXPECTATIONS: readonly RefExpectation[] = [
  { kind: 'any' },
  { kind: 'absent' },
  { kind: 'exists' },
  { kind: 'id', id: sampleId(1) },
  { kind: 'symbolic', target: 'refs/heads/x' },
  { kind: 'symbolic', target: 'refs/heads/y' },
]

const TARGETS: readonly (RefTarget | null)[] = [direct(3), symbolic('refs/heads/z'), null]

interface Combination {
  readonly edit: RefEdit
  readonly state: RefTarget | null
  readonly expected: RefOutcome
  readonly after: RefTarget | null
}

/** Every state with every expectation and every new value, each on a ref of its own. */
function combinations(): readonly Combination[] {
  return STATES.flatMap((state) =>
    EXPECTATIONS.flatMap((expect) => TARGETS.map((target) => ({ state, expect, target }))),
  ).map(({ state, expect, target }, at) => {
    const name = `refs/heads/case-${at}`
    const applies = meetsExpectation(state ?? undefined, expect)
    return {
      state,
      edit: { name, expect, target },
      expected: applies
        ? { kind: 'applied', name, before: state }
        : { kind: 'rejected', name, rejection: { reason: 'stale', found: state } },
      after: applies ? target : state,
    }
  })
}

function describeCombination({ edit: { expect, target }, state }: Combination): string {
  return `setting ${JSON.stringify(target)} where ${JSON.stringify(state)} is, expecting ${JSON.stringify(expect)}`
}

/** Single edits: expectations, symbolic refs, deletions, and what the two modes make of a mixture. */
export const refEditScenarios: readonly Scenario[] = [
  ...[false, true].map((atomic): Scenario => {
    return {
      name: `${atomic ? 'an atomic' : 'an ordinary'} edit is applied exactly when the ref is what the edit expects`,
      run: async ({ createRepository, openRepository }) => {
        const repository = await createRepository()
        const all = combinations()
        await applyEdits(
          repository,
          all.flatMap(({ edit: { name }, state }) => (state === null ? [] : [edit(name, state)])),
          { atomic },
        )
        for (const one of all) {
          const result = await repository.commit({ refs: [one.edit], atomic })
          assertEqual(result.refs, [one.expected], describeCombination(one))
        }
        const found = await (await openRepository()).readRefs(all.map((one) => one.edit.name))
        for (const [at, one] of all.entries()) {
          assertEqual(found[at]?.target ?? null, one.after, `the ref after ${describeCombination(one)}`)
        }
      },
    }
  }),
  scenario(
    'in an ordinary commit each edit stands alone, and outcomes come in the order of the edits',
    async ({ createRepository }) => {
      const repository = await createRepository()
      const all = combinations()
      await applyEdits(
        repository,
        all.flatMap(({ edit: { name }, state }) => (state === null ? [] : [edit(name, state)])),
      )
      const result = await repository.commit({ refs: all.map((one) => one.edit) })
      const expected = all.map((one) => one.expected)
      for (const [at, one] of all.entries()) {
        assertEqual(result.refs[at], expected[at], describeCombination(one))
      }
      const found = await repository.readRefs(all.map((one) => one.edit.name))
      assertEqual(
        found.map((ref) => ref?.target ?? null),
        all.map((one) => one.after),
        'the refs afterwards',
      )
    },
  ),
  scenario(
    'one rejected edit takes an atomic commit with it and nothing changes',
    async ({ createRepository }) => {
      const repository = await createRepository()
      await applyEdits(repository, [
        edit('refs/heads/a', direct(1)),
        edit('refs/heads/s', symbolic('refs/heads/a')),
      ])
      const before = await repository.listRefs('refs/')
      const refs = [
        edit('refs/heads/a', direct(2), { kind: 'id', id: sampleId(1) }),
        edit('refs/heads/b', direct(2), { kind: 'id', id: sampleId(1) }),
        edit('refs/heads/c', direct(2), { kind: 'absent' }),
        edit('refs/heads/s', null),
        edit('HEAD', symbolic('refs/heads/c')),
      ]
      const result = await repository.commit({ refs, atomic: true })
      assertEqual(result.refs.map(verdict), ['atomic', 'stale', 'atomic', 'atomic', 'atomic'], 'verdicts')
      assertEqual(
        result.refs.map((outcome) => outcome.name),
        refs.map((one) => one.name),
        'names of the outcomes',
      )
      assertEqual(await repository.listRefs('refs/'), before, 'refs')
      assertEqual(await readTarget(repository, 'HEAD'), symbolic('refs/heads/main'), 'HEAD')
    },
  ),
  scenario(
    'an atomic commit of creations, updates and deletions applies all of them',
    async ({ createRepository, openRepository }) => {
      const repository = await createRepository()
      await applyEdits(repository, [
        edit('refs/heads/old', direct(1)),
        edit('refs/heads/kept', direct(1)),
        edit('refs/tags/t', direct(1)),
      ])
      const edits = [
        edit('refs/heads/old', null, { kind: 'id', id: sampleId(1) }),
        edit('refs/heads/new', direct(2), { kind: 'absent' }),
        edit('refs/tags/t', direct(2), { kind: 'exists' }),
        edit('refs/heads/link', symbolic('refs/heads/new'), { kind: 'absent' }),
        edit('HEAD', symbolic('refs/heads/new'), { kind: 'symbolic', target: 'refs/heads/main' }),
      ]
      await applyEdits(repository, edits, { atomic: true })
      for (const handle of [repository, await openRepository()]) {
        assertEqual(
          nameAndTarget(await handle.listRefs('refs/')),
          [
            { name: 'refs/heads/kept', target: direct(1) },
            { name: 'refs/heads/link', target: symbolic('refs/heads/new') },
            { name: 'refs/heads/new', target: direct(2) },
            { name: 'refs/tags/t', target: direct(2) },
          ],
          'refs',
        )
        assertEqual(await readTarget(handle, 'HEAD'), symbolic('refs/heads/new'), 'HEAD')
        assertEqual(await readTarget(handle, 'refs/heads/old'), null, 'refs/heads/old')
      }
    },
  ),
  scenario(
    'HEAD can name another branch, name a commit, and is not among listed refs',
    async ({ createRepository }) => {
      const repository = await createRepository()
      await applyEdits(repository, [edit('HEAD', symbolic('refs/heads/unborn'))])
      assertEqual(await readTarget(repository, 'HEAD'), symbolic('refs/heads/unborn'), 'HEAD')
      await applyEdits(repository, [edit('HEAD', direct(1)), edit('refs/heads/main', direct(2))], {
        atomic: true,
      })
      assertEqual(await readTarget(repository, 'HEAD'), direct(1), 'HEAD')
      assertEqual(await readTarget(repository, 'refs/heads/unborn'), null, 'the branch that HEAD had named')
      for (const prefix of ['', 'H', 'HEAD']) {
        const names = (await repository.listRefs(prefix)).map((ref) => ref.name)
        assertEqual(names, prefix === '' ? ['refs/heads/main'] : [], `names listed for '${prefix}'`)
      }
    },
  ),
  scenario(
    'symbolic refs are stored as they are: read, listed, replaced and deleted without following them',
    async ({ createRepository }) => {
      const repository = await createRepository()
      const link = 'refs/remotes/origin/HEAD'
      await applyEdits(repository, [edit(link, symbolic('refs/remotes/origin/main'))])
      assertEqual(
        await readTarget(repository, link),
        symbolic('refs/remotes/origin/main'),
        'a dangling symbolic ref',
      )
      await applyEdits(repository, [edit('refs/remotes/origin/main', direct(1))])
      assertEqual(
        nameAndTarget(await repository.listRefs('refs/remotes/')),
        [
          { name: link, target: symbolic('refs/remotes/origin/main') },
          { name: 'refs/remotes/origin/main', target: direct(1) },
        ],
        'refs',
      )
      await applyEdits(repository, [
        edit(link, direct(2), { kind: 'symbolic', target: 'refs/remotes/origin/main' }),
      ])
      assertEqual(await readTarget(repository, link), direct(2), 'what was symbolic')
      assertEqual(await readTarget(repository, 'refs/remotes/origin/main'), direct(1), 'what it had named')
      await applyEdits(repository, [edit(link, symbolic('refs/remotes/origin/main'))])
      await applyEdits(repository, [edit(link, null)])
      assertEqual(await readTarget(repository, link), null, 'the deleted symbolic ref')
      assertEqual(await readTarget(repository, 'refs/remotes/origin/main'), direct(1), 'what it had named')
    },
  ),
  scenario(
    'a deleted ref is absent, stays absent, and can be created again',
    async ({ createRepository, openRepository }) => {
      for (const atomic of [false, true]) {
        const repository = atomic ? await openRepository() : await createRepository()
        await applyEdits(repository, [edit('refs/heads/a', direct(1)), edit('refs/heads/b', direct(2))], {
          atomic,
        })
        await applyEdits(repository, [edit('refs/heads/a', null, { kind: 'id', id: sampleId(1) })], {
          atomic,
        })
        assertEqual(await readTarget(repository, 'refs/heads/a'), null, 'the deleted ref')
        const again = await repository.commit({ refs: [edit('refs/heads/a', null)], atomic })
        const nothing = { kind: 'applied', name: 'refs/heads/a', before: null }
        assertEqual(again.refs, [nothing], 'deleting what is not there')
        const names = (await repository.listRefs('refs/heads/')).map((ref) => ref.name)
        assertEqual(names, ['refs/heads/b'], 'refs')
        await applyEdits(repository, [edit('refs/heads/a', direct(3), { kind: 'absent' })], { atomic })
        assertEqual(await readTarget(repository, 'refs/heads/a'), direct(3), 'the ref that was created again')
        await applyEdits(repository, [edit('refs/heads/a', null), edit('refs/heads/b', null)], { atomic })
      }
    },
  ),
  scenario(
    'edits may carry a reflog entry, whether or not the store keeps it',
    async ({ createRepository }) => {
      const repository = await createRepository()
      const reflog = {
        identity: 'A U Thor <author@example.com>',
        time: 1,
        timezone: -90,
        message: 'push\nwith lines',
      }
      const edits = [
        { ...edit('refs/heads/a', direct(1)), reflog },
        { ...edit('refs/heads/b/c', direct(2)), reflog },
      ]
      await applyEdits(repository, edits)
      await applyEdits(repository, [{ ...edit('refs/heads/b/c', null), reflog }])
      await applyEdits(repository, [{ ...edit('refs/heads/b', direct(3)), reflog }])
      assertEqual(
        nameAndTarget(await repository.listRefs('refs/')),
        [
          { name: 'refs/heads/a', target: direct(1) },
          { name: 'refs/heads/b', target: direct(3) },
        ],
        'refs',
      )
    },
  ),
]
