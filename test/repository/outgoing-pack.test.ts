import { readFile, writeFile } from 'node:fs/promises'
import { beforeAll, describe, expect, test } from 'vitest'
import { encodeHex } from '../../src/bytes/hex.ts'
import { hashObject } from '../../src/object/object-id.ts'
import { parseObjectType } from '../../src/object/object-type.ts'
import { planPack } from '../../src/repository/outgoing-pack.ts'
import type { Repository } from '../../src/repository/repository.ts'
import { createInMemory, inChunks, openOnDisk } from '../graph/views.ts'
import { encodeDelta, type Instruction } from '../delta/naive-delta.ts'
import { EntryHeader, OFS_DELTA } from '../../src/pack/entry-header.ts'
import { readAllObjects } from '../pack/git-packs.ts'
import { rawPack } from '../pack/raw-entries.ts'
import { createHistory } from '../support/histories.ts'
import { git, gitFails, gitLines } from '../support/git.ts'
import { useScratch } from '../support/hooks.ts'
import { encodeRawPack, rawCommit, rawObjectId } from '../support/raw-pack.ts'
import { listPacks, listReachable } from '../support/repositories.ts'
import { acceptedByGit, collectPack, idsOf } from './collect-pack.ts'

const scratch = useScratch()

async function emptyRepository(): Promise<string> {
  const path = scratch.fresh('empty.git')
  await git(['init', '-q', '--bare', path])
  return path
}

async function receiveInto(repository: Repository, pack: Uint8Array): Promise<void> {
  const incoming = await repository.receivePack(inChunks(pack))
  await incoming.commit([], { atomic: false })
}

describe('a pack planned from a repository of git', () => {
  let path = ''
  let main = ''
  let old = ''
  let all: string[] = []

  beforeAll(async () => {
    path = await createHistory('source-like', scratch.fresh('outgoing'), { scale: 0.25 })
    await git(['repack', '-adfq', '--depth=20'], { cwd: path })
    main = await git(['rev-parse', 'main'], { cwd: path })
    old = await git(['rev-parse', 'main~12'], { cwd: path })
    all = await listReachable(path)
  })

  const everything = async (): Promise<string[]> =>
    gitLines(['for-each-ref', '--format=%(objectname)'], { cwd: path })

  test('that holds everything is the stored file, byte for byte', async () => {
    const repository = await openOnDisk(path)
    const { plan, pack } = await collectPack(repository, { wants: await everything() })
    const [stored = ''] = await listPacks(path)
    expect(pack.equals(await readFile(`${stored}.pack`))).toBe(true)
    expect(plan.objectCount).toBe(all.length)
    expect(plan.reusedCount).toBe(all.length)
    expect(plan.deltaCount).toBeGreaterThan(0)
    expect(plan.reusedDeltaCount).toBe(plan.deltaCount)
  })

  test('for a client without ofs-deltas has none, and the same objects', async () => {
    const repository = await openOnDisk(path)
    const { plan, pack } = await collectPack(repository, { wants: await everything(), ofsDelta: false })
    const entries = await acceptedByGit(await emptyRepository(), pack)
    expect(idsOf(entries)).toEqual(all)
    expect(entries.filter(({ base }) => base !== undefined)).toHaveLength(plan.deltaCount)
    expect(pack.readUInt32BE(8)).toBe(plan.objectCount)
    const parsed = new EntryHeader()
    const types = new Set<number>()
    const verified = await gitLines(['show-index'], { input: await indexOf(pack) })
    for (const line of verified) {
      parsed.parse(pack, Number(line.split(' ')[0]), pack.length, 20)
      types.add(parsed.type)
    }
    expect(types.has(OFS_DELTA)).toBe(false)
  })

  async function indexOf(pack: Uint8Array): Promise<Buffer> {
    const file = scratch.fresh('plain.pack')
    await writeFile(file, pack)
    await git(['index-pack', '-o', `${file}.idx`, file], { cwd: scratch.path })
    return readFile(`${file}.idx`)
  }

  test('for a client with history holds what it lacks and completes only with what it has', async () => {
    const repository = await openOnDisk(path)
    const has = await listReachable(path, [old])
    const needed = (await listReachable(path, [main])).filter((id) => !has.includes(id))
    for (const thin of [false, true]) {
      const { plan, pack } = await collectPack(repository, { wants: [main], haves: [old], thin })
      const client = scratch.fresh('client.git')
      await git(['init', '-q', '--bare', client])
      await git(['-c', 'uploadpack.allowAnySHA1InWant=true', 'fetch', '-q', path, `${old}:refs/heads/old`], {
        cwd: client,
      })
      const entries = await acceptedByGit(client, pack, thin ? ['--fix-thin'] : [])
      expect(needed.filter((id) => !idsOf(entries).includes(id))).toEqual([])
      expect(pack.readUInt32BE(8)).toBe(plan.objectCount)
      await git(['update-ref', 'refs/heads/main', main], { cwd: client })
      expect(await git(['fsck', '--full', '--strict', '--no-dangling'], { cwd: client })).toBe('')
      if (!thin) continue
      expect(plan.objectCount).toBeLessThan(entries.length)
      const without = await gitFails(['index-pack', '--stdin', '--fix-thin'], {
        cwd: await emptyRepository(),
        input: pack,
      })
      expect(without).toContain('unresolved delta')
    }
  })

  test('holds tags that name what is sent, when asked to include them', async () => {
    const repository = await openOnDisk(path)
    const view = await repository.openView()
    const refs = await repository.listAdvertisedRefs(view)
    await view.close()
    const includeTags = refs.flatMap(({ id, peeled }) => (peeled === undefined ? [] : [{ id, peeled }]))
    expect(includeTags.length).toBeGreaterThan(0)
    const { pack } = await collectPack(repository, { wants: [main], includeTags })
    const ids = idsOf(await acceptedByGit(await emptyRepository(), pack))
    expect(ids).toEqual(
      [...new Set([...(await listReachable(path, [main])), ...includeTags.map(({ id }) => id)])].sort(),
    )
    const { pack: later } = await collectPack(repository, {
      wants: [old],
      includeTags: [{ id: includeTags[0]!.id, peeled: main }],
    })
    expect(idsOf(await acceptedByGit(await emptyRepository(), later))).toEqual(
      await listReachable(path, [old]),
    )
  })

  test('for a shallow client ends at its boundary, and goes on where that is lifted', async () => {
    const repository = await openOnDisk(path)
    const parent = await git(['rev-parse', 'main~1'], { cwd: path })
    const { pack } = await collectPack(repository, { wants: [main], shallow: [main] })
    const target = await emptyRepository()
    const first = idsOf(await acceptedByGit(target, pack, []))
    expect(first).toEqual([...new Set([main, ...(await listReachable(path, [`${main}^{tree}`]))])].sort())
    const { pack: rest } = await collectPack(repository, {
      wants: [main],
      haves: [main],
      clientShallow: [main],
      unshallow: [main],
      thin: true,
    })
    const second = idsOf(await acceptedByGit(target, rest, ['--fix-thin']))
    expect(second).toContain(parent)
    expect(new Set([...first, ...second])).toEqual(new Set(await listReachable(path, [main])))
  })

  test('of nothing is an empty pack', async () => {
    const repository = await openOnDisk(path)
    const { plan, pack } = await collectPack(repository, { wants: [main], haves: [main] })
    expect(plan).toMatchObject({ objectCount: 0, deltaCount: 0, reusedCount: 0 })
    expect(pack.length).toBe(32)
    await acceptedByGit(await emptyRepository(), pack)
  })

  test('mixes packs and loose objects', async () => {
    const mixed = scratch.fresh('mixed.git')
    await git(['clone', '-q', '--bare', path, mixed])
    await git(['-c', 'transfer.unpackLimit=0', 'fetch', '-q', path, 'refs/heads/*:refs/heads/*'], {
      cwd: mixed,
    })
    const blob = await git(['hash-object', '-w', '--stdin'], { cwd: mixed, input: 'a loose file\n' })
    const tree = await git(['mktree'], { cwd: mixed, input: `100644 blob ${blob}\tloose\n` })
    const commit = await git(['commit-tree', '-p', main, '-m', 'loose', tree], { cwd: mixed })
    await git(['update-ref', 'refs/heads/main', commit], { cwd: mixed })
    const repository = await openOnDisk(mixed)
    const { plan, pack } = await collectPack(repository, { wants: [commit] })
    expect(idsOf(await acceptedByGit(await emptyRepository(), pack))).toEqual(
      await listReachable(mixed, [commit]),
    )
    expect(plan.reusedCount).toBe(plan.objectCount - 3)
  })

  test('names a want that is missing, and ends when it is told to', async () => {
    const repository = await openOnDisk(path)
    const absent = '12'.repeat(20)
    await expect(collectPack(repository, { wants: [absent] })).rejects.toMatchObject({
      code: 'MISSING_OBJECT',
      details: { id: absent },
    })
    const view = await repository.openView()
    const controller = new AbortController()
    const request = {
      wants: [main],
      haves: [],
      clientShallow: [],
      shallow: [],
      unshallow: [],
      thin: false,
      ofsDelta: true,
      includeTags: [],
    }
    const plan = await planPack(view, request, { signal: controller.signal })
    const writing = plan.write()[Symbol.asyncIterator]()
    await writing.next()
    controller.abort(new Error('client went away'))
    await expect(
      (async () => {
        while ((await writing.next()).done !== true);
      })(),
    ).rejects.toThrow('client went away')
    await view.close()
  })

  test('is readable while the repository is repacked under it', async () => {
    const repository = await openOnDisk(path)
    const wants = await everything()
    const view = await repository.openView()
    await git(['repack', '-adfq', '--depth=4'], { cwd: path })
    const request = {
      wants,
      haves: [],
      clientShallow: [],
      shallow: [],
      unshallow: [],
      thin: false,
      ofsDelta: true,
      includeTags: [],
    }
    const plan = await planPack(view, request)
    await git(['repack', '-adfq', '--depth=9'], { cwd: path })
    const chunks: Uint8Array[] = []
    for await (const chunk of plan.write()) chunks.push(chunk)
    await view.close()
    expect(idsOf(await acceptedByGit(await emptyRepository(), Buffer.concat(chunks)))).toEqual(all)
  })
})

describe('a pack planned from several packs', () => {
  const one = Buffer.from('one, and some more words to copy')
  const two = Buffer.from('one, and some more words to copy, and two')
  const oneId = rawObjectId('blob', one)
  const twoId = rawObjectId('blob', two)
  const shorten: Instruction[] = [{ kind: 'copy', offset: 0, size: one.length }]
  const lengthen: Instruction[] = [...shorten, { kind: 'insert', bytes: Buffer.from(', and two') }]
  const tree = Buffer.concat([
    Buffer.from('100644 one\0'),
    Buffer.from(oneId, 'hex'),
    Buffer.from('100644 two\0'),
    Buffer.from(twoId, 'hex'),
  ])
  const treeId = rawObjectId('tree', tree)
  const commit = rawCommit(treeId)
  const commitId = rawObjectId('commit', commit)
  const head = [
    { type: 'commit', body: commit },
    { type: 'tree', body: tree },
  ] as const

  test.each([true, false])(
    'that hold two objects as deltas on each other has no circle (ofs-deltas: %s)',
    async (ofsDelta) => {
      // Each pack is complete by itself; the third makes both blobs be found in the packs where they are deltas.
      const packs = [
        rawPack([
          ...head,
          { type: 'blob', body: one },
          { type: 'ofs-delta', base: 2, body: encodeDelta(one, lengthen) },
        ]),
        rawPack([
          { type: 'blob', body: two },
          { type: 'ofs-delta', base: 0, body: encodeDelta(two, shorten) },
        ]),
      ]
      for (const order of [packs, [...packs].reverse()]) {
        const repository = await createInMemory()
        for (const pack of order) await receiveInto(repository, pack)
        const { pack } = await collectPack(repository, { wants: [commitId], ofsDelta })
        expect(idsOf(await acceptedByGit(await emptyRepository(), pack, []))).toEqual(
          [oneId, twoId, treeId, commitId].sort(),
        )
      }
    },
  )

  test('gives every object once, wherever its copies are', async () => {
    const path = await createHistory('merges', scratch.fresh('several'), { scale: 0.15 })
    const objects = await readAllObjects(path)
    const ids = [...objects.keys()]
    const repository = await createInMemory()
    for (let part = 0; part < 4; part++) {
      const chosen = ids.filter((_, at) => at % 4 === part || at % 7 === part)
      const entries = chosen.map((id) => {
        const { type, body } = objects.get(id)!
        expect(encodeHex(hashObject(parseObjectType(type), body, repository.format))).toBe(id)
        return { type, body }
      })
      await receiveInto(repository, encodeRawPack(entries))
    }
    const wants = await gitLines(['for-each-ref', '--format=%(objectname)'], { cwd: path })
    const { plan, pack } = await collectPack(repository, { wants })
    expect(idsOf(await acceptedByGit(await emptyRepository(), pack))).toEqual(await listReachable(path))
    expect(plan.objectCount).toBe((await listReachable(path)).length)
  })
})
