import { existsSync } from 'node:fs'
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { git, tryGit } from '../../support/git.ts'
import { listLeftovers } from '../../support/repositories.ts'
import { direct, edit, listedRefs, makeBare, verdicts } from './fixture.ts'

describe('refs that git reads', () => {
  test('a created, an updated and a deleted ref are what git sees', async () => {
    const bare = await makeBare()
    const [one = '', two = ''] = bare.ids
    const repository = await bare.open()
    expect(await verdicts(repository, [edit('refs/heads/main', one, { kind: 'absent' })])).toEqual([
      'applied',
    ])
    expect(await verdicts(repository, [edit('refs/heads/deep/er/x', one)])).toEqual(['applied'])
    expect(await verdicts(repository, [edit('refs/heads/main', two, { kind: 'id', id: one })])).toEqual([
      'applied',
    ])
    expect(await bare.refs()).toEqual([`refs/heads/deep/er/x ${one}`, `refs/heads/main ${two}`])
    expect(await listedRefs(repository)).toEqual(await bare.refs())
    await verdicts(repository, [edit('refs/heads/deep/er/x', null)])
    expect(await bare.refs()).toEqual([`refs/heads/main ${two}`])
    expect(existsSync(join(bare.path, 'refs/heads/deep'))).toBe(false)
    expect(await listLeftovers(bare.path)).toEqual([])
  })

  test('loose over packed: the loose value counts, deletion removes both', async () => {
    const bare = await makeBare()
    const [one = '', two = ''] = bare.ids
    await bare.git('update-ref', 'refs/heads/main', one)
    await bare.git('pack-refs', '--all')
    await bare.git('update-ref', 'refs/heads/main', two)
    const repository = await bare.open()
    expect(await repository.readRefs(['refs/heads/main'])).toEqual([
      { name: 'refs/heads/main', target: direct(two) },
    ])
    expect(await verdicts(repository, [edit('refs/heads/main', null, { kind: 'id', id: two })])).toEqual([
      'applied',
    ])
    expect(await bare.refs()).toEqual([])
    expect(await repository.readRefs(['refs/heads/main'])).toEqual([undefined])
  })

  test('HEAD and symbolic refs, also as symbolic links, are read and written', async () => {
    const bare = await makeBare()
    const [one = ''] = bare.ids
    await symlink('refs/heads/main', join(bare.path, 'refs/heads/link'))
    const repository = await bare.open()
    expect(await repository.readRefs(['HEAD', 'refs/heads/link'])).toEqual([
      { name: 'HEAD', target: { kind: 'symbolic', target: 'refs/heads/main' } },
      { name: 'refs/heads/link', target: { kind: 'symbolic', target: 'refs/heads/main' } },
    ])
    await repository.commit({
      refs: [
        {
          name: 'HEAD',
          expect: { kind: 'exists' },
          target: { kind: 'symbolic', target: 'refs/heads/other' },
        },
        edit('refs/heads/other', one),
      ],
      atomic: true,
    })
    expect(await bare.git('symbolic-ref', 'HEAD')).toBe('refs/heads/other')
    expect(await bare.git('rev-parse', 'HEAD')).toBe(one)
  })

  test('deleting a symbolic ref does not bring back the packed ref it hides', async () => {
    const bare = await makeBare()
    const [one = ''] = bare.ids
    await bare.git('update-ref', 'refs/heads/x', one)
    await bare.git('pack-refs', '--all')
    await bare.git('symbolic-ref', 'refs/heads/x', 'refs/heads/main')
    const repository = await bare.open()
    expect(await verdicts(repository, [edit('refs/heads/x', null)])).toEqual(['applied'])
    expect((await tryGit(['rev-parse', '--verify', '-q', 'refs/heads/x'], { cwd: bare.path })).code).toBe(1)
    expect(existsSync(join(bare.path, 'refs/heads/x'))).toBe(false)
    expect(await readFile(join(bare.path, 'packed-refs'), 'utf8')).not.toContain('refs/heads/x')
  })

  test('files that are no refs are not listed; a broken ref is an error when asked for by name', async () => {
    const bare = await makeBare()
    const [one = ''] = bare.ids
    await bare.git('update-ref', 'refs/heads/broken', one)
    await bare.git('update-ref', 'refs/heads/good', one)
    await bare.git('pack-refs', '--all')
    await writeFile(join(bare.path, 'refs/heads/stale.lock'), '')
    await writeFile(join(bare.path, 'refs/heads/broken'), 'nonsense\n')
    await writeFile(join(bare.path, 'refs/heads/zero'), `${'0'.repeat(40)}\n`)
    const repository = await bare.open()
    expect(await listedRefs(repository)).toEqual([`refs/heads/good ${one}`])
    await expect(repository.readRefs(['refs/heads/broken'])).rejects.toMatchObject({ code: 'CORRUPT_REF' })
    await expect(repository.readRefs(['refs/heads/zero'])).rejects.toMatchObject({ code: 'CORRUPT_REF' })
    expect(await repository.readRefs(['config', 'objects/info', '../outside', 'refs/../config'])).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ])
  })

  test('empty directories that deleted refs left behind are no obstacle', async () => {
    const bare = await makeBare()
    const [one = ''] = bare.ids
    await mkdir(join(bare.path, 'refs/heads/a/b/c'), { recursive: true })
    await mkdir(join(bare.path, 'refs/heads/p/q'), { recursive: true })
    const repository = await bare.open()
    expect(await verdicts(repository, [edit('refs/heads/a', one)])).toEqual(['applied'])
    expect(await verdicts(repository, [edit('refs/heads/p', one), edit('refs/heads/z', one)], true)).toEqual([
      'applied',
      'applied',
    ])
    expect((await bare.refs()).map((line) => line.split(' ')[0])).toEqual([
      'refs/heads/a',
      'refs/heads/p',
      'refs/heads/z',
    ])
  })

  test('a name in the way of another is a conflict, whether loose or packed', async () => {
    const bare = await makeBare()
    const [one = ''] = bare.ids
    await bare.git('update-ref', 'refs/heads/packed/below', one)
    await bare.git('update-ref', 'refs/heads/packed-file', one)
    await bare.git('pack-refs', '--all')
    await bare.git('update-ref', 'refs/heads/loose/below', one)
    await bare.git('update-ref', 'refs/heads/loose-file', one)
    const repository = await bare.open()
    const names = ['packed', 'packed-file/below', 'loose', 'loose-file/below'].map(
      (name) => `refs/heads/${name}`,
    )
    const before = await bare.refs()
    for (const name of names) {
      expect(await verdicts(repository, [edit(name, one)])).toEqual(['name-conflict'])
      expect(await verdicts(repository, [edit(name, one), edit('refs/heads/new', one)], true)).toEqual([
        'name-conflict',
        'atomic',
      ])
    }
    expect(await bare.refs()).toEqual(before)
    expect(await listLeftovers(bare.path)).toEqual([])
  })

  test('edits that stand alone may make room for those after them', async () => {
    const bare = await makeBare()
    const [one = ''] = bare.ids
    await bare.git('update-ref', 'refs/heads/a', one)
    await bare.git('update-ref', 'refs/heads/x/y', one)
    const repository = await bare.open()
    expect(
      await verdicts(repository, [
        edit('refs/heads/a', null),
        edit('refs/heads/a/b', one),
        edit('refs/heads/x/y', null),
        edit('refs/heads/x', one),
        edit('refs/heads/x/z', one),
      ]),
    ).toEqual(['applied', 'applied', 'applied', 'applied', 'name-conflict'])
    expect(await bare.refs()).toEqual([`refs/heads/a/b ${one}`, `refs/heads/x ${one}`])
  })

  test('a lock of git makes an edit fail as locked, and only that one', async () => {
    const bare = await makeBare()
    const [one = ''] = bare.ids
    await writeFile(join(bare.path, 'refs/heads/a.lock'), '')
    const repository = await bare.open()
    expect(await verdicts(repository, [edit('refs/heads/a', one), edit('refs/heads/b', one)])).toEqual([
      'locked',
      'applied',
    ])
    expect(await verdicts(repository, [edit('refs/heads/a', one), edit('refs/heads/c', one)], true)).toEqual([
      'locked',
      'atomic',
    ])
    expect(await bare.refs()).toEqual([`refs/heads/b ${one}`])
  })

  test('a lock on packed-refs holds off what needs it', async () => {
    const bare = await makeBare({ config: ['core.packedRefsTimeout=50'] })
    const [one = ''] = bare.ids
    await bare.git('update-ref', 'refs/heads/a', one)
    await writeFile(join(bare.path, 'packed-refs.lock'), '')
    const repository = await bare.open()
    expect(await verdicts(repository, [edit('refs/heads/a', null), edit('refs/heads/b', one)])).toEqual([
      'locked',
      'applied',
    ])
    expect(existsSync(join(bare.path, 'packed-refs.lock'))).toBe(true)
  })
})

describe('packed-refs', () => {
  test('many edits go into one packed-refs, whose peeled values git agrees with', async () => {
    const bare = await makeBare()
    const [one = '', two = ''] = bare.ids
    await bare.git('tag', '-a', '-m', 'first', 'v1', one)
    await bare.git('update-ref', 'refs/heads/main', one)
    await bare.git('pack-refs', '--all')
    const tag = await bare.git('rev-parse', 'v1')
    const repository = await bare.open()
    const many = Array.from({ length: 200 }, (_, at) => edit(`refs/heads/topic/${at}`, two))
    expect(new Set(await verdicts(repository, many))).toEqual(new Set(['applied']))
    expect(await listedRefs(repository)).toEqual(await bare.refs())
    expect(existsSync(join(bare.path, 'refs/heads/topic'))).toBe(false)
    const [listed] = await repository.listRefs('refs/tags/')
    expect(listed).toEqual({ name: 'refs/tags/v1', target: direct(tag), peeled: one })
    const tags = Array.from({ length: 40 }, (_, at) => edit(`refs/tags/t${at}`, at % 2 === 0 ? tag : two))
    await verdicts(repository, tags)
    const peeled = await git(['for-each-ref', '--format=%(*objectname)', 'refs/tags/'], { cwd: bare.path })
    expect(peeled.split('\n').filter((line) => line === one)).toHaveLength(21)
    await bare.git('fsck', '--strict')
  })

  test('peeled values that the caller knows are kept, with the claim that all are known', async () => {
    const bare = await makeBare()
    const [one = ''] = bare.ids
    await bare.git('tag', '-a', '-m', 'first', 'v1', one)
    const tag = await bare.git('rev-parse', 'v1')
    const repository = await bare.open()
    const refs = [
      { ...edit('refs/tags/v2', tag), peeled: one },
      { ...edit('refs/heads/main', one), peeled: null },
    ]
    await repository.commit({ refs, atomic: true })
    expect(await readFile(join(bare.path, 'packed-refs'), 'utf8')).toBe(
      `# pack-refs with: peeled fully-peeled sorted \n${one} refs/heads/main\n${tag} refs/tags/v2\n^${one}\n`,
    )
    expect(await bare.git('show-ref', '-d', 'v2')).toContain(`${one} refs/tags/v2^{}`)
  })

  test('a change within one tick of the clock is noticed', async () => {
    const bare = await makeBare()
    const repository = await bare.open()
    const reader = await bare.open()
    for (let at = 0; at < 60; at++) {
      const id = bare.ids[at % 4] ?? ''
      await verdicts(repository, [edit('refs/heads/a', id), edit('refs/heads/b', id)], true)
      expect(await listedRefs(reader)).toEqual([`refs/heads/a ${id}`, `refs/heads/b ${id}`])
      expect(await reader.readRefs(['refs/heads/b'])).toMatchObject([{ target: direct(id) }])
    }
  })
})

describe('reflogs', () => {
  const reflog = {
    identity: 'A U Thor <a@example.com>',
    time: 1600000000,
    timezone: 90,
    message: 'push: made\nit',
  }

  test('are kept when the repository asks for them, for HEAD too, in the form git reads', async () => {
    const bare = await makeBare({ config: ['core.logAllRefUpdates=true'] })
    const [one = '', two = ''] = bare.ids
    const repository = await bare.open()
    await repository.commit({ refs: [{ ...edit('refs/heads/main', one), reflog }] })
    await repository.commit({
      refs: [
        { ...edit('refs/heads/main', two), reflog },
        { ...edit('refs/tags/t', one), reflog },
      ],
    })
    for (const name of ['main', 'HEAD']) {
      expect(await bare.git('reflog', 'show', '--date=iso', '--format=%H %gd %gs', name)).toBe(
        `${two} ${name}@{2020-09-13 13:56:40 +0130} push: made it\n${one} ${name}@{2020-09-13 13:56:40 +0130} push: made it`,
      )
    }
    expect(existsSync(join(bare.path, 'logs/refs/tags/t'))).toBe(false)
    await repository.commit({ refs: [{ ...edit('refs/heads/main', null), reflog }] })
    expect(existsSync(join(bare.path, 'logs/refs/heads/main'))).toBe(false)
    expect(await readFile(join(bare.path, 'logs/HEAD'), 'utf8')).toContain(
      `${two} ${'0'.repeat(40)} A U Thor`,
    )
    expect(await listLeftovers(bare.path)).toEqual([])
  })

  test('are not begun in a bare repository by default, but continued', async () => {
    const bare = await makeBare()
    const [one = '', two = ''] = bare.ids
    await bare.git('update-ref', '--create-reflog', 'refs/heads/logged', one)
    const repository = await bare.open()
    await repository.commit({
      refs: [
        { ...edit('refs/heads/logged', two), reflog },
        { ...edit('refs/heads/other', two), reflog },
      ],
    })
    expect(await bare.git('reflog', 'show', '--format=%H', 'logged')).toBe(`${two}\n${one}`)
    expect(existsSync(join(bare.path, 'logs/refs/heads/other'))).toBe(false)
    expect(existsSync(join(bare.path, 'logs/HEAD'))).toBe(false)
  })
})
