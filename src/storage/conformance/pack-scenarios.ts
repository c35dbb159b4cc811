import type { RefEdit } from '../../refs/ref-edit.ts'
import { isGitError } from '../../errors.ts'
import type { RepositoryStorage } from '../repository-storage.ts'
import { assertBytes, assertEqual, assertRejects, assertTrue, fail } from './assertions.ts'
import { scenario, type Scenario } from './conformance-case.ts'
import {
  direct,
  edit,
  listPackNames,
  readPackFile,
  readTarget,
  readWhole,
  samplePackName,
  stagePack,
  type SamplePack,
} from './samples.ts'

const MAIN = 'refs/heads/main'

/** Commits that add and drop packs, alone and together with ref edits. */
export const packScenarios: readonly Scenario[] = [
  scenario(
    'a commit makes packs visible, with their sizes, names and bytes',
    async ({ createRepository, openRepository }) => {
      const repository = await createRepository()
      const packs = [await stagePack(repository, 1), await stagePack(repository, 2)]
      const result = await repository.commit({ addPacks: packs })
      assertEqual(result, { refs: [], packsCommitted: true }, 'result')
      for (const handle of [repository, await openRepository()]) {
        const listed = await handle.listPacks()
        assertEqual(listed.length, 2, 'number of packs')
        for (const pack of packs) {
          const found = listed.find((one) => one.name === pack.name)
          assertEqual(found?.packSize, pack.packBytes.length, `pack size of ${pack.name}`)
          assertEqual(found?.indexSize, pack.indexBytes.length, `index size of ${pack.name}`)
          const age = Date.now() - (found?.modified ?? 0)
          assertTrue(Math.abs(age) < 600_000, `${pack.name} was modified ${age} ms ago, expected just now`)
          await assertStored(handle, pack)
        }
      }
    },
  ),
  scenario(
    'a pack says that it comes from a remote that promised the rest, also when that is said later',
    async ({ createRepository, openRepository }) => {
      const repository = await createRepository()
      const [one, two, again] = [
        await stagePack(repository, 1),
        await stagePack(repository, 2),
        await stagePack(repository, 2),
      ]
      await repository.commit({ addPacks: [{ ...one, promisor: true }, two] })
      const read = async (): Promise<unknown> =>
        (await (await openRepository()).listPacks())
          .map(({ name, promisor }) => [name, promisor])
          .sort(([left], [right]) => (String(left) < String(right) ? -1 : 1))
      const names = [one.name, two.name].sort()
      const marks = (...marked: readonly string[]): unknown =>
        names.map((name) => [name, marked.includes(name) ? true : undefined])
      assertEqual(await read(), marks(one.name), 'marks of packs')
      await repository.commit({ addPacks: [{ ...again, promisor: true }] })
      assertEqual(await read(), marks(one.name, two.name), 'marks of packs, one of them added again')
      await repository.commit({ addPacks: [await stagePack(repository, 1)] })
      assertEqual(await read(), marks(one.name, two.name), 'marks of packs, added again without one')
      await repository.commit({ dropPacks: [one.name] })
      await repository.commit({ addPacks: [await stagePack(repository, 1)] })
      assertEqual(await read(), marks(two.name), 'marks of packs, one of them dropped and added')
    },
  ),
  scenario(
    'a derived file is kept beside its pack, is replaced, and goes with it',
    async ({ createRepository, openRepository }) => {
      const repository = await createRepository()
      const [one, two] = [await stagePack(repository, 1), await stagePack(repository, 2)]
      await repository.commit({ addPacks: [one, two] })
      assertEqual(await repository.readDerived(one.name, 'reachability'), undefined, 'derived file')
      const other = await openRepository()
      for (const bytes of [new Uint8Array([1, 2, 3]), new Uint8Array(300_000).fill(7)]) {
        await repository.writeDerived(one.name, 'reachability', bytes)
        const read = await other.readDerived(one.name, 'reachability')
        assertBytes(read ?? new Uint8Array(0), bytes, 'derived file')
      }
      assertEqual(
        await other.readDerived(two.name, 'reachability'),
        undefined,
        'derived file of the other pack',
      )
      await repository.commit({ dropPacks: [one.name] })
      await repository.writeDerived(one.name, 'reachability', new Uint8Array([9]))
      await repository.writeDerived(two.name, 'reachability', new Uint8Array([2]))
      assertEqual(
        await other.readDerived(one.name, 'reachability'),
        undefined,
        'derived file of a dropped pack',
      )
      assertEqual((await other.listPacks()).length, 1, 'number of packs')
    },
  ),
  scenario('a commit of nothing succeeds', async ({ createRepository }) => {
    const repository = await createRepository()
    assertEqual(await repository.commit({}), { refs: [], packsCommitted: true }, 'result')
    const empty = { addPacks: [], dropPacks: [], refs: [], atomic: true }
    assertEqual(await repository.commit(empty), { refs: [], packsCommitted: true }, 'result')
  }),
  scenario('packs and refs become visible in one commit', async ({ createRepository }) => {
    const repository = await createRepository()
    const pack = await stagePack(repository, 1)
    const result = await repository.commit({
      addPacks: [pack],
      refs: [edit(MAIN, direct(1), { kind: 'absent' })],
    })
    const applied = { kind: 'applied', name: MAIN, before: null }
    assertEqual(result, { refs: [applied], packsCommitted: true }, 'result')
    await assertStored(repository, pack)
    assertEqual(await readTarget(repository, MAIN), direct(1), MAIN)
  }),
  scenario(
    'when every edit is rejected no pack appears, and the staged files can be committed later or discarded',
    async ({ createRepository }) => {
      const repository = await createRepository()
      const pack = await stagePack(repository, 1)
      const unwanted = await stagePack(repository, 2)
      const stale: RefEdit[] = ['a', 'b'].map((name) =>
        edit(`refs/heads/${name}`, direct(1), { kind: 'exists' }),
      )
      for (const atomic of [false, true]) {
        const result = await repository.commit({ addPacks: [pack, unwanted], refs: stale, atomic })
        assertEqual(result.packsCommitted, false, 'packsCommitted')
        assertEqual(await repository.listPacks(), [], 'packs')
        assertBytes(await readWhole(pack.pack), pack.packBytes, 'staged pack after the rejection')
        assertBytes(await readWhole(pack.index), pack.indexBytes, 'staged index after the rejection')
      }
      await unwanted.pack.discard()
      await unwanted.index.discard()
      const result = await repository.commit({ addPacks: [pack], refs: [edit(MAIN, direct(1))] })
      assertEqual(result.packsCommitted, true, 'packsCommitted of the second commit')
      await assertStored(repository, pack)
      assertEqual(await listPackNames(repository), [pack.name], 'packs')
    },
  ),
  scenario('when every edit is rejected no pack is dropped', async ({ createRepository }) => {
    const repository = await createRepository()
    const pack = await stagePack(repository, 1)
    await repository.commit({ addPacks: [pack] })
    const stale = edit(MAIN, direct(1), { kind: 'exists' })
    const result = await repository.commit({ dropPacks: [pack.name], refs: [stale] })
    assertEqual(result.packsCommitted, false, 'packsCommitted')
    await assertStored(repository, pack)
  }),
  scenario(
    'one applied edit among rejected ones is enough to commit packs, unless the commit is atomic',
    async ({ createRepository }) => {
      const repository = await createRepository()
      const pack = await stagePack(repository, 1)
      const refs = [edit('refs/heads/a', direct(1)), edit('refs/heads/b', direct(1), { kind: 'exists' })]
      const none = await repository.commit({ addPacks: [pack], refs, atomic: true })
      assertEqual(none.packsCommitted, false, 'packsCommitted of the atomic commit')
      assertEqual(await repository.listPacks(), [], 'packs')
      assertEqual(await readTarget(repository, 'refs/heads/a'), null, 'refs/heads/a')
      const some = await repository.commit({ addPacks: [pack], refs })
      assertEqual(some.packsCommitted, true, 'packsCommitted')
      await assertStored(repository, pack)
      assertEqual(await readTarget(repository, 'refs/heads/a'), direct(1), 'refs/heads/a')
    },
  ),
  scenario('a pack that is added again keeps its old bytes', async ({ createRepository }) => {
    const repository = await createRepository()
    const first = await stagePack(repository, 1)
    const second = await stagePack(repository, 1, 1)
    await repository.commit({ addPacks: [first] })
    const open = await repository.openPackFile(first.name, 'pack')
    const result = await repository.commit({ addPacks: [second], refs: [edit(MAIN, direct(1))] })
    assertEqual(result.packsCommitted, true, 'packsCommitted')
    assertEqual(await readTarget(repository, MAIN), direct(1), MAIN)
    await second.pack.discard()
    await second.index.discard()
    assertEqual(await listPackNames(repository), [first.name], 'packs')
    await assertStored(repository, first)
    assertBytes(await readWhole(open), first.packBytes, 'the file that was open')
    await open.close()
  }),
  scenario(
    'discarding or closing a staged file after its commit does no harm',
    async ({ createRepository }) => {
      const repository = await createRepository()
      const pack = await stagePack(repository, 1)
      await repository.commit({ addPacks: [pack] })
      await pack.pack.close()
      await pack.pack.discard()
      await pack.index.discard()
      await assertStored(repository, pack)
    },
  ),
  scenario(
    'a commit that names a discarded file is refused and changes nothing',
    async ({ createRepository }) => {
      const repository = await createRepository()
      const good = await stagePack(repository, 1)
      const bad = await stagePack(repository, 2)
      await bad.index.discard()
      const refs = [edit(MAIN, direct(1))]
      await assertRejects(() => repository.commit({ addPacks: [good, bad], refs }), undefined, 'the commit')
      assertEqual(await readTarget(repository, MAIN), null, MAIN)
      assertTrue(
        !(await listPackNames(repository)).includes(bad.name),
        `${bad.name} is listed without its index`,
      )
    },
  ),
  scenario(
    'a dropped pack is no longer listed or opened, and what was open reads true or not at all',
    async ({ createRepository, openRepository }) => {
      const repository = await createRepository()
      const packs = [await stagePack(repository, 1), await stagePack(repository, 2)] as const
      await repository.commit({ addPacks: packs })
      const open = await repository.openPackFile(packs[0].name, 'pack')
      await repository.commit({ dropPacks: [packs[0].name, samplePackName(99)] })
      for (const handle of [repository, await openRepository()]) {
        assertEqual(await listPackNames(handle), [packs[1].name], 'packs')
        await assertRejects(() => handle.openPackFile(packs[0].name, 'pack'), 'NOT_FOUND', 'opening its pack')
        await assertRejects(() => handle.openPackFile(packs[0].name, 'idx'), 'NOT_FOUND', 'opening its index')
        await assertStored(handle, packs[1])
      }
      try {
        assertBytes(await readWhole(open), packs[0].packBytes, 'the file that was open')
      } catch (error) {
        if (!isGitError(error, 'NOT_FOUND')) throw error
      }
      await open.close()
    },
  ),
  scenario(
    'one commit replaces packs by others, and a pack that it both adds and drops is there afterwards',
    async ({ createRepository }) => {
      const repository = await createRepository()
      const old = [await stagePack(repository, 1), await stagePack(repository, 2)] as const
      await repository.commit({ addPacks: old })
      const replacement = [await stagePack(repository, 3), await stagePack(repository, 2)] as const
      const dropPacks = old.map((pack) => pack.name)
      await repository.commit({ addPacks: replacement, dropPacks })
      assertEqual(await listPackNames(repository), [samplePackName(2), samplePackName(3)], 'packs')
      await assertStored(repository, replacement[0])
      await assertStored(repository, replacement[1])
    },
  ),
  scenario('packs with malformed names are refused and nothing changes', async ({ createRepository }) => {
    const repository = await createRepository()
    const checksum = 'a'.repeat(40)
    for (const name of [
      '',
      'pack',
      `pack-${checksum.slice(1)}`,
      `pack-${checksum}.pack`,
      `../pack-${checksum}`,
    ]) {
      const pack = await stagePack(repository, 1)
      const commit = { addPacks: [{ ...pack, name }], refs: [edit(MAIN, direct(1))] }
      await assertRejects(
        () => repository.commit(commit),
        'INVALID_ARGUMENT',
        `adding a pack named '${name}'`,
      )
    }
    assertEqual(await repository.listPacks(), [], 'packs')
    assertEqual(await readTarget(repository, MAIN), null, MAIN)
  }),
  scenario('a commit with malformed edits is refused as a whole', async ({ createRepository }) => {
    const repository = await createRepository()
    const pack = await stagePack(repository, 1)
    const good = edit('refs/heads/good', direct(1))
    const bad = [
      { edits: [good, good], code: 'INVALID_ARGUMENT' },
      { edits: [good, edit('HEAD', null)], code: 'INVALID_ARGUMENT' },
      { edits: [good, edit('refs/heads/a..b', direct(1))], code: 'INVALID_REF_NAME' },
      { edits: [good, edit('refs/../../config', direct(1))], code: 'INVALID_REF_NAME' },
      { edits: [good, edit('config', direct(1))], code: 'INVALID_REF_NAME' },
      {
        edits: [good, edit('refs/heads/a', { kind: 'symbolic', target: 'a\nb' })],
        code: 'INVALID_REF_NAME',
      },
      { edits: [good, edit('refs/heads/a', { kind: 'direct', id: 'abc' })], code: 'INVALID_ID' },
      {
        edits: [good, edit('refs/heads/a', { kind: 'direct', id: '0'.repeat(40) })],
        code: 'INVALID_ARGUMENT',
      },
    ] as const
    for (const { edits, code } of bad) {
      const what = `a commit with the edit ${JSON.stringify(edits[1])}`
      await assertRejects(() => repository.commit({ addPacks: [pack], refs: edits }), code, what)
    }
    assertEqual(await repository.listPacks(), [], 'packs')
    assertEqual(await repository.listRefs(''), [], 'refs')
    await repository.commit({ addPacks: [pack], refs: [good] })
    await assertStored(repository, pack)
  }),
  scenario('opening a pack that does not exist is NOT_FOUND', async ({ createRepository }) => {
    const repository = await createRepository()
    for (const kind of ['pack', 'idx'] as const) {
      await assertRejects(
        () => repository.openPackFile(samplePackName(1), kind),
        'NOT_FOUND',
        `opening its ${kind}`,
      )
    }
  }),
  scenario('freshening makes packs younger and ignores unknown names', async ({ createRepository }) => {
    const repository = await createRepository()
    const pack = await stagePack(repository, 1)
    await repository.commit({ addPacks: [pack] })
    const before = (await repository.listPacks())[0]?.modified ?? fail('the pack is not listed')
    await new Promise((resolve) => setTimeout(resolve, 30))
    await repository.freshenPacks([samplePackName(9), pack.name])
    const after = (await repository.listPacks())[0]?.modified ?? fail('the pack is not listed any more')
    assertTrue(after > before, `modified went from ${before} to ${after}, expected a later time`)
    assertEqual(await listPackNames(repository), [pack.name], 'packs')
    await assertStored(repository, pack)
  }),
  scenario(
    'a pack that was freshened since a moment is not dropped by who drops only what is older',
    async ({ createRepository, openRepository }) => {
      const repository = await createRepository()
      const old = await stagePack(repository, 1)
      const young = await stagePack(repository, 2)
      await repository.commit({ addPacks: [old, young] })
      await new Promise((resolve) => setTimeout(resolve, 30))
      const moment = Date.now()
      await new Promise((resolve) => setTimeout(resolve, 30))
      const other = await openRepository()
      await other.freshenPacks([young.name])
      const dropPacks = [old.name, young.name, samplePackName(9)]
      await repository.commit({ dropPacks, dropOnlyBefore: moment })
      for (const handle of [repository, other])
        assertEqual(await listPackNames(handle), [young.name], 'packs')
      await assertStored(other, young)
      await repository.commit({ dropPacks, dropOnlyBefore: Date.now() + 60_000 })
      assertEqual(await listPackNames(other), [], 'packs after all were dropped')
    },
  ),
  scenario('packs committed at the same time are all there', async ({ createRepository, openRepository }) => {
    const handles = [await createRepository(), await openRepository()] as const
    const numbers = Array.from({ length: 24 }, (_, at) => at)
    const packs = await Promise.all(
      numbers.map(async (number) => {
        const repository = handles[number % 2 === 0 ? 0 : 1]
        const pack = await stagePack(repository, number)
        await repository.commit({ addPacks: [pack], refs: [edit(`refs/heads/${number}`, direct(number))] })
        return pack
      }),
    )
    assertEqual(await listPackNames(handles[0]), numbers.map(samplePackName).sort(), 'packs')
    for (const pack of packs) await assertStored(handles[1], pack)
    assertEqual((await handles[0].listRefs('refs/heads/')).length, numbers.length, 'number of refs')
  }),
  scenario(
    'of packs with one name committed at the same time one is stored, whole',
    async ({ createRepository }) => {
      const repository = await createRepository()
      const variants = await Promise.all([0, 1, 2, 3, 4].map((variant) => stagePack(repository, 1, variant)))
      await Promise.all(variants.map((pack) => repository.commit({ addPacks: [pack] })))
      assertEqual(await listPackNames(repository), [samplePackName(1)], 'packs')
      const stored = await readPackFile(repository, samplePackName(1), 'pack')
      const winner = variants.find((variant) => variant.packBytes.length === stored.length)
      if (winner === undefined)
        fail(`the stored pack has ${stored.length} bytes, which none of those written had`)
      await assertStored(repository, winner)
    },
  ),
]

async function assertStored(repository: RepositoryStorage, pack: SamplePack): Promise<void> {
  assertBytes(await readPackFile(repository, pack.name, 'pack'), pack.packBytes, `${pack.name}.pack`)
  assertBytes(await readPackFile(repository, pack.name, 'idx'), pack.indexBytes, `${pack.name}.idx`)
}
