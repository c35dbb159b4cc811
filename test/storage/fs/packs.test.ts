import { existsSync } from 'node:fs'
import { readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { deflateSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { parseHex, encodeHex } from '../../../src/bytes/hex.ts'
import { parseAlternates } from '../../../src/storage/fs/object-directories.ts'
import { git, tryGit } from '../../support/git.ts'
import { edit, makeBare, type BareFixture } from './fixture.ts'
import { packObjects, stagePack } from './pack-fixture.ts'

const LONG_AGO = new Date('2020-01-01T00:00:00Z')

/** Lets one repository borrow the objects of another. */
async function borrow(from: BareFixture, lines: readonly string[]): Promise<void> {
  await writeFile(join(from.path, 'objects/info/alternates'), lines.map((line) => `${line}\n`).join(''))
}

async function packNames(repository: {
  listPacks(): Promise<readonly { name: string }[]>
}): Promise<string[]> {
  return (await repository.listPacks()).map((pack) => pack.name).sort()
}

describe('packs', () => {
  test('a committed pack is git’s to read, read-only, and no .keep stays', async () => {
    const source = await makeBare()
    const bare = await makeBare({ commits: 0 })
    const [tip = ''] = source.ids
    const pack = await packObjects(source.path, [tip])
    const repository = await bare.open()
    await repository.commit({
      addPacks: [await stagePack(repository, pack)],
      refs: [edit('refs/heads/main', tip)],
    })
    expect(await bare.git('fsck', '--full', '--strict')).toBe('')
    expect(await bare.git('cat-file', '-t', 'main')).toBe('commit')
    const folder = join(bare.path, 'objects/pack')
    expect((await readdir(folder)).sort()).toEqual([`${pack.name}.idx`, `${pack.name}.pack`])
    expect((await stat(join(folder, `${pack.name}.pack`))).mode & 0o777).toBe(0o444)
    expect(await repository.listPacks()).toMatchObject([
      { name: pack.name, packSize: pack.pack.length, indexSize: pack.index.length },
    ])
  })

  test('a pack that is open stays readable while git gc deletes it', async () => {
    const bare = await makeBare()
    const [one = '', two = ''] = bare.ids
    await bare.git('update-ref', 'refs/heads/a', one)
    await bare.git('repack', '-adq')
    const repository = await bare.open()
    const [name = ''] = await packNames(repository)
    const file = await repository.openPackFile(name, 'pack')
    await bare.git('update-ref', 'refs/heads/b', two)
    await bare.git('repack', '-adq')
    expect(existsSync(join(bare.path, `objects/pack/${name}.pack`))).toBe(false)
    const [bytes = new Uint8Array()] = await file.read([{ offset: 0, length: 4 }])
    expect(Buffer.from(bytes).toString()).toBe('PACK')
    await file.close()
    await expect(repository.openPackFile(name, 'pack')).rejects.toMatchObject({ code: 'NOT_FOUND' })
    expect(await packNames(repository)).toHaveLength(1)
  })

  test('a pack that is there already is freshened, and a .keep that is not ours stays', async () => {
    const bare = await makeBare()
    const [one = ''] = bare.ids
    const pack = await packObjects(bare.path, [one])
    const repository = await bare.open()
    await repository.commit({ addPacks: [await stagePack(repository, pack)] })
    const path = join(bare.path, `objects/pack/${pack.name}`)
    await utimes(`${path}.pack`, LONG_AGO, LONG_AGO)
    await writeFile(`${path}.keep`, 'somebody else')
    await repository.commit({
      addPacks: [await stagePack(repository, pack)],
      refs: [edit('refs/heads/a', one)],
    })
    expect((await stat(`${path}.pack`)).mtimeMs).toBeGreaterThan(LONG_AGO.getTime())
    expect(await readFile(`${path}.keep`, 'utf8')).toBe('somebody else')
    await repository.commit({ dropPacks: [pack.name] })
    expect(await packNames(repository)).toEqual([pack.name])
    await rm(`${path}.keep`)
    await repository.commit({ dropPacks: [pack.name] })
    expect(await packNames(repository)).toEqual([])
    expect(
      (await readdir(join(bare.path, 'objects/pack'))).filter((file) => file.startsWith('tmp_')),
    ).toEqual([])
  })

  test('dropping packs takes with it the multi-pack-index that names them', async () => {
    const bare = await makeBare()
    const [one = '', two = ''] = bare.ids
    await bare.git('update-ref', 'refs/heads/a', one)
    await bare.git('repack', '-dq')
    await bare.git('update-ref', 'refs/heads/b', two)
    await bare.git('repack', '-dq')
    await bare.git('multi-pack-index', 'write')
    const repository = await bare.open()
    const old = await packNames(repository)
    expect(old).toHaveLength(2)
    const all = await packObjects(bare.path, [one, two])
    await repository.commit({ addPacks: [await stagePack(repository, all)], dropPacks: old })
    expect(await packNames(repository)).toEqual([all.name])
    expect((await tryGit(['fsck', '--full'], { cwd: bare.path })).code).toBe(0)
    expect(await bare.git('rev-list', '--count', '--all')).toBe('2')
  })

  test('a shared repository gets the permissions it asks for', async () => {
    const bare = await makeBare({ config: ['core.sharedRepository=group'] })
    const [one = ''] = bare.ids
    const pack = await packObjects(bare.path, [one])
    const repository = await bare.open()
    const mode = async (name: string): Promise<number> => (await stat(join(bare.path, name))).mode & 0o7777
    const before = process.umask(0o077)
    try {
      await repository.commit({
        addPacks: [await stagePack(repository, pack)],
        refs: [edit('refs/heads/deep/a', one)],
      })
    } finally {
      process.umask(before)
    }
    expect(await mode(`objects/pack/${pack.name}.pack`)).toBe(0o444)
    expect(await mode('refs/heads/deep/a')).toBe(0o660)
    expect(await mode('refs/heads/deep')).toBe(0o2770)
  })
})

describe('alternates', () => {
  test('packs and loose objects of alternates, and of theirs, are the repository’s too', async () => {
    const [far, near, bare] = [await makeBare(), await makeBare(), await makeBare({ commits: 0 })]
    for (const [at, from] of [far, near].entries()) {
      await from.git('update-ref', 'refs/heads/a', from.ids[at] ?? '')
      await from.git('repack', '-adq')
    }
    await borrow(bare, [
      '# comment',
      '',
      relative(join(bare.path, 'objects'), join(near.path, 'objects')),
      '/not/there',
    ])
    await borrow(near, [join(far.path, 'objects')])
    await borrow(far, [join(bare.path, 'objects')])
    const repository = await bare.open()
    const expected = [...(await packNames(await far.open())), ...(await packNames(await near.open()))]
    expect(new Set(await packNames(repository))).toEqual(new Set(expected))
    for (const name of expected) await (await repository.openPackFile(name, 'idx')).close()
    const loose = parseHex(far.ids[3] ?? '')
    expect(await repository.loose?.has(loose)).toBe(true)
    expect(await repository.loose?.read(loose)).toBeDefined()
    expect(await repository.loose?.list()).toHaveLength(0)
    expect(await bare.git('cat-file', '-t', encodeHex(loose))).toBe('commit')
  })

  test('deeper than six they are not followed, as in git', async () => {
    const chain = await Promise.all(Array.from({ length: 8 }, () => makeBare({ commits: 0 })))
    const blobs: string[] = []
    for (const [at, bare] of chain.entries()) {
      blobs.push(await git(['hash-object', '-w', '--stdin'], { cwd: bare.path, input: `at ${at}` }))
      const next = chain[at + 1]
      if (next !== undefined) await borrow(bare, [join(next.path, 'objects')])
    }
    const [first] = chain
    if (first === undefined) throw new Error('no chain')
    const repository = await first.open()
    for (const blob of blobs) {
      const known = await tryGit(['cat-file', '-e', blob], { cwd: first.path })
      expect(await repository.loose?.has(parseHex(blob))).toBe(known.code === 0)
    }
  })

  test('paths may be quoted', () => {
    expect(parseAlternates('"/a/\\303\\274 \\"x\\"\\n"\n#no\n\n/plain "path"\n"unfinished\n')).toEqual([
      '/a/ü "x"\n',
      '/plain "path"',
      '"unfinished',
    ])
  })
})

describe('loose objects', () => {
  test('are written where git finds them, listed in order, and freshened when they are there', async () => {
    const bare = await makeBare({ commits: 0 })
    const repository = await bare.open()
    const { loose } = repository
    if (loose === undefined) throw new Error('no loose objects')
    const ids: string[] = []
    for (let at = 0; at < 20; at++) {
      const body = `content ${at}`
      const id = await git(['hash-object', '--stdin'], { input: body })
      await loose.write(parseHex(id), deflateSync(`blob ${body.length}\0${body}`))
      expect(await bare.git('cat-file', 'blob', id)).toBe(body)
      ids.push(id)
    }
    ids.sort()
    const before = await bare.git('count-objects')
    await writeFile(join(bare.path, 'objects', (ids[0] ?? '').slice(0, 2), 'tmp_obj_abcdef'), '')
    expect(encodeHex(await loose.list())).toBe(ids.join(''))
    const [first = ''] = ids
    const path = join(bare.path, 'objects', first.slice(0, 2), first.slice(2))
    await utimes(path, LONG_AGO, LONG_AGO)
    await loose.write(parseHex(first), new Uint8Array([1]))
    expect((await stat(path)).mtimeMs).toBeGreaterThan(LONG_AGO.getTime())
    expect((await stat(path)).mode & 0o777).toBe(0o444)
    expect(await bare.git('count-objects')).toBe(before)
    await expect(loose.has(new Uint8Array(32))).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
  })

  test('few and many are told from absent ones, those of alternates too', async () => {
    const [bare, lender] = [await makeBare({ commits: 0 }), await makeBare({ commits: 0 })]
    await writeFile(join(bare.path, 'objects/info/alternates'), `${lender.path}/objects\n`)
    const present: string[] = []
    for (const [at, { path }] of [bare, lender, bare, lender].entries()) {
      present.push(await git(['hash-object', '-w', '--stdin'], { cwd: path, input: `content ${at}` }))
    }
    const { loose } = await bare.open()
    for (const count of [3, 256, 257, 2000]) {
      const absent = Array.from({ length: count }, (_, at) =>
        (at * 7919).toString(16).padStart(6, '0').padEnd(40, 'a'),
      )
      const ids = [...absent, ...present].sort()
      const found = await loose?.hasMany(parseHex(ids.join('')))
      expect(ids.filter((_, at) => found?.[at] === 1)).toEqual([...present].sort())
    }
  })

  test('a repository without objects/pack gets one when it needs it', async () => {
    const bare = await makeBare()
    const [one = ''] = bare.ids
    const pack = await packObjects(bare.path, [one])
    await rm(join(bare.path, 'objects/pack'), { recursive: true })
    const repository = await bare.open()
    expect(await repository.listPacks()).toEqual([])
    await repository.commit({ addPacks: [await stagePack(repository, pack)] })
    expect(await packNames(repository)).toEqual([pack.name])
  })
})
