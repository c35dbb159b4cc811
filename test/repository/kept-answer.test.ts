import { readFile } from 'node:fs/promises'
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { unwrapFrames, type Framing } from '../../src/odb/framing.ts'
import { bandFraming } from '../../src/protocol/side-band.ts'
import { planPack, type FetchPlan } from '../../src/repository/outgoing-pack.ts'
import type { IncludedTag } from '../../src/repository/whole-pack.ts'
import type { Repository } from '../../src/repository/repository.ts'
import { openOnDisk } from '../graph/views.ts'
import { git, gitLines } from '../support/git.ts'
import { createHistory } from '../support/histories.ts'
import { useScratch } from '../support/hooks.ts'
import { listPacks, listReachable } from '../support/repositories.ts'
import { acceptedByGit, idsOf } from './collect-pack.ts'

const scratch = useScratch()
const FRAMING = bandFraming(65520)

async function collect(pieces: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const piece of pieces) chunks.push(piece.slice())
  return Buffer.concat(chunks)
}

function unwrap(framed: Uint8Array, framing: Framing): Buffer {
  return Buffer.concat([...unwrapFrames(framed, framing)])
}

interface Clone {
  readonly plan: FetchPlan
  readonly pack: Buffer
  /** What it came in. */
  readonly pieces: readonly Uint8Array[]
}

/** Asks for everything that some tips reach, and takes the pack wrapped where that is possible. */
async function clone(
  repository: Repository,
  wants: readonly string[],
  framing = FRAMING,
  includeTags: readonly IncludedTag[] = [],
): Promise<Clone> {
  const view = await repository.openView()
  try {
    const nothing = { haves: [], clientShallow: [], shallow: [], unshallow: [] }
    const plan = await planPack(view, { ...nothing, includeTags, wants, thin: false, ofsDelta: true })
    const framed = plan.writeFramed?.(framing)
    const plain = await collect(plan.write())
    const pieces: Uint8Array[] = []
    for await (const piece of framed ?? []) pieces.push(piece)
    if (framed !== undefined) expect(unwrap(Buffer.concat(pieces), framing).equals(plain)).toBe(true)
    return { plan, pack: plain, pieces }
  } finally {
    await view.close()
  }
}

async function describeAll(repository: Repository): Promise<void> {
  const view = await repository.openView()
  await view.describeAll()
  await view.close()
}

async function emptyRepository(): Promise<string> {
  const path = scratch.fresh('empty.git')
  await git(['init', '-q', '--bare', path])
  return path
}

const tipsOf = (path: string): Promise<string[]> =>
  gitLines(['for-each-ref', '--format=%(objectname)'], { cwd: path })

describe('a stored pack', () => {
  let path = ''
  let tips: string[] = []

  beforeAll(async () => {
    path = await createHistory('source-like', scratch.fresh('whole'), { scale: 0.2 })
    await git(['repack', '-adfq'], { cwd: path })
    tips = await tipsOf(path)
  })

  test('is sent as it is to who asks for all that is in it, and to nobody else', async () => {
    const repository = await openOnDisk(path)
    await describeAll(repository)
    const [stored = ''] = await listPacks(path)
    const file = await readFile(`${stored}.pack`)
    const whole = await clone(repository, tips)
    expect(whole.pack.equals(file)).toBe(true)
    const small = await clone(repository, tips, bandFraming(1000))
    expect(small.pack.equals(file)).toBe(true)
    const wanted = [await git(['rev-parse', 'main~3'], { cwd: path })]
    const part = await clone(repository, wanted)
    expect(idsOf(await acceptedByGit(await emptyRepository(), part.pack))).toEqual(
      await listReachable(path, wanted),
    )
  })

  test('that has more than was asked for, or less, is not sent', async () => {
    const wider = scratch.fresh('wider.git')
    await git(['clone', '-q', '--mirror', path, wider])
    await git(['repack', '-adfq'], { cwd: wider })
    // Less: one commit more is in a pack of its own. It changes nothing in the tree.
    const commit = await git(['commit-tree', '-p', 'main', '-m', 'more', 'main^{tree}'], { cwd: wider })
    await git(['update-ref', 'refs/heads/main', commit], { cwd: wider })
    await git(['repack', '-dq'], { cwd: wider })
    const repository = await openOnDisk(wider)
    await describeAll(repository)
    for (const wants of [await tipsOf(wider), [commit], tips]) {
      const { pack } = await clone(repository, wants)
      expect(idsOf(await acceptedByGit(await emptyRepository(), pack))).toEqual(
        await listReachable(wider, wants),
      )
    }
    // More: the branch goes back, and what it had stays in the pack.
    await git(['repack', '-adq'], { cwd: wider })
    const again = await openOnDisk(wider)
    await describeAll(again)
    const less = (await tipsOf(wider)).filter((id) => id !== commit)
    const { pack } = await clone(again, less)
    expect(idsOf(await acceptedByGit(await emptyRepository(), pack))).toEqual(
      await listReachable(wider, less),
    )
  })
})

test('what is remembered of a request answers no other one', async () => {
  const path = await createHistory('merges', scratch.fresh('asked'), { scale: 0.1 })
  for (const [name, target] of [
    ['inner', 'main~2'],
    ['outer', 'refs/tags/inner'],
    ['late', 'main'],
  ] as const) {
    await git(['tag', '-a', '-m', name, name, target], { cwd: path })
  }
  await git(['repack', '-adfq'], { cwd: path })
  // One tag is not in the pack of what it names.
  await git(['tag', '-a', '-m', 'apart', 'apart', 'main~1'], { cwd: path })
  await git(['repack', '-dq'], { cwd: path })
  const fields = '--format=%(objectname) %(*objectname)'
  const refs = (await gitLines(['for-each-ref', fields], { cwd: path })).map((line) => line.split(' '))
  const tags = refs.filter(([, peeled]) => peeled !== '').map(([id = '', peeled = '']) => ({ id, peeled }))
  const tips = [...new Set(refs.map(([id = '']) => id))]
  const reached = new Map<string, readonly string[]>()
  for (const id of tips) reached.set(id, await listReachable(path, [id]))
  const repository = await openOnDisk(path)
  await describeAll(repository)
  const request = fc.record({
    wants: fc.oneof(fc.constant(tips), fc.subarray(tips, { minLength: 1 })),
    includeTags: fc.subarray(tags),
  })
  await fc.assert(
    fc.asyncProperty(request, async ({ wants, includeTags }) => {
      const expected = new Set(wants.flatMap((id) => reached.get(id) ?? []))
      for (const { id, peeled } of includeTags) {
        if (expected.has(peeled)) for (const one of reached.get(id) ?? []) expected.add(one)
      }
      for (let time = 0; time < 2; time++) {
        const { plan, pack } = await clone(repository, wants, FRAMING, includeTags)
        expect(plan.objectCount).toBe(expected.size)
        expect(pack.readUInt32BE(8)).toBe(expected.size)
      }
    }),
    { numRuns: 60 },
  )
})

describe('a pack that was made', () => {
  test('is kept for those who ask for the same, until the repository changes', async () => {
    const path = await createHistory('merges', scratch.fresh('kept'), { scale: 0.2 })
    await git(['repack', '-adq'], { cwd: path })
    const old = await git(['rev-parse', 'main~5'], { cwd: path })
    const repository = await openOnDisk(path)
    await describeAll(repository)
    const plain = await clone(repository, [old])
    const kept = [
      await clone(repository, [old]),
      await clone(repository, [old]),
      await clone(repository, [old]),
    ]
    expect(kept[0]?.pieces[0]).not.toBe(plain.pieces[0])
    for (const { plan, pack, pieces } of kept) {
      // Kept is what the second one got, and nothing is made any more.
      expect(pieces.length).toBeGreaterThan(0)
      expect(pieces.every((piece, at) => piece === kept[0]?.pieces[at])).toBe(true)
      expect(pack.equals(plain.pack)).toBe(true)
      expect({ ...plan }).toMatchObject({
        objectCount: plain.plan.objectCount,
        deltaCount: plain.plan.deltaCount,
        reusedCount: plain.plan.reusedCount,
      })
    }
    // Frames of another size are not what was kept, the pack is.
    expect((await clone(repository, [old], bandFraming(1000))).pack.equals(plain.pack)).toBe(true)
    const other = await git(['rev-parse', 'main~4'], { cwd: path })
    expect(
      idsOf(await acceptedByGit(await emptyRepository(), (await clone(repository, [other])).pack)),
    ).toEqual(await listReachable(path, [other]))
    // Another pack with the same objects: what is made of it has to be made anew.
    await git(['repack', '-adfq', '--depth=3'], { cwd: path })
    const later = await clone(repository, [old])
    expect(idsOf(await acceptedByGit(await emptyRepository(), later.pack))).toEqual(
      await listReachable(path, [old]),
    )
  })
})
