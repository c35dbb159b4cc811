import { beforeAll, describe, expect, test } from 'vitest'
import { parseHex } from '../../../src/bytes/hex.ts'
import { findPath, parseTreePath } from '../../../src/repository/read/tree-path.ts'
import { openBlob } from '../../../src/repository/read/read-blob.ts'
import { readLog } from '../../../src/repository/read/read-log.ts'
import { readTyped } from '../../../src/repository/read/read-typed.ts'
import { resolveRevision } from '../../../src/repository/read/resolve-revision.ts'
import { BLOB, TREE } from '../../../src/object/object-type.ts'
import { FastImport } from '../../support/fast-import.ts'
import { git, gitBytes, gitLines } from '../../support/git.ts'
import { createHistory } from '../../support/histories.ts'
import { useScratch } from '../../support/hooks.ts'
import { openOnDisk } from '../../graph/views.ts'
import { collect } from '../../protocol/wire.ts'

const scratch = useScratch()

describe('a revision', () => {
  let path = ''
  beforeAll(async () => {
    path = scratch.fresh('revisions.git')
    await git(['init', '-q', '--bare', path])
    const stream = new FastImport()
    const first = stream.commit({ ref: 'refs/heads/main', message: 'first\n' })
    const second = stream.commit({ ref: 'refs/heads/topic/one', parents: [first], message: 'second\n' })
    const third = stream.commit({ ref: 'refs/notes/commits', parents: [], message: 'note\n' })
    stream.ref('refs/heads/both', first)
    stream.ref('refs/tags/both', second)
    stream.ref('refs/tags/light', second)
    stream.ref('refs/custom/x', third)
    stream.tag('annotated', second, 'a tag\n')
    await stream.run(path)
    await git(['tag', 'of-tree', 'main^{tree}'], { cwd: path })
    await git(['tag', '-a', '-m', 'nested', 'nested', 'annotated'], { cwd: path })
  })

  test('resolves as git resolves it, branches before tags', async () => {
    const repository = await openOnDisk(path)
    const view = await repository.openView()
    const tagObject = await git(['rev-parse', 'annotated'], { cwd: path })
    const noteId = await git(['rev-parse', 'refs/notes/commits'], { cwd: path })
    const resolvable = ['HEAD', 'main', 'topic/one', 'light', 'annotated', 'nested', 'refs/heads/main']
    resolvable.push('refs/tags/annotated', 'heads/main', 'tags/light', 'refs/notes/commits', 'custom/x')
    resolvable.push(tagObject, noteId)
    for (const revision of resolvable) {
      const expected = await git(['rev-parse', `${revision}^{commit}`], { cwd: path })
      expect([revision, await resolveRevision(repository.storage, view, revision)]).toEqual([
        revision,
        expected,
      ])
    }
    const branch = await git(['rev-parse', 'refs/heads/both'], { cwd: path })
    expect(await resolveRevision(repository.storage, view, 'both')).toBe(branch)
    await view.close()
  })

  test('that names no commit resolves to nothing', async () => {
    const repository = await openOnDisk(path)
    const view = await repository.openView()
    const tree = await git(['rev-parse', 'main^{tree}'], { cwd: path })
    const short = (await git(['rev-parse', 'main'], { cwd: path })).slice(0, 10)
    const upper = (await git(['rev-parse', 'main'], { cwd: path })).toUpperCase()
    const vain = ['', 'absent', 'main~1', 'main@{1}', 'HEAD^', short, upper, tree, 'of-tree', '0'.repeat(40)]
    vain.push('refs/heads', 'refs/', '/', '..', 'a b', '\ud800', 'refs/heads/main/x')
    for (const revision of vain) {
      expect([revision, await resolveRevision(repository.storage, view, revision)]).toEqual([
        revision,
        undefined,
      ])
    }
    await view.close()
  })
})

describe('a path', () => {
  test('leads to what git finds there, for every file and directory of odd and deep trees', async () => {
    for (const name of ['odd-names', 'deep-directories'] as const) {
      const path = await createHistory(name, scratch.fresh(`${name}.git`))
      const repository = await openOnDisk(path)
      const view = await repository.openView()
      const tree = await git(['rev-parse', 'HEAD^{tree}'], { cwd: path })
      const listed = (await gitBytes(['ls-tree', '-r', '-t', '-z', 'HEAD'], { cwd: path })).toString('latin1')
      const lines = listed.split('\0').slice(0, -1)
      expect(lines.length).toBeGreaterThan(5)
      for (const line of lines) {
        const [, mode, id, file = ''] = /^(\d+) \w+ ([0-9a-f]+)\t([^]*)$/.exec(line) ?? []
        const segments = file.split('/').map((segment) => new Uint8Array(Buffer.from(segment, 'latin1')))
        const entry = await findPath(view, parseHex(tree), segments)
        expect([file, entry?.mode.toString(8).padStart(6, '0'), entry?.id]).toEqual([file, mode, id])
      }
      await view.close()
    }
  })

  test('is taken apart without empty segments and dots, and refused with what leads elsewhere', () => {
    const texts = (path: string): string[] | undefined =>
      parseTreePath(path)?.map((one) => Buffer.from(one).toString())
    expect(texts('/a//./b/')).toEqual(['a', 'b'])
    expect(texts('')).toEqual([])
    expect(texts('a/../b')).toBeUndefined()
    expect(texts('a\0')).toBeUndefined()
    expect(texts('\ud800')).toBeUndefined()
  })
})

describe('an object', () => {
  test('is read when it has the expected type and size', async () => {
    const path = await createHistory('source-like', scratch.fresh('typed.git'))
    const repository = await openOnDisk(path)
    const view = await repository.openView()
    const tree = parseHex(await git(['rev-parse', 'HEAD^{tree}'], { cwd: path }))
    const size = Number(await git(['cat-file', '-s', 'HEAD^{tree}'], { cwd: path }))
    const found = await readTyped(view, tree, TREE, { maxBytes: size })
    expect(found.kind === 'found' && found.body.length).toBe(size)
    expect(await readTyped(view, tree, BLOB)).toEqual({ kind: 'wrong-type', type: 'tree' })
    expect(await readTyped(view, tree, TREE, { maxBytes: size - 1 })).toEqual({ kind: 'too-large', size })
    expect(await readTyped(view, new Uint8Array(20), TREE)).toEqual({ kind: 'absent' })
    await view.close()
  })

  test('streams as a blob, byte for byte, stored whole or as a delta, large or empty', async () => {
    const path = await createHistory('large-blobs', scratch.fresh('blobs.git'))
    await git(['repack', '-adfq', '--depth=5'], { cwd: path })
    const empty = await git(['hash-object', '-w', '--stdin'], { cwd: path, input: '' })
    const repository = await openOnDisk(path)
    const view = await repository.openView()
    const lines = await gitLines(['cat-file', '--batch-all-objects', '--batch-check'], { cwd: path })
    const blobs = lines.flatMap((line) => (line.split(' ')[1] === 'blob' ? [line.split(' ')[0] ?? ''] : []))
    expect(blobs).toContain(empty)
    for (const id of blobs) {
      const blob = await openBlob(view, parseHex(id))
      if (blob.kind !== 'found') throw new Error(`blob ${id} is ${blob.kind}`)
      const bytes = await collect(blob.read())
      const expected = await gitBytes(['cat-file', 'blob', id], { cwd: path })
      expect([id, blob.size, Buffer.from(bytes).equals(expected)]).toEqual([id, expected.length, true])
    }
    expect((await openBlob(view, new Uint8Array(20))).kind).toBe('absent')
    const commit = parseHex(await git(['rev-parse', 'HEAD'], { cwd: path }))
    expect(await openBlob(view, commit)).toEqual({ kind: 'wrong-type', type: 'commit' })
    await view.close()
  })
})

describe('the log', () => {
  test('is the chain of first parents as git lists it, with any limit and offset', async () => {
    const path = await createHistory('merges', scratch.fresh('log.git'))
    const repository = await openOnDisk(path)
    const view = await repository.openView()
    const format = '--format=%H %T %P|%an|%ae|%cn|%ce|%at|%ct'
    const expected = await gitLines(['log', '--first-parent', format, 'HEAD'], { cwd: path })
    const head = await git(['rev-parse', 'HEAD'], { cwd: path })
    const list = async (limit: number, offset: number): Promise<string[]> =>
      (await readLog(view, head, { limit, offset })).map((one) =>
        [
          `${one.id} ${one.tree} ${one.parents.join(' ')}`,
          ...[one.author.name, one.author.email, one.committer.name, one.committer.email],
          ...[one.authoredAt, one.committedAt],
        ].join('|'),
      )
    expect(await list(100_000, 0)).toEqual(expected)
    expect(await list(3, 2)).toEqual(expected.slice(2, 5))
    expect(await list(5, expected.length - 1)).toEqual(expected.slice(-1))
    expect(await list(5, expected.length + 7)).toEqual([])
    await view.close()
  })

  test('ends at a shallow boundary, and decodes texts by the commit’s encoding', async () => {
    const origin = scratch.fresh('encoded.git')
    await git(['init', '-q', '--bare', origin])
    const stream = new FastImport()
    const message = Buffer.from('gr\xfc\xdfe\n', 'latin1')
    stream.commit({ ref: 'refs/heads/main', message: 'root\n' })
    stream.commit({ ref: 'refs/heads/main', message: 'middle\n' })
    stream.commit({ ref: 'refs/heads/main', message, encoding: 'ISO-8859-1' })
    await stream.run(origin)
    const path = scratch.fresh('shallow.git')
    await git(['clone', '-q', '--bare', '--depth=2', `file://${origin}`, path])
    const repository = await openOnDisk(path)
    const view = await repository.openView()
    const head = await git(['rev-parse', 'HEAD'], { cwd: path })
    const log = await readLog(view, head, { limit: 10 })
    expect(log.map((one) => one.message)).toEqual(['grüße\n', 'middle\n'])
    await view.close()
  })
})
