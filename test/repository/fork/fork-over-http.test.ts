import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { serve } from '../../../src/hosts/node/index.ts'
import { createGitHandler, type ResolveRepository } from '../../../src/http/index.ts'
import { forkRepository } from '../../../src/repository/fork/fork-repository.ts'
import type { Storage } from '../../../src/storage/storage.ts'
import { git, gitFails, tryGit } from '../../support/git.ts'
import { findFaults, listObjects, listReachable, readRefLines } from '../../support/repositories.ts'
import {
  createStorage,
  makeHistory,
  open,
  pushHistory,
  STORAGE_KINDS,
  temporaryDirectory,
} from './fixture.ts'

/** Serves every repository of a storage as generously as can be: any object may be asked for, files may be got. */
async function serveAll(storage: Storage): Promise<string> {
  const opened = new Map<string, ReturnType<typeof open>>()
  const resolve: ResolveRepository = async (path) => {
    const repository = await (opened.get(path) ?? open(storage, path))
    opened.set(path, Promise.resolve(repository))
    return {
      kind: 'found',
      repository,
      access: { upload: true, receive: true },
      options: { uploadPack: { allowAnySha1InWant: true }, receivePack: {} },
    }
  }
  const server = await serve({ handler: createGitHandler({ resolve }) })
  onTestFinished(() => server.close(0))
  return server.url
}

test.each(STORAGE_KINDS)(
  'to git, a fork by refs is a clone of those refs, on %s',
  { timeout: 300_000 },
  async (kind) => {
    const path = await makeHistory(31, 14)
    const { storage } = await createStorage(kind)
    await pushHistory(storage, 'source', path, 2)
    const isChosen = (name: string): boolean => name === 'refs/heads/main' || name === 'refs/heads/b2'
    await forkRepository(storage, 'source', 'fork', {
      codecs: (await open(storage, 'source')).codecs,
      refs: isChosen,
    })
    const url = await serveAll(storage)
    const folder = await temporaryDirectory()
    const clone = join(folder, 'clone.git')
    await git(['clone', '-q', '--mirror', `${url}/fork`, clone])
    const lines = await readRefLines(path)
    expect(await readRefLines(clone)).toEqual(lines.filter((line) => isChosen(line.split(' ')[0] ?? '')))
    expect(await listObjects(clone)).toEqual(await listReachable(clone))
    expect(await findFaults(clone)).toEqual([])

    const visible = new Set(await listReachable(clone))
    const hidden = (await listObjects(path)).filter((id) => !visible.has(id))
    expect(hidden.length).toBeGreaterThan(5)
    for (const version of [0, 2]) {
      const protocol = ['-c', `protocol.version=${version}`]
      const [seen = ''] = visible
      await git([...protocol, 'fetch', '-q', `${url}/fork`, seen], { cwd: clone })
      for (const id of hidden.slice(0, 3)) {
        expect(await gitFails([...protocol, 'fetch', `${url}/fork`, id], { cwd: clone })).toMatch(
          /not our ref|upload-pack/,
        )
      }
    }

    // What the source receives later is not the fork's, and the other way round.
    const work = join(folder, 'work')
    await git(['clone', '-q', `${url}/source`, work])
    const secret = await git(['commit-tree', '-m', 'secret', '-p', 'HEAD', 'HEAD^{tree}'], { cwd: work })
    await git(['push', '-q', 'origin', `${secret}:refs/heads/secret`], { cwd: work })
    await gitFails(['fetch', `${url}/fork`, secret], { cwd: clone })
    const pushed = await tryGit(['push', '-q', `${url}/fork`, `${secret}:refs/heads/mine`], { cwd: work })
    expect(pushed.code).toBe(0)
    await git(['fetch', '-q', `${url}/fork`, secret], { cwd: clone })

    // A client that must name what the fork hides, because it takes it for there, is refused.
    const b1 = lines.find((line) => line.startsWith('refs/heads/b1 '))?.split(' ')[1] ?? ''
    await git(['fetch', '-q', path, b1], { cwd: work })
    const full = await tryGit(['push', '-q', `${url}/fork`, `${b1}:refs/heads/b1`], { cwd: work })
    expect(full.code).toBe(0)
    await git(['fetch', '-q', `${url}/fork`, b1], { cwd: clone })
    expect((await tryGit(['fsck', '--full', '--strict'], { cwd: clone })).code).toBe(0)
  },
)
