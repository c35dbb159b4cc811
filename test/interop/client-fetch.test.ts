import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createClient, type FetchResult } from '../../src/client/index.ts'
import { initBare, openBare, REMOTE_KINDS, useRemotes } from '../support/client-servers.ts'
import { git, gitLines, TEST_TIME, tryGit } from '../support/git.ts'
import { gitError } from '../support/git-error.ts'
import { createHistory, HISTORY_NAMES } from '../support/histories.ts'
import { useScratch } from '../support/hooks.ts'
import { PROTOCOLS } from '../support/protocols.ts'
import {
  findFaults,
  listObjects,
  listReachable,
  readContents,
  readRefLines,
} from '../support/repositories.ts'
import { cloneWorkTree } from '../support/work-tree.ts'

const scratch = useScratch()

/** One word per ref, by the name it has here. */
function verdicts({ refs }: FetchResult): Record<string, string> {
  return Object.fromEntries(
    refs.map((ref) => [
      ref.name ?? ref.remote ?? ref.after ?? '',
      ref.kind === 'rejected' ? ref.rejection.reason : ref.kind,
    ]),
  )
}

async function readShallow(path: string): Promise<string[]> {
  const text = await readFile(join(path, 'shallow'), 'utf8').catch(() => '')
  return text.split('\n').filter(Boolean).sort()
}

describe.each(REMOTE_KINDS)('from a server of %s', (kind) => {
  const remotes = useRemotes(scratch, kind)

  describe.each(PROTOCOLS)('over protocol version %d', (protocol) => {
    const clientOf = (name: string): ReturnType<typeof createClient> =>
      createClient({ url: remotes.url(name), protocol })

    // Packs are the same in every version, and version 1 is version 0 behind a banner.
    const histories = HISTORY_NAMES.filter((history, at) =>
      protocol === 1 ? history === 'odd-objects' : (protocol === 2) === (kind === 'git') || at % 4 === 0,
    )
    it.each(histories)('the history %s is cloned whole, HEAD included', async (history) => {
      const name = `${history}-${protocol}.git`
      const source = await createHistory(history, remotes.path(name), { scale: 0.15 })
      await git(['symbolic-ref', 'HEAD', 'refs/heads/main'], { cwd: source })
      const path = scratch.fresh('clone')
      const repository = await initBare(path)
      const result = await clientOf(name).clone(repository, { mirror: true })
      expect(await readContents(path)).toEqual(await readContents(source))
      expect(await listObjects(path)).toEqual(await listReachable(source))
      expect(await git(['symbolic-ref', 'HEAD'], { cwd: path })).toBe('refs/heads/main')
      expect(await findFaults(path)).toEqual([])
      expect(result.shallow).toEqual([])
      expect(new Set(Object.values(verdicts(result)))).toEqual(new Set(['created']))
    })

    it('what is new comes with the next fetch, and nothing comes when nothing is new', async () => {
      const name = `everyday-${protocol}.git`
      const source = await createHistory('source-like', remotes.path(name), { scale: 0.3 })
      const path = scratch.fresh('everyday')
      const repository = await initBare(path)
      const client = clientOf(name)
      const first = await client.fetch(repository)
      const tips = await readRefLines(source, 'refs/heads/')
      expect(await readRefLines(path, 'refs/remotes/')).toEqual(
        tips.map((line) => line.replace('refs/heads/', 'refs/remotes/origin/')),
      )
      expect(await readRefLines(path, 'refs/tags/')).toEqual(await readRefLines(source, 'refs/tags/'))
      expect(first.objectCount).toBeGreaterThan(20)
      const again = await client.fetch(repository)
      expect(again.objectCount).toBe(0)
      expect(new Set(Object.values(verdicts(again)))).toEqual(new Set(['unchanged']))

      const work = await cloneWorkTree(source, scratch.fresh('work'), [], 10_000)
      await work.commit('new', '1')
      await work.commit('new', '2')
      await work.git('tag', '-a', 'fresh', '-m', 'fresh')
      await work.git('tag', '-a', 'old', 'HEAD~3', '-m', 'on what is there already')
      await work.git('push', '--quiet', 'origin', 'main', 'fresh', 'old', 'HEAD:refs/heads/side')
      const next = await client.fetch(repository)
      expect(verdicts(next)).toMatchObject({
        'refs/remotes/origin/main': 'fast-forwarded',
        'refs/remotes/origin/side': 'created',
        'refs/tags/fresh': 'created',
        'refs/tags/old': 'created',
      })
      // Two commits, two trees, two blobs and two tags, and what completes a thin pack.
      expect(next.objectCount).toBeLessThan(16)
      expect(await readRefLines(path, 'refs/tags/')).toEqual(await readRefLines(source, 'refs/tags/'))
      expect(await findFaults(path)).toEqual([])
    })

    // Rounds with git's own server are looked at more closely in the tests of the client.
    it.skipIf(protocol === 1 || kind === 'git')(
      'histories that differ find their common ground',
      async () => {
        const name = `diverged-${protocol}.git`
        const source = await createHistory('source-like', remotes.path(name), { scale: 0.5 })
        const path = scratch.fresh('diverged')
        await git(['clone', '--quiet', '--bare', source, path])
        const local = await cloneWorkTree(path, scratch.fresh('local'), [], 20_000)
        for (let at = 0; at < 20; at++) await local.commit('mine', String(at))
        await local.git('push', '--quiet', 'origin', 'HEAD:refs/heads/mine')
        const theirs = await cloneWorkTree(source, scratch.fresh('theirs'), [], 30_000)
        for (let at = 0; at < 3; at++) await theirs.commit('theirs', String(at))
        await theirs.git('push', '--quiet', 'origin', 'main')
        const repository = await openBare(path)
        const result = await clientOf(name).fetch(repository)
        expect(result.objectCount).toBeLessThan(25)
        expect(await git(['rev-parse', 'refs/remotes/origin/main'], { cwd: path })).toBe(
          await git(['rev-parse', 'main'], { cwd: source }),
        )
        expect(await findFaults(path)).toEqual([])
      },
    )

    it.skipIf(protocol === 1)(
      'refs are forced, refused, pruned and left alone by the rules of git',
      async () => {
        const name = `rules-${protocol}.git`
        const source = await createHistory('source-like', remotes.path(name), { scale: 0.1 })
        const path = scratch.fresh('rules')
        const repository = await initBare(path)
        const client = clientOf(name)
        const rewind = async (ref: string, to: string): Promise<string> =>
          git(['update-ref', ref, to], { cwd: source })
        await rewind('refs/heads/moved', 'main')
        await rewind('refs/heads/gone', 'main')
        await rewind('refs/tags/light', 'main')
        const refspecs = ['refs/heads/*:refs/kept/*', '+refs/heads/*:refs/forced/*', '^refs/heads/main']
        await client.fetch(repository, { refspecs, tags: 'all' })
        await rewind('refs/heads/moved', 'main~2')
        await rewind('refs/tags/light', 'main~1')
        await git(['update-ref', '-d', 'refs/heads/gone'], { cwd: source })
        const result = await client.fetch(repository, { refspecs, tags: 'all', prune: true })
        expect(verdicts(result)).toMatchObject({
          'refs/kept/moved': 'non-fast-forward',
          'refs/forced/moved': 'forced',
          'refs/kept/gone': 'pruned',
          'refs/forced/gone': 'pruned',
          'refs/tags/light': 'tag-exists',
        })
        expect((await readRefLines(path, 'refs/kept/')).join()).not.toContain('main')
        const before = await readRefLines(path)
        const atomic = await client.fetch(repository, {
          refspecs: ['refs/heads/moved:refs/kept/moved', 'main:refs/heads/new'],
          atomic: true,
        })
        expect(verdicts(atomic)).toEqual({
          'refs/kept/moved': 'non-fast-forward',
          'refs/heads/new': 'atomic',
        })
        expect(await readRefLines(path)).toEqual(before)
      },
    )

    it.skipIf(protocol === 1)('the shallow family ends where git ends', async () => {
      const name = `shallow-${protocol}.git`
      const source = await createHistory('merges', remotes.path(name), { scale: 0.3 })
      const stop = await git(['rev-list', '--topo-order', '--skip=9', '-1', 'main'], { cwd: source })
      await git(['update-ref', 'refs/heads/stop', stop], { cwd: source })
      const since = TEST_TIME + 60 * 12
      const steps = [
        [{ depth: 1 }, ['--depth=1']],
        [{ depth: 4 }, ['--depth=4']],
        [{ depth: 2, relative: true }, ['--deepen=2']],
        [{ depth: 3 }, ['--depth=3']],
        [undefined, []],
        [{ since }, [`--shallow-since=${since}`]],
        [{ depth: Infinity }, ['--unshallow']],
        [{ depth: 2 }, ['--depth=2']],
        [{ not: ['refs/heads/stop'] }, ['--shallow-exclude=stop']],
      ] as const
      const [ours, gits] = [scratch.fresh('ours'), scratch.fresh('gits')]
      const repository = await initBare(ours)
      await git(['init', '--quiet', '--bare', gits])
      const options = { refspecs: ['+refs/heads/main:refs/heads/main'], tags: 'none' } as const
      for (const [deepen, args] of steps) {
        await git(
          [
            '-c',
            `protocol.version=${protocol}`,
            'fetch',
            '--quiet',
            '--no-tags',
            '--update-head-ok',
            ...args,
            remotes.url(name),
            '+refs/heads/main:refs/heads/main',
          ],
          { cwd: gits },
        )
        const result = await clientOf(name).fetch(repository, {
          ...options,
          ...(deepen === undefined ? {} : { deepen }),
        })
        const step = args.join(' ')
        expect(await readShallow(ours), step).toEqual(await readShallow(gits))
        expect(result.shallow, step).toEqual(await readShallow(gits))
        expect(await readContents(ours), step).toEqual(await readContents(gits))
      }
      expect(await findFaults(ours)).toEqual([])
    })

    it.skipIf(protocol === 1)(
      'a shallow remote makes an empty repository shallow, and others only when they agree',
      async () => {
        const deep = await createHistory('source-like', scratch.fresh('deep'), { scale: 0.2 })
        const name = `shallow-itself-${protocol}.git`
        await git(['clone', '--quiet', '--bare', '--depth=3', `file://${deep}`, remotes.path(name)])
        const path = scratch.fresh('empty')
        const repository = await initBare(path)
        await clientOf(name).clone(repository)
        expect(await readShallow(path)).toEqual(await readShallow(remotes.path(name)))
        expect(await findFaults(path)).toEqual([])

        const other = scratch.fresh('other')
        await createHistory('tiny-files', other, { scale: 0.1 })
        const second = await openBare(other)
        const options = { refspecs: ['refs/heads/main:refs/heads/theirs'], tags: 'none' } as const
        expect(verdicts(await clientOf(name).fetch(second, options))).toEqual({
          'refs/heads/theirs': 'shallow-update',
        })
        expect(await readShallow(other)).toEqual([])
        const agreed = await clientOf(name).fetch(second, { ...options, updateShallow: true })
        expect(verdicts(agreed)).toEqual({ 'refs/heads/theirs': 'created' })
        expect(await readShallow(other)).toEqual(await readShallow(remotes.path(name)))
        expect(await findFaults(other)).toEqual([])
      },
    )

    it('an empty repository is cloned, with the branch that it will have', async () => {
      const name = `empty-${protocol}.git`
      await remotes.create(name)
      await git(['symbolic-ref', 'HEAD', 'refs/heads/trunk'], { cwd: remotes.path(name) })
      const path = scratch.fresh('nothing')
      const result = await clientOf(name).clone(await initBare(path))
      expect(result.refs).toEqual([])
      expect(await git(['symbolic-ref', 'HEAD'], { cwd: path })).toBe(
        protocol === 2 ? 'refs/heads/trunk' : 'refs/heads/main',
      )
    })

    it.skipIf(protocol === 1)(
      'a detached HEAD stays detached, and a clone into what is not empty is refused',
      async () => {
        const name = `detached-${protocol}.git`
        const source = await createHistory('tiny-files', remotes.path(name), { scale: 0.1 })
        const tip = await git(['rev-parse', 'main'], { cwd: source })
        await git(['update-ref', '--no-deref', 'HEAD', tip], { cwd: source })
        const path = scratch.fresh('detached')
        const repository = await initBare(path)
        await clientOf(name).clone(repository)
        expect(await git(['rev-parse', 'HEAD'], { cwd: path })).toBe(tip)
        expect((await tryGit(['symbolic-ref', '--quiet', 'HEAD'], { cwd: path })).code).toBe(1)
        await expect(clientOf(name).clone(repository)).rejects.toThrow(gitError('ALREADY_EXISTS'))
      },
    )

    it('refs are listed, with what tags and symbolic refs name', async () => {
      const name = `listed-${protocol}.git`
      const source = await createHistory('odd-refs', remotes.path(name), { scale: 0.2 })
      const listed = await clientOf(name).lsRefs()
      const lines = listed.refs.flatMap(({ id, name: ref, peeled }) => [
        `${id} ${ref}`,
        ...(peeled === undefined ? [] : [`${peeled} ${ref}^{}`]),
      ])
      expect(lines).toEqual(await gitLines(['show-ref', '--head', '--dereference'], { cwd: source }))
      const head = listed.refs.find((ref) => ref.name === 'HEAD')
      expect(head?.symrefTarget).toBe('refs/heads/main')
      const tags = await clientOf(name).lsRefs({ prefixes: ['refs/tags/'] })
      expect(tags.refs.map((ref) => ref.name)).toEqual(
        (await readRefLines(source, 'refs/tags/')).map((line) => line.split(' ')[0]),
      )
    })

    it('a bare id is fetched, and a name that is not there is refused', async () => {
      const name = `single-${protocol}.git`
      const source = await createHistory('source-like', remotes.path(name), { scale: 0.1 })
      const tip = await git(['rev-parse', 'main'], { cwd: source })
      const path = scratch.fresh('single')
      const repository = await initBare(path)
      const result = await clientOf(name).fetch(repository, { refspecs: [`${tip}:refs/heads/here`, 'main'] })
      expect(verdicts(result)).toMatchObject({ 'refs/heads/here': 'created', 'refs/heads/main': 'fetched' })
      expect(await git(['rev-parse', 'here'], { cwd: path })).toBe(tip)
      await expect(clientOf(name).fetch(repository, { refspecs: ['nowhere'] })).rejects.toThrow(
        gitError('NOT_FOUND', 'nowhere'),
      )
    })
  })
})
