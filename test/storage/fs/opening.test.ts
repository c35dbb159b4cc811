import { mkdir, readdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createFsStorage, initBareRepository, openBareRepository } from '../../../src/storage/fs/index.ts'
import { parseSharedPermissions, sharedMode } from '../../../src/storage/fs/shared-permissions.ts'
import { git, tryGit } from '../../support/git.ts'
import { edit, makeBare, mustOpen, temporaryDirectory, verdicts } from './fixture.ts'

describe('opening', () => {
  test('whatever git takes for a repository opens, and nothing else', async () => {
    const folder = await temporaryDirectory()
    await git(['init', '-q', join(folder, 'work')])
    const bare = await makeBare()
    expect(await openBareRepository(join(folder, 'work/.git'))).toBeDefined()
    expect(await openBareRepository(join(folder, 'work'))).toBeUndefined()
    expect(await openBareRepository(join(folder, 'nothing'))).toBeUndefined()
    expect(await openBareRepository(join(folder, 'work/.git/HEAD'))).toBeUndefined()
    for (const [part, put] of [
      ['objects', ''],
      ['refs', ''],
      ['HEAD', 'rubbish\n'],
    ] as const) {
      await rename(join(bare.path, part), join(folder, part))
      if (put !== '') await writeFile(join(bare.path, part), put)
      expect(await openBareRepository(bare.path)).toBeUndefined()
      expect((await tryGit(['rev-parse', '--git-dir'], { cwd: bare.path })).code).not.toBe(0)
      await rm(join(bare.path, part), { force: true })
      await rename(join(folder, part), join(bare.path, part))
    }
    expect(await openBareRepository(bare.path)).toBeDefined()
  })

  test.each([
    ['0', 'extensions.unknown=1', undefined],
    ['0', 'extensions.preciousObjects=true', undefined],
    ['0', 'extensions.objectFormat=sha256', 'objectformat'],
    ['0', 'extensions.refStorage=reftable', 'refstorage'],
    ['1', 'extensions.unknown=1', 'unknown'],
    ['1', 'extensions.refStorage=reftable', 'refstorage'],
    ['1', 'extensions.refStorage=files', undefined],
    ['1', 'extensions.noop=1', undefined],
    ['1', 'extensions.preciousObjects=true', undefined],
    ['1', 'extensions.partialClone=origin', undefined],
    ['1', 'extensions.worktreeConfig=true', undefined],
    ['1', 'extensions.objectFormat=sha1', undefined],
  ])('in version %s, %s is understood or refused by name', async (version, setting, refused) => {
    const bare = await makeBare({ config: [setting, `core.repositoryFormatVersion=${version}`] })
    if (refused === undefined) expect(await openBareRepository(bare.path)).toBeDefined()
    else {
      await expect(openBareRepository(bare.path)).rejects.toMatchObject({
        code: 'UNSUPPORTED',
        details: { extension: refused },
      })
    }
  })

  test('a later format version and an unknown object format are refused', async () => {
    const later = await makeBare({ config: ['core.repositoryFormatVersion=2'] })
    await expect(openBareRepository(later.path)).rejects.toMatchObject({ code: 'UNSUPPORTED' })
    const other = await makeBare({
      config: ['extensions.objectFormat=sha512', 'core.repositoryFormatVersion=1'],
    })
    await expect(openBareRepository(other.path)).rejects.toMatchObject({ code: 'UNSUPPORTED' })
  })

  test('a SHA-256 repository opens, and git reads its refs after us', async () => {
    const bare = await makeBare({ format: 'sha256' })
    const [one = '', two = ''] = bare.ids
    const repository = await bare.open()
    expect(repository.objectFormat).toBe('sha256')
    await verdicts(repository, [edit('refs/heads/a', one), edit('refs/heads/b', two)], true)
    await verdicts(repository, [edit('refs/heads/a', two, { kind: 'id', id: one })])
    expect(await bare.refs()).toEqual([`refs/heads/a ${two}`, `refs/heads/b ${two}`])
    await expect(repository.commit({ refs: [edit('refs/heads/c', one.slice(0, 40))] })).rejects.toMatchObject(
      {
        code: 'INVALID_ID',
      },
    )
  })

  test('the config is replaced under its lock, and not by one that would break the repository', async () => {
    const bare = await makeBare()
    const repository = await bare.open()
    await repository.writeConfig(
      '[core]\n\trepositoryformatversion = 0\n\tbare = true\n[packstone]\n\tx = 1\n',
    )
    expect(await bare.git('config', 'packstone.x')).toBe('1')
    for (const text of [
      '[broken',
      '[core]\n\tsharedRepository = 0077\n',
      '[core]\n\trepositoryformatversion = 9\n',
    ]) {
      await expect(repository.writeConfig(text)).rejects.toThrow()
    }
    await writeFile(join(bare.path, 'config.lock'), '')
    await expect(repository.writeConfig('')).rejects.toMatchObject({ code: 'LOCKED' })
    await rm(join(bare.path, 'config.lock'))
    expect(await bare.git('config', 'packstone.x')).toBe('1')
    expect(await repository.readShallow()).toEqual([])
    const [one = ''] = bare.ids
    await writeFile(join(bare.path, 'shallow'), `${one}\n`)
    expect(await repository.readShallow()).toEqual([one])
  })

  test('core.sharedRepository means what it means to git', () => {
    const mode = (value: string, start: number, isDirectory = false): string =>
      sharedMode(start, parseSharedPermissions(value), isDirectory).toString(8)
    expect(mode('umask', 0o600)).toBe('600')
    expect(mode('group', 0o600)).toBe('660')
    expect(mode('all', 0o600)).toBe('664')
    expect(mode('group', 0o400)).toBe('440')
    expect(mode('0640', 0o666)).toBe('640')
    expect(mode('group', 0o700, true)).toBe('2770')
    expect(mode('0640', 0o777, true)).toBe('2750')
    expect(() => parseSharedPermissions('sometimes')).toThrow(/core\.sharedRepository/)
  })
})

describe('creating', () => {
  test('makes what git init makes, for both object formats', async () => {
    const folder = await temporaryDirectory()
    for (const objectFormat of ['sha1', 'sha256'] as const) {
      const path = join(folder, 'some/where', `${objectFormat}.git`)
      const repository = await initBareRepository(path, { objectFormat, head: 'refs/heads/trunk' })
      await repository.close()
      expect(await git(['rev-parse', '--is-bare-repository', '--show-object-format'], { cwd: path })).toBe(
        `true\n${objectFormat}`,
      )
      expect(await git(['symbolic-ref', 'HEAD'], { cwd: path })).toBe('refs/heads/trunk')
      expect(await git(['fsck'], { cwd: path })).toBe('')
      await expect(initBareRepository(path, { objectFormat, head: 'refs/heads/x' })).rejects.toMatchObject({
        code: 'ALREADY_EXISTS',
      })
      expect(await readdir(join(folder, 'some/where'))).not.toContainEqual(
        expect.stringContaining('.packstone-'),
      )
    }
  })
})

describe('a storage of many', () => {
  test('no key leads out of its directory or into a repository', async () => {
    const folder = await temporaryDirectory()
    const outside = await makeBare()
    const directory = join(folder, 'repositories')
    const storage = createFsStorage({ directory })
    expect(await storage.list()).toEqual({ keys: [] })
    expect(await storage.delete('none')).toBe(false)
    await (await storage.create('own', { objectFormat: 'sha1', head: 'refs/heads/main' })).close()
    await symlink(outside.path, join(directory, 'link.git'))
    await symlink(folder, join(directory, 'up'))
    await git(['init', '-q', '--bare', join(folder, 'sibling.git')])
    for (const key of ['link', 'up/sibling', 'up/repositories/own']) {
      expect(await storage.open(key)).toBeUndefined()
      expect(await storage.delete(key)).toBe(false)
    }
    await expect(
      storage.create('up/new', { objectFormat: 'sha1', head: 'refs/heads/main' }),
    ).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    })
    for (const key of ['../sibling', 'own.git/inner', '/etc', 'a//b', '', '.hidden']) {
      await expect(storage.open(key)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    }
    expect(await storage.list()).toEqual({ keys: ['own'] })
    expect((await stat(outside.path)).isDirectory()).toBe(true)
  })

  test('repositories that git made are served, and folders with anything else are not', async () => {
    const directory = await temporaryDirectory()
    await git(['init', '-q', '--bare', join(directory, 'team/a.git')])
    await git(['init', '-q', '--bare', join(directory, 'team-b.git')])
    await git(['init', '-q', '--bare', join(directory, 'team.git')])
    await mkdir(join(directory, 'empty.git'))
    await mkdir(join(directory, '.packstone-deleted-x.git'))
    await writeFile(join(directory, 'file.git'), '')
    const storage = createFsStorage({ directory })
    expect(await storage.list()).toEqual({ keys: ['team', 'team-b', 'team/a'] })
    expect(await storage.list({ limit: 1, cursor: 'team' })).toEqual({ keys: ['team-b'], cursor: 'team-b' })
    expect(await storage.list({ limit: 1, cursor: 'team-b' })).toEqual({ keys: ['team/a'] })
    expect(await storage.delete('team/a')).toBe(true)
    expect((await readdir(directory)).sort()).toEqual(
      ['empty.git', 'file.git', 'team-b.git', 'team.git'].sort(),
    )
  })

  test('a file of an open pack outlives its repository', async () => {
    const directory = await temporaryDirectory()
    const bare = await makeBare()
    await bare.git('update-ref', 'refs/heads/a', bare.ids[0] ?? '')
    await bare.git('repack', '-adq')
    await rename(bare.path, join(directory, 'x.git'))
    const storage = createFsStorage({ directory })
    const repository = await mustOpen(join(directory, 'x.git'))
    const [pack] = await repository.listPacks()
    const file = await repository.openPackFile(pack?.name ?? '', 'pack')
    await storage.delete('x')
    expect(await readdir(directory)).toEqual([])
    expect(await file.read([{ offset: 0, length: 4 }])).toEqual([Uint8Array.from(Buffer.from('PACK'))])
    await expect(
      repository.commit({ refs: [edit('refs/heads/b', bare.ids[0] ?? '')] }),
    ).rejects.toMatchObject({
      code: 'NOT_FOUND',
    })
    expect(await readdir(directory)).toEqual([])
  })
})

test('the description of a new repository is there for those who show it', async () => {
  const folder = await temporaryDirectory()
  const path = join(folder, 'a.git')
  await (await initBareRepository(path, { objectFormat: 'sha1', head: 'refs/heads/main' })).close()
  expect(await readFile(join(path, 'description'), 'utf8')).toMatch(/^Unnamed repository/)
})
