import { copyFile, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { git, gitBytes, tryGit } from '../support/git.ts'
import { createHistory } from '../support/histories.ts'
import { listPacks, listReachable } from '../support/repositories.ts'
import { runPackstone } from './run-packstone.ts'

let top: string
let repository: string
/** Path of a pack of many deltas, without extension. */
let pack: string

beforeAll(async () => {
  top = await mkdtemp(join(tmpdir(), 'packstone-pack-'))
  repository = await createHistory('source-like', join(top, 'a.git'))
  await git(['repack', '-adfq', '--depth=50'], { cwd: repository })
  const [stored = ''] = await listPacks(repository)
  pack = join(top, 'copy')
  await copyFile(`${stored}.pack`, `${pack}.pack`)
})

afterAll(() => rm(top, { recursive: true, force: true }))

describe('index-pack', () => {
  it('writes the index that git writes, and prints what git prints', async () => {
    const expected = join(top, 'expected.idx')
    const printed = await gitBytes(['index-pack', '-o', expected, `${pack}.pack`])
    for (const args of [[], ['--portable'], ['--out', join(top, 'elsewhere.idx')]]) {
      const { code, stdout, stderr } = await runPackstone(['index-pack', `${pack}.pack`, ...args])
      expect([code, stdout.toString(), stderr]).toEqual([0, printed.toString(), ''])
      const out = args[1] ?? `${pack}.idx`
      expect((await readFile(out)).equals(await readFile(expected))).toBe(true)
      expect((await stat(out)).mode & 0o777).toBe(0o444)
    }
  })

  it('gives the same with several threads, and with collision detection', async () => {
    const expected = join(top, 'threads-expected.idx')
    await git(['index-pack', '-o', expected, `${pack}.pack`])
    const out = join(top, 'threads.idx')
    const detection = '--collision-detection'
    for (const args of [[], [detection], ['--threads', '3'], ['--threads', '2', '--portable', detection]]) {
      const { code, stderr } = await runPackstone(['index-pack', '--out', out, ...args, `${pack}.pack`])
      expect([code, stderr]).toEqual([0, ''])
      expect((await readFile(out)).equals(await readFile(expected))).toBe(true)
    }
  })

  it('leaves nothing behind when the pack is broken', async () => {
    const cut = join(top, 'cut.pack')
    await copyFile(`${pack}.pack`, cut)
    await truncate(cut, (await stat(cut)).size - 100)
    const before = await readdir(top)
    const { code, stdout, stderr } = await runPackstone(['index-pack', cut])
    expect([code, stdout.toString()]).toEqual([1, ''])
    expect(stderr).toMatch(/^packstone: .+\n$/)
    expect(await readdir(top)).toEqual(before)
  })

  it('knows packs of SHA-256 repositories', async () => {
    const sha256 = join(top, 'sha256.git')
    await git(['init', '--quiet', '--bare', '--object-format=sha256', sha256])
    await git(['hash-object', '-w', '--stdin'], { cwd: sha256, input: 'hello' })
    const name = await git(['pack-objects', '-q', join(top, 'sha256')], {
      cwd: sha256,
      input: await git(['cat-file', '--batch-all-objects', '--batch-check=%(objectname)'], { cwd: sha256 }),
    })
    const base = join(top, `sha256-${name}`)
    const expected = await readFile(`${base}.idx`)
    const args = ['index-pack', '--object-format', 'sha256', `${base}.pack`]
    const { code, stdout } = await runPackstone(args)
    expect([code, stdout.toString()]).toEqual([0, `${name}\n`])
    expect((await readFile(`${base}.idx`)).equals(expected)).toBe(true)
  })
})

describe('verify-pack', () => {
  beforeAll(() => git(['index-pack', `${pack}.pack`]))

  it('is silent about a good pack, and lists the same as git with -v and -s', async () => {
    // Without `--delta-base-offset` git writes deltas that name their base by its id.
    const name = await git(['pack-objects', '--all', '-q', join(top, 'ref-deltas')], { cwd: repository })
    for (const index of [`${pack}.idx`, join(top, `ref-deltas-${name}.idx`)]) {
      for (const args of [[], ['-v'], ['-s']]) {
        const expected = await tryGit(['verify-pack', ...args, index], { cwd: top })
        const { code, stdout, stderr } = await runPackstone(['verify-pack', ...args, index])
        expect([code, stdout.toString(), stderr]).toEqual([0, expected.stdout.toString(), ''])
      }
    }
  })

  it('fails for a pack or an index with one wrong byte', async () => {
    for (const extension of ['.pack', '.idx']) {
      const bad = join(top, `bad${extension.slice(1)}`)
      for (const each of ['.pack', '.idx']) await copyFile(pack + each, bad + each)
      const bytes = await readFile(bad + extension)
      const at = bytes.length >> 1
      bytes[at] = (bytes[at] ?? 0) ^ 1
      await rm(bad + extension)
      await writeFile(bad + extension, bytes)
      const { code, stdout, stderr } = await runPackstone(['verify-pack', '-v', `${bad}.idx`])
      expect([code, stdout.toString()]).toEqual([1, `${bad}.pack: bad\n`])
      expect(stderr).toMatch(/^packstone: .+\n$/)
    }
  })

  it('fails for an index that belongs to another pack', async () => {
    const other = join(top, 'other')
    await copyFile(`${pack}.idx`, `${other}.idx`)
    await git(['gc', '--quiet'], { cwd: repository })
    const one = await git(['pack-objects', '-q', other], {
      cwd: repository,
      input: await git(['rev-parse', 'HEAD'], { cwd: repository }),
    })
    await copyFile(`${other}-${one}.pack`, `${other}.pack`)
    const { code, stderr } = await runPackstone(['verify-pack', `${other}.idx`])
    expect([code, stderr]).toEqual([
      1,
      'packstone: the index does not fit its pack: it belongs to another pack\n',
    ])
  })
})

describe('ls-refs', () => {
  it('prints what git ls-remote prints', async () => {
    for (const shape of ['odd-refs', 'odd-objects'] as const) {
      const path = await createHistory(shape, join(top, `${shape}.git`))
      const expected = await gitBytes(['ls-remote', path])
      const { code, stdout, stderr } = await runPackstone(['ls-refs', path])
      expect([code, stdout.toString('latin1'), stderr]).toEqual([0, expected.toString('latin1'), ''])
    }
  })
})

describe('cat-file', () => {
  it('answers with what git answers, for ids, refs and what is not there', async () => {
    const ids = await git(['cat-file', '--batch-all-objects', '--batch-check=%(objectname)'], {
      cwd: repository,
    })
    const names = [
      'HEAD',
      'main',
      'refs/heads/main',
      'nothing',
      '',
      '0'.repeat(40),
      'not a name',
      ...ids.split('\n'),
    ]
    const input = names.join('\n') + '\n'
    for (const mode of ['--batch', '--batch-check']) {
      const expected = await gitBytes(['cat-file', mode], { cwd: repository, input })
      const { code, stdout, stderr } = await runPackstone(['cat-file', mode, repository], { input })
      expect([code, stderr]).toEqual([0, ''])
      expect(stdout.equals(expected)).toBe(true)
    }
  })

  it('finds the repository of a work tree', async () => {
    const tree = join(top, 'tree')
    await git(['clone', '--quiet', repository, tree])
    const { code, stdout } = await runPackstone(['cat-file', '--batch-check', tree], { input: 'HEAD\n' })
    const head = await git(['rev-parse', 'HEAD'], { cwd: repository })
    expect([code, stdout.toString().split(' ')[0]]).toEqual([0, head])
  })
})

describe('pack', () => {
  it('writes a pack of all that the refs reach, with the index that git makes for it', async () => {
    const out = join(top, 'out')
    const { code, stdout, stderr } = await runPackstone(['pack', '--all', repository, '--out-dir', out])
    expect([code, stderr]).toEqual([0, ''])
    const name = `pack-${stdout.toString().trim()}`
    expect((await readdir(out)).sort()).toEqual([`${name}.idx`, `${name}.pack`])
    const expected = join(top, 'pack-expected.idx')
    await git(['index-pack', '--strict', '-o', expected, join(out, `${name}.pack`)], { cwd: repository })
    expect((await readFile(join(out, `${name}.idx`))).equals(await readFile(expected))).toBe(true)
    const listing = await git(['show-index'], { input: await readFile(expected) })
    const packed = listing.split('\n').map((line) => line.split(' ')[1])
    expect(packed.sort()).toEqual(await listReachable(repository))
  })

  it('writes the same to standard output', async () => {
    const { code, stdout, stderr } = await runPackstone(['pack', '--all', '--stdout', repository])
    expect([code, stderr]).toEqual([0, ''])
    const empty = join(top, 'empty.git')
    await git(['init', '--quiet', '--bare', empty])
    await git(['index-pack', '--stdin', '--strict'], { cwd: empty, input: stdout })
    const objects = await git(['cat-file', '--batch-all-objects', '--batch-check=%(objectname)'], {
      cwd: empty,
    })
    expect(objects.split('\n')).toEqual(await listReachable(repository))
  })

  it('makes an empty pack of a repository without refs', async () => {
    const empty = join(top, 'unborn.git')
    await git(['init', '--quiet', '--bare', empty])
    const out = join(top, 'unborn')
    const { code, stdout } = await runPackstone(['pack', '--all', empty, '--out-dir', out])
    expect(code).toBe(0)
    const name = `pack-${stdout.toString().trim()}`
    expect((await readdir(out)).map((file) => basename(file)).sort()).toEqual([`${name}.idx`, `${name}.pack`])
  })
})
