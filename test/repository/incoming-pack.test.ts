import { beforeAll, describe, expect, test } from 'vitest'
import { parseHex } from '../../src/bytes/hex.ts'
import type { FsckOptions } from '../../src/object/fsck.ts'
import { hasObject, readObject } from '../../src/object/object-reader.ts'
import type { RefEdit } from '../../src/refs/ref-edit.ts'
import type { IncomingPack, IncomingPackOptions } from '../../src/repository/incoming-pack.ts'
import type { Repository } from '../../src/repository/repository.ts'
import { createInMemory, inChunks, openOnDisk } from '../graph/views.ts'
import { readAllObjects, streamRevisions } from '../pack/git-packs.ts'
import { createHistory } from '../support/histories.ts'
import { git } from '../support/git.ts'
import { gitError } from '../support/git-error.ts'
import { useScratch } from '../support/hooks.ts'
import { encodeRawPack, rawCommit, rawObjectId, rawTree, type RawEntry } from '../support/raw-pack.ts'
import { findFaults, listLeftovers, listReachable, snapshotFiles } from '../support/repositories.ts'

const scratch = useScratch()
const MAIN = 'refs/heads/main'

function moveTo(name: string, id: string | null, expected?: string): RefEdit {
  return {
    name,
    expect: expected === undefined ? { kind: 'any' } : { kind: 'id', id: expected },
    target: id === null ? null : { kind: 'direct', id },
  }
}

function receive(
  repository: Repository,
  pack: Uint8Array,
  options: IncomingPackOptions = {},
): Promise<IncomingPack> {
  return repository.receivePack(inChunks(pack, 777), options)
}

async function isVisible(repository: Repository, id: string): Promise<boolean> {
  const view = await repository.openView()
  const present = await hasObject(view, parseHex(id))
  await view.close()
  return present
}

const blob = Buffer.from('a file\n')
const blobId = rawObjectId('blob', blob)
const tree = rawTree('file', blobId)
const treeId = rawObjectId('tree', tree)
const commit = rawCommit(treeId)
const commitId = rawObjectId('commit', commit)
const tag = Buffer.from(
  `object ${commitId}\ntype commit\ntag v1\ntagger A U Thor <a@example.com> 1600000000 +0000\n\nv1\n`,
)
const tagId = rawObjectId('tag', tag)
const child = rawCommit(treeId, [commitId], 'child\n')
const childId = rawObjectId('commit', child)
const base: readonly RawEntry[] = [
  { type: 'commit', body: commit },
  { type: 'tree', body: tree },
  { type: 'blob', body: blob },
]

describe('a pack in quarantine', () => {
  test('is seen by its own view only, until it is committed', async () => {
    const repository = await createInMemory()
    const incoming = await receive(repository, encodeRawPack(base))
    expect(incoming.objectCount).toBe(3)
    expect((await readObject(incoming.view, parseHex(blobId)))?.body).toEqual(new Uint8Array(blob))
    expect(await isVisible(repository, blobId)).toBe(false)
    expect(await repository.storage.listPacks()).toEqual([])
    const [outcome] = await incoming.commit([moveTo(MAIN, commitId)], { atomic: true })
    expect(outcome?.kind).toBe('applied')
    expect(await isVisible(repository, blobId)).toBe(true)
    expect(await repository.resolveRef(MAIN)).toBe(commitId)
    await incoming.discard()
    expect(await isVisible(repository, blobId)).toBe(true)
  })

  test('leaves nothing behind when it is discarded, as often as one likes', async () => {
    const path = scratch.fresh('discard.git')
    await git(['init', '-q', '--bare', path])
    const before = await snapshotFiles(path)
    const repository = await openOnDisk(path)
    const incoming = await receive(repository, encodeRawPack(base))
    await incoming.discard()
    await incoming.discard()
    expect(await snapshotFiles(path)).toEqual(before)
    expect(await isVisible(repository, blobId)).toBe(false)
  })

  test('leaves nothing behind when every ref edit is rejected', async () => {
    const path = scratch.fresh('rejected.git')
    await git(['init', '-q', '--bare', path])
    const repository = await openOnDisk(path)
    const incoming = await receive(repository, encodeRawPack(base))
    const outcomes = await incoming.commit([moveTo(MAIN, commitId, childId)], { atomic: false })
    expect(outcomes).toMatchObject([{ kind: 'rejected', rejection: { reason: 'stale' } }])
    expect(await isVisible(repository, blobId)).toBe(false)
    expect(await repository.storage.listPacks()).toEqual([])
    expect(await listLeftovers(path)).toEqual([])
  })

  test('a push without a pack still has a view and a commit', async () => {
    const repository = await createInMemory()
    await (await receive(repository, encodeRawPack(base))).commit([moveTo(MAIN, commitId)], { atomic: true })
    const incoming = await repository.receivePack(undefined)
    expect(incoming.objectCount).toBe(0)
    expect(await hasObject(incoming.view, parseHex(commitId))).toBe(true)
    expect(await incoming.findMissing([commitId])).toBeUndefined()
    await incoming.commit([moveTo(MAIN, null)], { atomic: true })
    expect(await repository.resolveRef(MAIN)).toBeUndefined()
  })

  test('an empty pack is no pack', async () => {
    const repository = await createInMemory()
    const incoming = await receive(repository, encodeRawPack([]))
    await incoming.commit([], { atomic: true })
    expect(await repository.storage.listPacks()).toEqual([])
  })
})

describe('a pack that is refused', () => {
  test.each<readonly [string, Uint8Array, string, IncomingPackOptions]>([
    ['cut short', encodeRawPack(base).subarray(0, 100), 'CORRUPT_PACK', {}],
    ['with a spoiled checksum', encodeRawPack(base, { spoilChecksum: true }), 'CORRUPT_PACK', {}],
    ['with a wrong count', encodeRawPack(base, { claimedCount: 4 }), 'CORRUPT_PACK', {}],
    ['of another version', encodeRawPack(base, { version: 4 }), 'UNSUPPORTED', {}],
    [
      'that lacks a base',
      encodeRawPack([{ type: 'ref-delta', base: blobId, delta: Buffer.of(7, 7, 0x90, 7) }]),
      'MISSING_BASE',
      {},
    ],
    ['too large', encodeRawPack(base), 'LIMIT_EXCEEDED', { maxPackBytes: 100 }],
  ])('because it is %s leaves nothing behind', async (_what, pack, code, options) => {
    const path = scratch.fresh('refused.git')
    await git(['init', '-q', '--bare', path])
    const before = await snapshotFiles(path)
    const repository = await openOnDisk(path)
    await expect(receive(repository, pack, options)).rejects.toMatchObject({ code })
    expect(await snapshotFiles(path)).toEqual(before)
  })

  test('by a source that fails passes on why', async () => {
    const repository = await createInMemory()
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield encodeRawPack(base).subarray(0, 50)
      await Promise.reject(new Error('peer went away'))
    }
    await expect(repository.receivePack(failing())).rejects.toThrow('peer went away')
  })

  test('by fsck names the object and the rule; without fsck it is taken', async () => {
    const bad = Buffer.from(commit.toString().replace('author A U Thor <', 'author A U Thor '))
    const badId = rawObjectId('commit', bad)
    const entries: readonly RawEntry[] = [{ type: 'commit', body: bad }, ...base.slice(1)]
    const repository = await createInMemory()
    const fsck: FsckOptions = {}
    await expect(receive(repository, encodeRawPack(entries), { fsck })).rejects.toMatchObject({
      code: 'FSCK',
      details: { id: badId },
    })
    await expect(receive(repository, encodeRawPack(base), { fsck })).resolves.toMatchObject({
      objectCount: 3,
    })
    await expect(receive(repository, encodeRawPack(entries))).resolves.toMatchObject({ objectCount: 3 })
  })

  test('by fsck for what a special file says, wherever in the pack it is', async () => {
    const modules = Buffer.from('[submodule "x"]\n\tpath = x\n\turl = -u./payload\n')
    const root = rawTree('.gitmodules', rawObjectId('blob', modules))
    const top = rawCommit(rawObjectId('tree', root))
    const entries: RawEntry[] = [
      { type: 'commit', body: top },
      { type: 'tree', body: root },
      { type: 'blob', body: modules },
    ]
    for (const order of [entries, [...entries].reverse()]) {
      const repository = await createInMemory()
      await expect(receive(repository, encodeRawPack(order), { fsck: {} })).rejects.toMatchObject({
        code: 'FSCK',
        details: { id: rawObjectId('blob', modules) },
      })
    }
  })
})

describe('findMissing', () => {
  async function missingFrom(entries: readonly RawEntry[], tips: readonly string[]): Promise<unknown> {
    const repository = await createInMemory()
    const incoming = await receive(repository, encodeRawPack(entries))
    const missing = await incoming.findMissing(tips)
    await incoming.discard()
    return missing
  }
  const entry = { commit: base[0]!, tree: base[1]!, blob: base[2]! }
  const tagged: RawEntry = { type: 'tag', body: tag }

  test.each<readonly [string, readonly RawEntry[], string, unknown]>([
    ['nothing', base, commitId, undefined],
    ['nothing behind a tag', [...base, tagged], tagId, undefined],
    ['a tip', [entry.tree, entry.blob], commitId, { missing: commitId }],
    ['a tree', [entry.commit, entry.blob], commitId, { missing: treeId, neededBy: commitId }],
    ['a blob', [entry.commit, entry.tree], commitId, { missing: blobId, neededBy: treeId }],
    [
      'a parent',
      [{ type: 'commit', body: child }, entry.tree, entry.blob],
      childId,
      { missing: commitId, neededBy: childId, type: 'commit' },
    ],
    ['what a tag names', [tagged, entry.tree, entry.blob], tagId, { missing: commitId, neededBy: tagId }],
  ])('finds %s', async (_what, entries, tip, expected) => {
    const missing = await missingFrom(entries, [tip])
    if (expected === undefined) expect(missing).toBeUndefined()
    else expect(missing).toMatchObject(expected as object)
  })

  test('takes what refs reach as complete, and looks no further', async () => {
    const repository = await createInMemory()
    // A history whose tree and blob are nowhere; somebody made a ref on it all the same.
    const broken = await receive(repository, encodeRawPack([entry.commit]))
    await broken.commit([moveTo(MAIN, commitId)], { atomic: true })
    const leaf = rawTree('leaf', rawObjectId('blob', Buffer.from('leaf\n')))
    const next = rawCommit(rawObjectId('tree', leaf), [commitId])
    const whole: RawEntry[] = [
      { type: 'commit', body: next },
      { type: 'tree', body: leaf },
      { type: 'blob', body: Buffer.from('leaf\n') },
    ]
    const nextId = rawObjectId('commit', next)
    const incoming = await receive(repository, encodeRawPack(whole))
    expect(await incoming.findMissing([nextId])).toBeUndefined()
    expect(await incoming.findMissing([commitId])).toBeUndefined()
    await incoming.discard()
    const named = Buffer.from(tag.toString().replace(commitId, nextId))
    const withTag = await receive(repository, encodeRawPack([...whole, { type: 'tag', body: named }]))
    expect(await withTag.findMissing([rawObjectId('tag', named)])).toBeUndefined()
    await withTag.discard()
    const partial = await receive(repository, encodeRawPack(whole.slice(0, 2)))
    expect(await partial.findMissing([nextId])).toMatchObject({
      missing: rawObjectId('blob', Buffer.from('leaf\n')),
    })
    await partial.discard()
  })
})

describe('pushing a real history in steps', () => {
  let source = ''
  beforeAll(async () => {
    source = await createHistory('source-like', scratch.fresh('source'), { scale: 0.15 })
  })

  test.each(['disk', 'memory'])(
    'into a repository in %s keeps every object, thin packs completed',
    async (where) => {
      const path = scratch.fresh('pushed.git')
      await git(['init', '-q', '--bare', path])
      const repository = where === 'disk' ? await openOnDisk(path) : await createInMemory()
      const steps = ['main~12', 'main~5', 'main~1', 'main']
      for (const [at, step] of steps.entries()) {
        const exclude = at === 0 ? [] : [`^${steps[at - 1]!}`]
        const pack = await streamRevisions(source, ['--thin', '--delta-base-offset'], [step, ...exclude])
        const tip = await git(['rev-parse', step], { cwd: source })
        const incoming = await receive(repository, pack, { fsck: {} })
        expect(await incoming.findMissing([tip])).toBeUndefined()
        const [outcome] = await incoming.commit([moveTo(MAIN, tip)], { atomic: true })
        expect(outcome?.kind).toBe('applied')
      }
      const view = await repository.openView()
      const objects = await readAllObjects(source)
      for (const id of await listReachable(source, ['main'])) {
        const object = await readObject(view, parseHex(id))
        expect(Buffer.compare(object?.body ?? Buffer.of(), objects.get(id)!.body)).toBe(0)
      }
      const [old, tip] = [
        await git(['rev-parse', 'main~5'], { cwd: source }),
        await git(['rev-parse', 'main'], { cwd: source }),
      ]
      expect(await repository.isAncestor(view, old, tip)).toBe(true)
      expect(await repository.isAncestor(view, tip, old)).toBe(false)
      await view.close()
      if (where === 'disk') expect(await findFaults(path)).toEqual([])
      const late = await receive(repository, encodeRawPack([{ type: 'blob', body: Buffer.from('late') }]))
      expect(await isVisible(repository, tip)).toBe(true)
      await late.discard()
      await expect(receive(repository, Buffer.from('not a pack at all, sorry'))).rejects.toThrow(
        gitError('CORRUPT_PACK'),
      )
    },
  )
})
