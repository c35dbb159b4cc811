import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { encodeHex, parseHex } from '../../src/bytes/hex.ts'
import { createNodeCodecs } from '../../src/codec/node/index.ts'
import { enumerateObjects, type Enumeration } from '../../src/graph/enumerate-objects.ts'
import type { ObjectSource } from '../../src/graph/object-source.ts'
import { INCLUDED } from '../../src/graph/reachability-marks.ts'
import { ReachabilitySet } from '../../src/graph/reachability-set.ts'
import { objectFormat } from '../../src/object/object-format.ts'
import { createMemoryBudget } from '../../src/odb/memory-budget.ts'
import { ObjectDatabase } from '../../src/odb/object-database.ts'
import { openBareRepository } from '../../src/storage/fs/index.ts'
import { gitLines, git } from '../support/git.ts'
import { createHistory, HISTORY_NAMES } from '../support/histories.ts'
import { createRandom } from '../support/random.ts'
import { listReachable } from '../support/repositories.ts'

const codecs = createNodeCodecs()
const format = objectFormat('sha1', codecs)

function includedIds(enumeration: Enumeration): string[] {
  const { marks, objects } = enumeration
  const ids: string[] = []
  for (let ordinal = 0; ordinal < objects.size; ordinal++) ids.push(encodeHex(objects.view(ordinal)))
  marks.marks.forEach((pack, number) => {
    for (let position = 0; position < pack.length; position++) {
      if ((pack[position]! & INCLUDED) !== 0) ids.push(encodeHex(marks.set.id(number, position)))
    }
  })
  return ids.sort()
}

/** The same source as if nothing were written down: every tree is read. */
function unwritten(source: ObjectSource): ObjectSource {
  return {
    format: source.format,
    shallow: source.shallow,
    reachability: ReachabilitySet.of([]),
    tryRead: (id) => source.tryRead(id),
    tryHas: (id) => source.tryHas(id),
    tryType: (id) => source.tryType(id),
    trySize: (id) => source.trySize(id),
    settle: () => source.settle(),
  }
}

async function describeAll(path: string): Promise<ObjectDatabase> {
  const storage = await openBareRepository(path)
  if (storage === undefined) throw new Error(`no repository at ${path}`)
  const database = new ObjectDatabase(storage, format, codecs, createMemoryBudget(64 << 20))
  await database.openView().then((view) => view.close())
  database.describePacks()
  for (let attempt = 0; attempt < 20_000; attempt++) {
    const view = await database.openView()
    const packs = await storage.listPacks()
    const done = view.reachability.packs.length === packs.length
    await view.close()
    if (done) return database
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  throw new Error('not all packs were described')
}

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'packstone-reachability-'))
})
afterAll(async () => {
  await rm(folder, { recursive: true, force: true })
})

describe.each(HISTORY_NAMES)('on a history of shape %s', (name) => {
  test(
    'what is written down reaches what git reaches, in one pack and in several',
    { timeout: 300_000 },
    async () => {
      const path = await createHistory(name, join(folder, name), { seed: 7 })
      for (const packing of ['as imported', 'repacked', 'in several packs'] as const) {
        if (packing === 'repacked') await git(['repack', '-adfq', '--depth=50'], { cwd: path })
        if (packing === 'in several packs') await splitIntoPacks(path)
        const database = await describeAll(path)
        const view = await database.openView()
        const tips = await gitLines(['for-each-ref', '--format=%(objectname)'], { cwd: path })
        const wants = tips.map(parseHex)
        const all = await enumerateObjects(view, { wants, haves: [], verifyBlobs: true })
        expect(includedIds(all)).toEqual(await listReachable(path))
        if (packing !== 'as imported') expect(all.objects.size).toBe(0)

        const commits = await gitLines(['rev-list', '--all'], { cwd: path })
        const random = createRandom(11)
        // Everything that is there is included at once; for less, and for more that nothing asks for, there is a walk.
        const named = new Set(tips)
        if (packing !== 'as imported') expect(view.reachability.tips?.size).toBeLessThanOrEqual(named.size)
        for (const asked of [tips, [...tips, random.pick(commits)], tips.slice(1), tips.slice(0, -1)]) {
          const whole = await enumerateObjects(view, { wants: asked.map(parseHex), haves: [] })
          const ids = includedIds(whole)
          expect(ids).toEqual(asked.length === 0 ? [] : await listReachable(path, asked))
          expect(whole.marks.includedCount + whole.objects.size).toBe(ids.length)
        }
        for (let round = 0; round < 12; round++) {
          const have = random.pick(commits)
          const want = random.pick(commits)
          const request = { wants: [parseHex(want)], haves: [parseHex(have)] }
          const written = includedIds(await enumerateObjects(view, request))
          const read = includedIds(await enumerateObjects(unwritten(view), request))
          const needed = await listReachable(path, [want, `^${have}`])
          const reached = new Set(await listReachable(path, [want]))
          expect(new Set(written).size).toBe(written.length)
          // Never less than git finds necessary, never anything the want does not reach; reading trees may only find more.
          expect(needed.filter((id) => !written.includes(id))).toEqual([])
          expect(written.filter((id) => !reached.has(id))).toEqual([])
          expect(written.filter((id) => !read.includes(id))).toEqual([])
        }
        await view.close()
        await database.close()
      }
    },
  )
})

/** Adds packs that hold parts of history again, so that objects are in more than one pack and packs name objects of others. */
async function splitIntoPacks(path: string): Promise<void> {
  const commits = await gitLines(['rev-list', '--all'], { cwd: path })
  for (const at of [1, Math.floor(commits.length / 2)]) {
    const commit = commits[Math.min(at, commits.length - 1)]!
    await git(['pack-objects', '--revs', '--quiet', '--delta-base-offset', join(path, 'objects/pack/pack')], {
      cwd: path,
      input: `${commit}\n^${commits.at(-1)!}\n`,
    })
  }
}
