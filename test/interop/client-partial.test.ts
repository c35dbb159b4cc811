import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { encodeHex, parseHex } from '../../src/bytes/hex.ts'
import { createClient } from '../../src/client/index.ts'
import { createNodeCodecs } from '../../src/codec/node/index.ts'
import { hasObject } from '../../src/object/object-reader.ts'
import { openRepository, type Repository } from '../../src/repository/repository.ts'
import { createMemoryStorage } from '../../src/storage/memory/index.ts'
import { createSqliteStorage } from '../../src/storage/sqlite/index.ts'
import { openNodeDatabase } from '../../src/storage/sqlite/drivers/node.ts'
import { initBare, openBare, REMOTE_KINDS, useRemotes } from '../support/client-servers.ts'
import { git, gitLines, tryGit } from '../support/git.ts'
import { gitError } from '../support/git-error.ts'
import { createHistory } from '../support/histories.ts'
import { useScratch } from '../support/hooks.ts'
import { readRefLines } from '../support/repositories.ts'
import { cloneWorkTree } from '../support/work-tree.ts'

const scratch = useScratch()
const ALLOWED = { 'uploadpack.allowFilter': 'true', 'uploadpack.allowAnySHA1InWant': 'true' }

/** What is there and what is missing, as git sees it. Git must not fetch it meanwhile. */
async function readObjects(
  path: string,
): Promise<{ readonly present: string[]; readonly missing: string[] }> {
  const args = ['rev-list', '--objects', '--no-object-names', '--missing=print', '--all']
  const lines = await gitLines(args, { cwd: path })
  const sorted = [...new Set(lines)].sort()
  return {
    present: sorted.filter((line) => !line.startsWith('?')),
    missing: sorted.filter((line) => line.startsWith('?')).map((line) => line.slice(1)),
  }
}

async function expectSound(path: string): Promise<void> {
  const { code, stdout, stderr } = await tryGit(['fsck', '--full', '--no-dangling', '--no-progress'], {
    cwd: path,
  })
  expect([code, stdout.toString(), stderr.replace(/^notice: HEAD points to an unborn .*\n/m, '')]).toEqual([
    0,
    '',
    '',
  ])
}

async function listPresent(repository: Repository, ids: readonly string[]): Promise<string[]> {
  const view = await repository.openView()
  const present: string[] = []
  for (const id of ids) if (await hasObject(view, parseHex(id))) present.push(id)
  await view.close()
  return present
}

describe.each(REMOTE_KINDS)('from a server of %s', (kind) => {
  const remotes = useRemotes(scratch, kind)
  const serve = async (name: string): Promise<string> => {
    const path = await createHistory('source-like', remotes.path(name), { scale: 0.2 })
    for (const [key, value] of Object.entries({ ...ALLOWED, 'http.receivepack': 'true' }))
      await git(['config', key, value], { cwd: path })
    return path
  }

  describe.each([0, 2] as const)('over protocol version %d', (protocol) => {
    const clientOf = (name: string): ReturnType<typeof createClient> =>
      createClient({ url: remotes.url(name), protocol })

    const filters = ['blob:none', 'blob:limit=200', 'tree:0', 'tree:2', 'combine:blob:limit=1k+tree:3']
    it.each(protocol === 0 ? filters.slice(0, 1) : filters)(
      'a clone with the filter %s is the one that git makes',
      async (filter) => {
        const name = `${filter.replaceAll(/\W/g, '-')}-${protocol}.git`
        await serve(name)
        const [ours, gits] = [scratch.fresh('ours'), scratch.fresh('gits')]
        await git([
          '-c',
          `protocol.version=${protocol}`,
          'clone',
          '--quiet',
          '--bare',
          `--filter=${filter}`,
          remotes.url(name),
          gits,
        ])
        await clientOf(name).clone(await initBare(ours), { filter })
        expect(await readRefLines(ours)).toEqual(await readRefLines(gits))
        expect(await readObjects(ours)).toEqual(await readObjects(gits))
        await expectSound(ours)
        const settings = ['config', '--get-regexp', '^(remote\\.|core\\.repositoryformatversion)']
        expect(await gitLines(settings, { cwd: ours })).toEqual(await gitLines(settings, { cwd: gits }))
        // Git goes on from there.
        const missing = (await readObjects(ours)).missing
        const [first = ''] = missing
        expect(await git(['cat-file', '-t', first], { cwd: ours })).toMatch(/^(blob|tree)$/)
      },
    )
  })

  it('later fetches keep the filter, follow history, and need no bases', async () => {
    const name = 'later.git'
    const source = await serve(name)
    const path = scratch.fresh('later')
    const repository = await initBare(path)
    const client = createClient({ url: remotes.url(name) })
    await client.fetch(repository, { filter: 'blob:none', remote: 'up' })
    expect(await git(['config', 'remote.up.partialclonefilter'], { cwd: path })).toBe('blob:none')
    const work = await cloneWorkTree(source, scratch.fresh('work'), [], 10_000)
    const [file = ''] = await gitLines(['ls-files'], { cwd: work.path })
    await work.commit(file, `${await readFile(join(work.path, file), 'latin1')}and more\n`)
    await work.commit('new', 'new\n')
    await work.git('tag', '-a', 'fresh', '-m', 'fresh')
    await work.git('push', '--quiet', 'origin', 'main', 'fresh')
    const { objectCount } = await client.fetch(repository, { remote: 'up' })
    // Two commits with their trees, and a tag.
    expect(objectCount).toBeLessThan(10)
    const { missing } = await readObjects(path)
    expect(missing).toContain(await work.git('rev-parse', 'HEAD:new'))
    expect(await git(['rev-parse', 'up/main', 'fresh'], { cwd: path })).toBe(
      await git(['rev-parse', 'main', 'fresh'], { cwd: source }),
    )
    await expectSound(path)
    await work.commit('whole', 'whole\n')
    await work.git('push', '--quiet', 'origin', 'main')
    await client.fetch(repository, { remote: 'up', filter: false })
    expect((await readObjects(path)).missing).not.toContain(await work.git('rev-parse', 'HEAD:whole'))
    await expectSound(path)
  })

  it('depth and filters go together, and the boundary moves later', async () => {
    const name = 'shallow.git'
    await serve(name)
    const [ours, gits] = [scratch.fresh('ours'), scratch.fresh('gits')]
    const repository = await initBare(ours)
    const client = createClient({ url: remotes.url(name) })
    const refspecs = ['+refs/heads/main:refs/heads/main']
    await client.fetch(repository, { refspecs, tags: 'none', filter: 'blob:none', deepen: { depth: 2 } })
    const args = ['--quiet', '--bare', '--no-tags', '--single-branch', '--branch=main']
    await git(['clone', ...args, '--filter=blob:none', '--depth=2', remotes.url(name), gits])
    const compare = async (): Promise<void> => {
      expect(await readObjects(ours)).toEqual(await readObjects(gits))
      const boundary = async (path: string): Promise<string[]> =>
        (await readFile(join(path, 'shallow'), 'utf8')).split('\n').sort()
      expect(await boundary(ours)).toEqual(await boundary(gits))
      await expectSound(ours)
    }
    await compare()
    await client.fetch(repository, { refspecs, tags: 'none', deepen: { depth: 3, relative: true } })
    await git(['fetch', '--quiet', '--no-tags', '--deepen=3', 'origin', 'main:main'], { cwd: gits })
    await compare()
  })

  it('objects that were left out are fetched by id, once', async () => {
    const name = 'by-id.git'
    await serve(name)
    const path = scratch.fresh('by-id')
    const repository = await initBare(path)
    const client = createClient({ url: remotes.url(name) })
    await client.clone(repository, { filter: 'blob:none' })
    const { missing } = await readObjects(path)
    const wanted = missing.slice(0, 50)
    expect(await client.fetchObjects(repository, [...wanted, ...wanted])).toEqual({
      objectCount: wanted.length,
    })
    expect(await listPresent(repository, wanted)).toEqual(wanted)
    expect((await readObjects(path)).missing).toEqual(missing.slice(50))
    await expectSound(path)
    expect(await client.fetchObjects(repository, wanted)).toEqual({ objectCount: 0 })
    await client.fetchObjects(repository, missing)
    expect((await readObjects(path)).missing).toEqual([])
    await expect(client.fetchObjects(repository, ['f'.repeat(40)])).rejects.toThrow(
      gitError('PROTOCOL', 'not our ref'),
    )
    await expect(client.fetchObjects(await initBare(scratch.fresh('whole')), wanted)).rejects.toThrow(
      gitError('INVALID_ARGUMENT', 'partial clone'),
    )
  })

  it('what is new in a partial clone is pushed, though it names what is absent', async () => {
    const name = 'push-partial.git'
    await serve(name)
    const path = scratch.fresh('push-partial')
    const client = createClient({ url: remotes.url(name) })
    const repository = await initBare(path)
    await client.clone(repository, { filter: 'blob:none' })
    const blob = await git(['hash-object', '-w', '--stdin'], { cwd: path, input: 'new\n' })
    const entries = await git(['ls-tree', 'main'], { cwd: path })
    const tree = await git(['mktree', '--missing'], {
      cwd: path,
      input: `${entries}\n100644 blob ${blob}\tnew\n`,
    })
    const commit = await git(['commit-tree', tree, '-p', 'main', '-m', 'new'], { cwd: path })
    await git(['update-ref', 'refs/heads/main', commit], { cwd: path })
    const opened = await openBare(path)
    const { refs } = await client.push(opened, {
      updates: [{ name: 'refs/heads/main', source: 'refs/heads/main' }],
    })
    expect(refs.map((ref) => ref.kind)).toEqual(['fast-forwarded'])
    expect(await git(['rev-parse', 'main'], { cwd: remotes.path(name) })).toBe(commit)
    await git(['fsck', '--full'], { cwd: remotes.path(name) })
  })

  it('refs are asked for by name where that is offered, and texts for the remote go along', async () => {
    const name = 'by-name.git'
    const source = await serve(name)
    await git(['config', 'uploadpack.allowRefInWant', 'true'], { cwd: source })
    const bodies: string[] = []
    const client = createClient({
      url: remotes.url(name),
      fetch: async (url, init) => {
        if (init.body instanceof Uint8Array) bodies.push(Buffer.from(init.body).toString('latin1'))
        const response = await fetch(url, init)
        // Moved between the list and the request.
        if (init.body instanceof Uint8Array && bodies.length === 1)
          await git(['update-ref', 'refs/heads/main', moved], { cwd: source })
        return response
      },
    })
    const moved = await git(['commit-tree', 'main^{tree}', '-p', 'main', '-m', 'moved'], { cwd: source })
    const repository = await initBare(scratch.fresh('by-name'))
    await client.fetch(repository, {
      refspecs: ['refs/heads/main:refs/heads/main'],
      serverOptions: ['key=value', 'other'],
    })
    expect(await repository.resolveRef('refs/heads/main')).toBe(moved)
    expect(bodies[0]).toContain('server-option=key=value')
    expect(bodies[1]).toContain('server-option=other')
    expect(bodies[1]).toContain('want-ref refs/heads/main')
    const old = createClient({ url: remotes.url(name), protocol: 0 })
    await expect(old.lsRefs({ serverOptions: ['x'] })).rejects.toThrow(
      gitError('UNSUPPORTED', 'server options'),
    )
    await expect(old.fetchPack({ wants: [], wantRefs: ['refs/heads/main'] })).rejects.toThrow(
      gitError('UNSUPPORTED', 'by name'),
    )
  })
})

describe('a repository that is not on disk', () => {
  const remotes = useRemotes(scratch, 'git')
  beforeAll(async () => {
    const path = await createHistory('source-like', remotes.path('kept.git'), { scale: 0.2 })
    for (const [key, value] of Object.entries(ALLOWED)) await git(['config', key, value], { cwd: path })
  })

  it.each(['memory', 'sqlite'])('is a partial clone in %s too, and stays one', async (where) => {
    const storage =
      where === 'memory'
        ? createMemoryStorage()
        : createSqliteStorage({ database: await openNodeDatabase({ path: scratch.fresh('partial.db') }) })
    onTestFinished(() => storage.close())
    const client = createClient({ url: remotes.url('kept.git') })
    const created = await storage.create('a', { objectFormat: 'sha1', head: 'refs/heads/main' })
    const repository = openRepository(created, { codecs: createNodeCodecs() })
    await client.clone(repository, { filter: 'blob:none' })
    await repository.close()
    const stored = await storage.open('a')
    if (stored === undefined) throw new Error('the repository is gone')
    const again = openRepository(stored, { codecs: createNodeCodecs() })
    onTestFinished(() => again.close())
    expect((await again.readConfig()).get('remote.origin.promisor')).toBe('true')
    const blobs = await gitLines(
      ['rev-list', '--objects', '--filter=object:type=blob', '--no-object-names', 'main'],
      {
        cwd: remotes.path('kept.git'),
      },
    )
    const ids = blobs.filter((_, at) => at % 3 === 0)
    const before = await listPresent(again, ids)
    expect(before.length).toBeLessThan(ids.length)
    await client.fetchObjects(again, ids)
    expect(await listPresent(again, ids)).toEqual(ids)
    const work = await cloneWorkTree(remotes.path('kept.git'), scratch.fresh('work'), [], 10_000)
    const tip = await work.commit(`new-${where}`, 'new\n')
    await work.git('push', '--quiet', 'origin', `HEAD:refs/heads/${where}`)
    await client.fetch(again)
    expect(await again.resolveRef(`refs/remotes/origin/${where}`)).toBe(tip)
    const blob = await work.git('rev-parse', `HEAD:new-${where}`)
    expect(await listPresent(again, [blob, encodeHex(parseHex(tip))])).toEqual([tip])
  })
})
