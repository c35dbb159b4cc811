import { describe, expect, it } from 'vitest'
import { createClient, type FetchFunction } from '../../src/client/index.ts'
import { initBare, openBare } from '../support/client-servers.ts'
import { git } from '../support/git.ts'
import { gitError } from '../support/git-error.ts'
import { createHistory } from '../support/histories.ts'
import { useScratch } from '../support/hooks.ts'
import { snapshotFiles } from '../support/repositories.ts'
import { BASE, fetchFolder } from './fake-remote.ts'

const scratch = useScratch()

/** Calls back once so many bytes of pack answers have passed. */
function watching(inner: FetchFunction, after: number, reached: () => void): FetchFunction {
  return async (url, init) => {
    const response = await inner(url, init)
    if (init.method !== 'POST' || response.body === null) return response
    let size = 0
    const counted = response.body.pipeThrough(
      new TransformStream<Uint8Array, Uint8Array>({
        transform(chunk, controller) {
          controller.enqueue(chunk)
          size += chunk.length
          if (size >= after) reached()
        },
      }),
    )
    return new Response(counted, { headers: response.headers })
  }
}

describe('a fetch that is aborted in the middle of the pack', () => {
  it.each([0, 2] as const)('leaves nothing in version %d', async (protocol) => {
    const folder = scratch.fresh('remotes')
    await createHistory('binary', `${folder}/a.git`, { scale: 0.5 })
    const path = scratch.fresh('here')
    const repository = await initBare(path)
    const before = await snapshotFiles(path)
    const controller = new AbortController()
    const fetch = watching(fetchFolder(folder), 20_000, () => {
      controller.abort()
    })
    const client = createClient({ url: `${BASE}/a.git`, protocol, fetch })
    await expect(client.fetch(repository, { signal: controller.signal })).rejects.toThrow(gitError('ABORTED'))
    expect(await snapshotFiles(path)).toEqual(before)
  })
})

describe('a fetch whose pack is too large', () => {
  it('is refused and leaves nothing', async () => {
    const folder = scratch.fresh('remotes')
    await createHistory('binary', `${folder}/a.git`, { scale: 0.3 })
    const path = scratch.fresh('here')
    const repository = await initBare(path)
    const before = await snapshotFiles(path)
    const client = createClient({ url: `${BASE}/a.git`, fetch: fetchFolder(folder) })
    await expect(client.clone(repository, { maxPackBytes: 10_000 })).rejects.toThrow(
      gitError('LIMIT_EXCEEDED'),
    )
    expect(await snapshotFiles(path)).toEqual(before)
  })
})

describe('a push that is aborted', () => {
  it('leaves the remote as it was', async () => {
    const folder = scratch.fresh('remotes')
    const target = `${folder}/target.git`
    await git(['init', '--quiet', '--bare', target])
    const source = await createHistory('binary', scratch.fresh('source'), { scale: 0.5 })
    const before = await snapshotFiles(target)
    const controller = new AbortController()
    const inner = fetchFolder(folder)
    const client = createClient({
      url: `${BASE}/target.git`,
      fetch: (url, init) => {
        if (init.method === 'POST') controller.abort()
        return inner(url, init)
      },
    })
    const pushing = client.push(await openBare(source), {
      updates: [{ name: 'refs/heads/main', source: 'refs/heads/main' }],
      signal: controller.signal,
    })
    await expect(pushing).rejects.toThrow(gitError('ABORTED'))
    expect(await snapshotFiles(target)).toEqual(before)
  })
})
