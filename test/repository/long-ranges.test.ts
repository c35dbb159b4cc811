import { randomBytes } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createNodeCodecs } from '../../src/codec/node/index.ts'
import { unwrapFrames } from '../../src/odb/framing.ts'
import { createMemoryBudget } from '../../src/odb/memory-budget.ts'
import { bandFraming } from '../../src/protocol/side-band.ts'
import { planPack } from '../../src/repository/outgoing-pack.ts'
import { openRepository } from '../../src/repository/repository.ts'
import { openBareRepository } from '../../src/storage/fs/index.ts'
import { git } from '../support/git.ts'
import { useScratch } from '../support/hooks.ts'
import { listPacks, listReachable } from '../support/repositories.ts'
import { acceptedByGit, idsOf } from './collect-pack.ts'

const scratch = useScratch()
const FRAMING = bandFraming(65520)

/** A repository with files that do not compress, in two packs of some megabytes. */
async function makeTwoPacks(): Promise<string> {
  const work = scratch.fresh('work')
  await mkdir(work, { recursive: true })
  await git(['init', '-q', '-b', 'main'], { cwd: work })
  for (const step of ['one', 'two']) {
    for (let file = 0; file < 5; file++) await writeFile(join(work, `${step}-${file}`), randomBytes(700_000))
    await git(['add', '.'], { cwd: work })
    await git(['commit', '-q', '-m', step], { cwd: work })
    await git(['repack', '-dq'], { cwd: work })
  }
  return join(work, '.git')
}

test('long ranges of stored packs are sent as they are, through the cache where it is large and past it where not', async () => {
  const path = await makeTwoPacks()
  expect(await listPacks(path)).toHaveLength(2)
  const tip = await git(['rev-parse', 'main'], { cwd: path })
  const reached = await listReachable(path, [tip])
  const packs: Buffer[] = []
  for (const budget of [256 << 20, 3 << 20]) {
    const storage = await openBareRepository(path)
    if (storage === undefined) throw new Error(`no repository at ${path}`)
    const repository = openRepository(storage, {
      codecs: createNodeCodecs(),
      memoryBudget: createMemoryBudget(budget),
    })
    for (let time = 0; time < 2; time++) {
      const view = await repository.openView()
      const nothing = { haves: [], clientShallow: [], shallow: [], unshallow: [], includeTags: [] }
      const plan = await planPack(view, { ...nothing, wants: [tip], thin: false, ofsDelta: true })
      const chunks: Uint8Array[] = []
      for await (const piece of plan.writeFramed?.(FRAMING) ?? [])
        chunks.push(...unwrapFrames(piece.slice(), FRAMING))
      packs.push(Buffer.concat(chunks))
      await view.close()
    }
    await repository.close()
  }
  const [first = Buffer.alloc(0)] = packs
  const empty = scratch.fresh('empty.git')
  await git(['init', '-q', '--bare', empty])
  expect(idsOf(await acceptedByGit(empty, first))).toEqual(reached)
  expect(packs.every((pack) => pack.equals(first))).toBe(true)
})
