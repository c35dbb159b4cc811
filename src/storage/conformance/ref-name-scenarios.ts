import { encodeUtf8 } from '../../bytes/text.ts'
import { compareBytes } from '../../bytes/compare.ts'
import type { RefEdit, RefOutcome } from '../../refs/ref-edit.ts'
import type { RefTarget } from '../../refs/ref.ts'
import type { RepositoryStorage } from '../repository-storage.ts'
import { assertEqual, assertTrue } from './assertions.ts'
import { scenario, type Scenario } from './conformance-case.ts'
import { applyEdits, direct, edit, nameAndTarget, readTarget, symbolic, verdict } from './samples.ts'

/** Names whose order in bytes is not that of UTF-16, and names that need care in file systems and queries. */
const AWKWARD_NAMES = [
  ...[
    'refs/heads/a',
    'refs/heads/a-b',
    'refs/heads/a.b',
    'refs/heads/b/c',
    'refs/heads/b-c',
    'refs/heads/b0',
  ],
  ...['refs/heads/größe', 'refs/heads/～', 'refs/heads/😀', 'refs/heads/日本語/枝', 'refs/heads/\u{10ffff}'],
  ...[
    'refs/heads/HEAD',
    'refs/heads/refs/heads/x',
    'refs/heads/packed-refs',
    'refs/heads/a%2fb',
    'refs/heads/-f',
  ],
  ...[
    `refs/heads/it's`,
    'refs/heads/"q"',
    'refs/heads/%',
    'refs/heads/_',
    'refs/heads/$(x)',
    'refs/heads/a;b',
  ],
  ...[
    'refs/notes/commits',
    'refs/pull/1/head',
    'refs/pull/10/head',
    'refs/stash',
    'refs/tags/v1.0',
    'refs/x/lock',
  ],
]

/** Names: how refs are listed, and which names get into each other's way. */
export const refNameScenarios: readonly Scenario[] = [
  scenario(
    'refs are listed by prefix, in the order of their UTF-8 bytes',
    async ({ createRepository, openRepository }) => {
      const repository = await createRepository()
      await applyEdits(
        repository,
        AWKWARD_NAMES.toReversed().map((name, at) => edit(name, direct(at))),
      )
      const sorted = AWKWARD_NAMES.toSorted((left, right) =>
        compareBytes(encodeUtf8(left), encodeUtf8(right)),
      )
      for (const handle of [repository, await openRepository()]) {
        for (const prefix of [
          ...[
            '',
            'refs/',
            'refs',
            'refs/heads',
            'refs/heads/',
            'refs/heads/a',
            'refs/heads/b',
            'refs/heads/b/',
          ],
          ...[
            'refs/heads/g',
            'refs/heads/größe',
            'refs/pull/1',
            'refs/pull/1/',
            'refs/none',
            'refs/tags/v1.0',
            'x',
          ],
          ...['refs/heads/a%', 'refs/heads/_', 'refs/pull/1/head/x', '/', '../'],
        ]) {
          const names = (await handle.listRefs(prefix)).map((ref) => ref.name)
          const expected = sorted.filter((name) => name.startsWith(prefix))
          assertEqual(names, expected, `names listed for '${prefix}'`)
        }
      }
    },
  ),
  scenario(
    'refs are read by name, in the order asked, with undefined for those that are not there',
    async ({ createRepository }) => {
      const repository = await createRepository()
      await applyEdits(
        repository,
        AWKWARD_NAMES.map((name, at) => edit(name, direct(at))),
      )
      const found = await repository.readRefs(AWKWARD_NAMES)
      for (const [at, name] of AWKWARD_NAMES.entries()) {
        assertEqual(found[at]?.name, name, `name of ref ${at}`)
        assertEqual(found[at]?.target, direct(at), `target of ${name}`)
      }
      assertEqual(await repository.readRefs([]), [], 'no names')
      const names = [
        'refs/heads/none',
        'HEAD',
        'refs/heads',
        'refs/heads/a',
        'refs/heads/a/b',
        'refs/heads/a',
        'refs/pull',
      ]
      const some = await repository.readRefs(names)
      assertEqual(
        some.map((ref) => ref?.name ?? null),
        [null, 'HEAD', null, 'refs/heads/a', null, 'refs/heads/a', null],
        'names that were read',
      )
      assertEqual(some[1]?.target, symbolic('refs/heads/main'), 'HEAD')
    },
  ),
  scenario('names of the greatest length are stored', async ({ createRepository, openRepository }) => {
    const repository = await createRepository()
    const names = [
      `refs/heads/${'x'.repeat(250)}`,
      `refs/heads/${'é'.repeat(125)}/y`,
      `refs/${'d/'.repeat(509)}z`,
    ]
    await applyEdits(
      repository,
      names.map((name, at) => edit(name, direct(at))),
      { atomic: true },
    )
    for (const handle of [repository, await openRepository()]) {
      for (const [at, name] of names.entries()) assertEqual(await readTarget(handle, name), direct(at), name)
      assertEqual((await handle.listRefs('refs/')).length, names.length, 'number of refs')
    }
  }),
  scenario(
    'thousands of refs are created, changed, deleted and listed',
    async ({ createRepository, openRepository }) => {
      const repository = await createRepository()
      const model = new Map<string, RefTarget>()
      const nameOf = (number: number): string => `refs/topics/${number % 40}/${number}`
      const apply = async (edits: readonly RefEdit[], atomic: boolean): Promise<void> => {
        await applyEdits(repository, edits, { atomic })
        for (const { name, target } of edits) {
          if (target === null) model.delete(name)
          else model.set(name, target)
        }
        const expected = [...model].map(([name, target]) => ({ name, target }))
        expected.sort((left, right) => (left.name < right.name ? -1 : 1))
        assertEqual(nameAndTarget(await repository.listRefs('refs/')), expected, 'refs')
      }
      const numbers = Array.from({ length: 2000 }, (_, at) => at)
      await apply(
        numbers.map((number) => edit(nameOf(number), direct(number), { kind: 'absent' })),
        true,
      )
      await apply(
        numbers
          .slice(0, 300)
          .map((number) => edit(nameOf(number * 3), direct(number + 7), { kind: 'exists' })),
        false,
      )
      await apply(
        numbers
          .slice(100, 1000)
          .map((number) => edit(nameOf(number * 2), number % 3 === 0 ? direct(1) : null)),
        true,
      )
      const other = await openRepository()
      assertEqual(
        (await other.listRefs('refs/topics/')).length,
        model.size,
        'number of refs through another handle',
      )
      const [first] = await other.readRefs([nameOf(1999)])
      assertEqual(first?.target, direct(1999), nameOf(1999))
    },
  ),
  scenario('a ref keeps away refs below and above its name, and only those', async ({ createRepository }) => {
    const repository = await createRepository()
    await applyEdits(repository, [edit('refs/heads/a', direct(1)), edit('refs/heads/d/e/f', direct(1))])
    const conflicts = [
      ['refs/heads/a/b', 'refs/heads/a'],
      ['refs/heads/a/b/c/d', 'refs/heads/a'],
      ['refs/heads/d', 'refs/heads/d/e/f'],
      ['refs/heads/d/e', 'refs/heads/d/e/f'],
      ['refs/heads/d/e/f/g', 'refs/heads/d/e/f'],
    ] as const
    for (const [name, conflictsWith] of conflicts) {
      for (const target of [direct(2), symbolic('refs/heads/x'), null]) {
        for (const atomic of [false, true]) {
          const result = await repository.commit({ refs: [edit(name, target)], atomic })
          const rejection = { reason: 'name-conflict', conflictsWith }
          assertEqual(result.refs, [{ kind: 'rejected', name, rejection }], `an edit of ${name}`)
        }
      }
      const stale = await repository.commit({ refs: [edit(name, direct(2), { kind: 'exists' })] })
      assertEqual(stale.refs.map(verdict), ['stale'], `an edit of ${name} that expects it to exist`)
    }
    const near = [
      'refs/heads/a-b',
      'refs/heads/a.b',
      'refs/heads/ab',
      'refs/heads/d/e/f-g',
      'refs/heads/d/e/g',
      'refs/heads/A',
    ]
    await applyEdits(
      repository,
      near.map((name) => edit(name, direct(3), { kind: 'absent' })),
    )
    assertEqual((await repository.listRefs('refs/')).length, near.length + 2, 'number of refs')
  }),
  scenario(
    'a name is free as soon as the refs in its way are deleted',
    async ({ createRepository, openRepository }) => {
      const repository = await createRepository()
      for (const atomic of [false, true]) {
        const options = { atomic }
        await applyEdits(
          repository,
          [edit('refs/heads/a/b/c', direct(1)), edit('refs/heads/a/d', direct(1))],
          options,
        )
        await applyEdits(repository, [edit('refs/heads/a/b/c', null), edit('refs/heads/a/d', null)], options)
        await applyEdits(repository, [edit('refs/heads/a', direct(2), { kind: 'absent' })], options)
        assertEqual(await readTarget(await openRepository(), 'refs/heads/a'), direct(2), 'refs/heads/a')
        await applyEdits(repository, [edit('refs/heads/a', null)], options)
        await applyEdits(repository, [edit('refs/heads/a/b', direct(3), { kind: 'absent' })], options)
        assertEqual(await readTarget(await openRepository(), 'refs/heads/a/b'), direct(3), 'refs/heads/a/b')
        await applyEdits(repository, [edit('refs/heads/a/b', null)], options)
      }
    },
  ),
  scenario(
    'edits of an ordinary commit see the names that the edits before them took and freed',
    async ({ createRepository }) => {
      const repository = await createRepository()
      await applyEdits(repository, [edit('refs/heads/a', direct(1)), edit('refs/heads/x/y', direct(1))])
      const result = await repository.commit({
        refs: [
          edit('refs/heads/a/b', direct(2)),
          edit('refs/heads/a', null),
          edit('refs/heads/a/c', direct(2)),
          edit('refs/heads/x/y', null),
          edit('refs/heads/x', direct(2)),
          edit('refs/heads/x/z', direct(2)),
          edit('refs/heads/n', direct(2)),
          edit('refs/heads/n/m', direct(2)),
        ],
      })
      assertEqual(
        result.refs.map(verdict),
        [
          ...['name-conflict', 'applied', 'applied', 'applied', 'applied', 'name-conflict'],
          'applied',
          'name-conflict',
        ],
        'verdicts',
      )
      const names = (await repository.listRefs('refs/')).map((ref) => ref.name)
      assertEqual(names, ['refs/heads/a/c', 'refs/heads/n', 'refs/heads/x'], 'refs')
    },
  ),
  scenario('in an atomic commit no edit makes room for another, as in git', async ({ createRepository }) => {
    const repository = await createRepository()
    await applyEdits(repository, [edit('refs/heads/a', direct(1))])
    const tries: readonly (readonly [readonly RefEdit[], readonly string[]])[] = [
      [
        [edit('refs/heads/a', null), edit('refs/heads/a/b', direct(2))],
        ['atomic', 'name-conflict'],
      ],
      [
        [edit('refs/heads/a/b', direct(2)), edit('refs/heads/a', null)],
        ['name-conflict', 'atomic'],
      ],
      [
        [edit('refs/heads/n', direct(2)), edit('refs/heads/n/m', direct(2))],
        ['name-conflict', 'name-conflict'],
      ],
    ]
    for (const [refs, verdicts] of tries) {
      const result = await repository.commit({ refs, atomic: true })
      const what = refs
        .map((one) => `${one.target === null ? 'deleting' : 'creating'} ${one.name}`)
        .join(' and ')
      assertEqual(result.refs.map(verdict), verdicts, `verdicts on ${what}`)
      assertConflictsAreReal(result.refs)
    }
    await assertOnly(repository, 'refs/heads/a')
  }),
]

function assertConflictsAreReal(outcomes: readonly RefOutcome[]): void {
  for (const outcome of outcomes) {
    if (outcome.kind === 'applied' || outcome.rejection.reason !== 'name-conflict') continue
    const { conflictsWith } = outcome.rejection
    const related =
      conflictsWith.startsWith(`${outcome.name}/`) || outcome.name.startsWith(`${conflictsWith}/`)
    assertTrue(related, `${outcome.name} is said to conflict with ${conflictsWith}, which is not in its way`)
  }
}

async function assertOnly(repository: RepositoryStorage, name: string): Promise<void> {
  const names = (await repository.listRefs('refs/')).map((ref) => ref.name)
  assertEqual(names, [name], 'refs')
}
