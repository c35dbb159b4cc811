import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createClient, type PushResult } from '../../src/client/index.ts'
import { initBare, openBare, REMOTE_KINDS, useRemotes } from '../support/client-servers.ts'
import { git } from '../support/git.ts'
import { gitError } from '../support/git-error.ts'
import { createHistory, type HistoryName } from '../support/histories.ts'
import { useScratch } from '../support/hooks.ts'
import { findFaults, listObjects, listReachable, readRefLines } from '../support/repositories.ts'
import { cloneWorkTree, openWorkTree } from '../support/work-tree.ts'

const scratch = useScratch()

/** One word per ref; what the remote said where it refused. */
function verdicts({ refs }: PushResult): Record<string, string> {
  return Object.fromEntries(
    refs.map((ref) => {
      if (ref.kind !== 'rejected') return [ref.name, ref.kind]
      const { rejection } = ref
      return [ref.name, rejection.reason === 'remote' ? `remote: ${rejection.message}` : rejection.reason]
    }),
  )
}

const MAIN = 'refs/heads/main'
const HISTORIES: readonly HistoryName[] = ['source-like', 'merges', 'odd-objects', 'binary', 'large-blobs']

describe.each(REMOTE_KINDS)('to a server of %s', (kind) => {
  const remotes = useRemotes(scratch, kind)
  const clientOf = (name: string): ReturnType<typeof createClient> => createClient({ url: remotes.url(name) })

  it.each(HISTORIES)('the history %s is pushed whole', async (history) => {
    const source = await createHistory(history, scratch.fresh(history), { scale: 0.2 })
    const target = await remotes.create(`${history}.git`)
    const refs = (await readRefLines(source)).map((line) => line.split(' ')[0] ?? '')
    const result = await clientOf(`${history}.git`).push(await openBare(source), {
      updates: refs.map((name) => ({ name, source: name })),
    })
    expect(new Set(Object.values(verdicts(result)))).toEqual(new Set(['created']))
    expect(await readRefLines(target)).toEqual(await readRefLines(source))
    expect(await listObjects(target)).toEqual(await listReachable(source))
    expect(await findFaults(target)).toEqual([])
  })

  it('what is large is streamed, after a probe has found out who pushes', async () => {
    const source = await createHistory('tiny-files', scratch.fresh('large'), { scale: 0.1 })
    const work = await cloneWorkTree(source, scratch.fresh('large-work'))
    const noise = new Uint8Array(3 << 20)
    for (let at = 0; at < noise.length; at += 65536) crypto.getRandomValues(noise.subarray(at, at + 65536))
    await writeFile(join(work.path, 'noise'), noise)
    await work.commit('note', 'with noise')
    await work.git('push', '--quiet', 'origin', 'main')
    const target = await remotes.create('large.git')
    const requests: (number | 'stream')[] = []
    const client = createClient({
      url: remotes.url('large.git'),
      credentials: () => ({ kind: 'bearer', token: 'me' }),
      fetch: (url, init) => {
        if (init.method !== 'POST') return fetch(url, init)
        requests.push(init.body instanceof Uint8Array ? init.body.length : 'stream')
        const isKnown = new Headers(init.headers).has('Authorization')
        return isKnown ? fetch(url, init) : Promise.resolve(new Response(null, { status: 401 }))
      },
    })
    const result = await client.push(await openBare(source), { updates: [{ name: MAIN, source: MAIN }] })
    expect(verdicts(result)).toEqual({ [MAIN]: 'created' })
    expect(requests).toEqual([4, 4, 'stream'])
    expect(await findFaults(target)).toEqual([])
  })

  it('refs are created, moved, forced and deleted, and what cannot be is refused before it is sent', async () => {
    const name = 'rules.git'
    const target = await remotes.create(name)
    const source = await createHistory('source-like', scratch.fresh('rules'), { scale: 0.2 })
    const at = (revision: string): Promise<string> => git(['rev-parse', revision], { cwd: source })
    const [tip, parent, older] = [await at('main'), await at('main~1'), await at('main~2')]
    const repository = await openBare(source)
    const push = async (
      ...updates: Parameters<typeof client.push>[1]['updates'][number][]
    ): Promise<unknown> => verdicts(await client.push(repository, { updates }))
    const client = clientOf(name)
    await expect(
      push({ name: MAIN, source: older }, { name: 'refs/tags/t', source: older }),
    ).resolves.toEqual({
      [MAIN]: 'created',
      'refs/tags/t': 'created',
    })
    await expect(
      push(
        { name: MAIN, source: parent },
        { name: 'refs/tags/t', source: parent },
        { name: 'refs/heads/absent', source: null },
      ),
    ).resolves.toEqual({
      [MAIN]: 'fast-forwarded',
      'refs/tags/t': 'tag-exists',
      'refs/heads/absent': 'absent',
    })
    await expect(push({ name: MAIN, source: older })).resolves.toEqual({ [MAIN]: 'non-fast-forward' })
    await expect(push({ name: MAIN, source: older, force: true })).resolves.toEqual({ [MAIN]: 'forced' })
    await expect(push({ name: MAIN, source: tip, expect: parent })).resolves.toEqual({ [MAIN]: 'stale' })
    await expect(push({ name: MAIN, source: tip, expect: null })).resolves.toEqual({ [MAIN]: 'stale' })
    await expect(push({ name: MAIN, source: tip, expect: older })).resolves.toEqual({
      [MAIN]: 'fast-forwarded',
    })
    await expect(push({ name: MAIN, source: MAIN })).resolves.toEqual({ [MAIN]: 'unchanged' })
    await expect(push({ name: 'refs/tags/t', source: null })).resolves.toEqual({ 'refs/tags/t': 'deleted' })
    expect(await readRefLines(target)).toEqual([`${MAIN} ${tip} `])

    const stranger = await cloneWorkTree(target, scratch.fresh('stranger'), [], 10_000)
    await stranger.commit('theirs', '1')
    await stranger.git('push', '--quiet', 'origin', 'main')
    await git(['update-ref', MAIN, parent], { cwd: source })
    await expect(push({ name: MAIN, source: MAIN })).resolves.toEqual({ [MAIN]: 'fetch-first' })
    expect(await findFaults(target)).toEqual([])
  })

  it('an atomic push is all or nothing, here and there', async () => {
    const target = await remotes.create('atomic.git', { 'receive.denyDeletes': 'true' })
    const source = await createHistory('source-like', scratch.fresh('atomic'), { scale: 0.1 })
    const repository = await openBare(source)
    const client = clientOf('atomic.git')
    await client.push(repository, { updates: [{ name: 'refs/heads/a', source: MAIN }] })
    const before = await readRefLines(target)
    const older = await git(['rev-parse', 'main~1'], { cwd: source })
    const local = await client.push(repository, {
      atomic: true,
      updates: [
        { name: 'refs/heads/a', source: older },
        { name: 'refs/heads/b', source: MAIN },
      ],
    })
    expect(verdicts(local)).toEqual({ 'refs/heads/a': 'non-fast-forward', 'refs/heads/b': 'atomic' })
    const remote = await client.push(repository, {
      atomic: true,
      updates: [
        { name: 'refs/heads/a', source: null },
        { name: 'refs/heads/b', source: MAIN },
      ],
    })
    expect(verdicts(remote)).toEqual({
      'refs/heads/a': 'remote: deletion prohibited',
      'refs/heads/b': 'remote: atomic push failure',
    })
    expect(await readRefLines(target)).toEqual(before)
    const apart = await client.push(repository, {
      updates: [
        { name: 'refs/heads/a', source: null },
        { name: 'refs/heads/b', source: MAIN },
      ],
    })
    expect(verdicts(apart)).toEqual({
      'refs/heads/a': 'remote: deletion prohibited',
      'refs/heads/b': 'created',
    })
  })

  it('a push of one commit carries little, thanks to thin packs', async () => {
    const target = await remotes.create('thin.git')
    const source = await createHistory('source-like', scratch.fresh('thin'), { scale: 0.3 })
    const client = clientOf('thin.git')
    await client.push(await openBare(source), { updates: [{ name: MAIN, source: MAIN }] })
    const work = await cloneWorkTree(source, scratch.fresh('thin-work'), [], 10_000)
    await work.commit('one-more', 'line')
    await work.git('push', '--quiet', 'origin', 'main')
    let sent = 0
    const counting = createClient({
      url: remotes.url('thin.git'),
      fetch: (url, init) => {
        if (init.body instanceof Uint8Array) sent += init.body.length
        return fetch(url, init)
      },
    })
    const result = await counting.push(await openBare(source), { updates: [{ name: MAIN, source: MAIN }] })
    expect(verdicts(result)).toEqual({ [MAIN]: 'fast-forwarded' })
    expect(sent).toBeLessThan(3000)
    expect(await git(['rev-parse', MAIN], { cwd: target })).toBe(
      await git(['rev-parse', MAIN], { cwd: source }),
    )
    expect(await findFaults(target)).toEqual([])
  })

  it('a shallow repository pushes what it made', async () => {
    const target = await createHistory('source-like', remotes.path('to-shallow.git'), { scale: 0.2 })
    await git(['config', 'http.receivepack', 'true'], { cwd: target })
    const path = scratch.fresh('shallow')
    await git(['clone', '--quiet', '--depth=2', `file://${target}`, path])
    await git(['commit', '--quiet', '--allow-empty', '-m', 'from the shallow clone'], { cwd: path })
    const result = await clientOf('to-shallow.git').push(await openBare(join(path, '.git')), {
      updates: [{ name: MAIN, source: 'HEAD' }],
    })
    expect(verdicts(result)).toEqual({ [MAIN]: 'fast-forwarded' })
    expect(await findFaults(target)).toEqual([])
  })

  it('what is not offered is refused with a typed error, and what is not here, too', async () => {
    await remotes.create('plain.git', {
      'receive.advertiseAtomic': 'false',
      'receive.advertisePushOptions': 'false',
    })
    const source = await createHistory('tiny-files', scratch.fresh('plain'), { scale: 0.1 })
    const repository = await openBare(source)
    const updates = [{ name: MAIN, source: MAIN }]
    const client = clientOf('plain.git')
    await expect(client.push(repository, { updates, atomic: true })).rejects.toThrow(gitError('UNSUPPORTED'))
    await expect(client.push(repository, { updates, pushOptions: ['a'] })).rejects.toThrow(
      gitError('UNSUPPORTED'),
    )
    await expect(
      client.push(repository, { updates: [{ name: MAIN, source: 'refs/heads/none' }] }),
    ).rejects.toThrow(gitError('NOT_FOUND', 'refs/heads/none'))
    await expect(
      client.push(repository, { updates: [{ name: MAIN, source: 'a5'.repeat(20) }] }),
    ).rejects.toThrow(gitError('MISSING_OBJECT'))
    await expect(client.push(repository, { updates: [...updates, ...updates] })).rejects.toThrow(
      gitError('INVALID_ARGUMENT', 'twice'),
    )
  })
})

describe('hooks of a server of git', () => {
  const remotes = useRemotes(scratch, 'git')

  it('hear push options, speak to the one who pushes, and decline', async () => {
    const target = await remotes.create('hooks.git', { 'receive.advertisePushOptions': 'true' })
    const hook = join(target, 'hooks/pre-receive')
    await writeFile(
      hook,
      '#!/bin/sh\necho "heard $GIT_PUSH_OPTION_0" >&2\nwhile read o n r; do case $r in *bad*) exit 1;; esac; done\n',
    )
    await chmod(hook, 0o755)
    const source = await createHistory('tiny-files', scratch.fresh('hooked'), { scale: 0.1 })
    const repository = await openBare(source)
    const client = createClient({ url: remotes.url('hooks.git') })
    let said = ''
    const onMessage = (text: string): void => {
      said += text
    }
    const good = await client.push(repository, {
      updates: [{ name: MAIN, source: MAIN }],
      pushOptions: ['ci.skip'],
      onMessage,
    })
    expect(verdicts(good)).toEqual({ [MAIN]: 'created' })
    expect(said).toContain('heard ci.skip')
    const bad = await client.push(repository, { updates: [{ name: 'refs/heads/bad', source: MAIN }] })
    expect(verdicts(bad)).toEqual({ 'refs/heads/bad': 'remote: pre-receive hook declined' })
  })
})

describe.each(REMOTE_KINDS)('SHA-256 repositories with a server of %s', (kind) => {
  const remotes = useRemotes(scratch, kind)

  it('are pushed to, cloned from, and not mixed with others', async () => {
    const source = scratch.fresh('sha256')
    const target = remotes.path('sha256.git')
    await git(['init', '--quiet', '--object-format=sha256', source])
    await git(['init', '--quiet', '--bare', '--object-format=sha256', target])
    await git(['config', 'http.receivepack', 'true'], { cwd: target })
    const work = openWorkTree(source)
    await work.commit('a', '1')
    await work.commit('b', '2')
    await work.git('tag', '-a', 'v1', '-m', 'v1')
    const client = createClient({ url: remotes.url('sha256.git') })
    const names = [MAIN, 'refs/tags/v1']
    const pushed = await client.push(await openBare(join(source, '.git')), {
      updates: names.map((name) => ({ name, source: name })),
    })
    expect(verdicts(pushed)).toEqual({ [MAIN]: 'created', 'refs/tags/v1': 'created' })
    const path = scratch.fresh('sha256-clone')
    await client.clone(await initBare(path, 'sha256'))
    expect(await readRefLines(path)).toEqual(await readRefLines(source))
    expect(await findFaults(path)).toEqual([])
    await expect(client.clone(await initBare(scratch.fresh('sha1')))).rejects.toThrow(
      gitError('UNSUPPORTED', 'sha256'),
    )
  })
})
