import { beforeAll, expect, test } from 'vitest'
import { createNodeCodecs } from '../../../src/codec/node/index.ts'
import { objectFormat } from '../../../src/object/object-format.ts'
import { indexPack } from '../../../src/pack/indexer/index-pack.ts'
import {
  ShareOfResolution,
  type ResolverThreads,
  type SharedResolution,
} from '../../../src/pack/indexer/shared-resolution.ts'
import { createHistory } from '../../support/histories.ts'
import { useScratch } from '../../support/hooks.ts'
import { packRevisions, type GitPack } from '../git-packs.ts'
import { resealed } from '../raw-entries.ts'

const scratch = useScratch()
const codecs = createNodeCodecs()
const format = objectFormat('sha1', codecs)
let stored: GitPack

beforeAll(async () => {
  const repository = await createHistory('source-like', scratch.fresh('a.git'))
  stored = await packRevisions(repository, scratch.path, ['--delta-base-offset', '--no-reuse-delta'])
})

/** Stands for so many threads: each takes a tree, or a few, in turn. */
function turns(count: number, taken: number[] = []): ResolverThreads {
  return {
    resolve: (shared) => {
      const shares = Array.from(
        { length: count },
        () => new ShareOfResolution(structuredClone(shared), codecs),
      )
      try {
        for (let at = 0; !shares[at % count]!.resolve(at % 3); at++);
      } catch {
        return Promise.resolve(false)
      }
      taken.push(...shares.map(({ resolvedCount }) => resolvedCount))
      return Promise.resolve(true)
    },
  }
}

test('deltas that several threads resolve give the index that one gives, and git', async () => {
  for (const count of [1, 2, 5]) {
    const taken: number[] = []
    const { index, deltaCount } = await indexPack(stored.pack, {
      format,
      codecs,
      threads: turns(count, taken),
    })
    expect(Buffer.compare(index, stored.index)).toBe(0)
    expect(taken.every((resolved) => resolved > 0)).toBe(true)
    expect(taken.reduce((sum, resolved) => sum + resolved, 0)).toBe(deltaCount)
  }
})

test('a thread that fails changes nothing', async () => {
  const threads = { resolve: () => Promise.resolve(false) }
  const { index } = await indexPack(stored.pack, { format, codecs, threads })
  expect(Buffer.compare(index, stored.index)).toBe(0)
})

test('a damaged delta is refused in the words that one thread finds', async () => {
  const { pack } = stored
  let compared = 0
  for (let at = Math.floor(pack.length / 2); at < pack.length - 40 && compared < 12; at += 97) {
    const damaged = resealed(Uint8Array.from(pack, (byte, k) => (k === at ? byte ^ 0x15 : byte)))
    const alone = await indexPack(damaged, { format, codecs }).catch(String)
    const together = await indexPack(damaged, { format, codecs, threads: turns(3) }).catch(String)
    if (typeof alone !== 'string') continue
    expect(together).toBe(alone)
    compared++
  }
  expect(compared).toBeGreaterThan(5)
})

test('trees with more work are taken first', async () => {
  let roots: Int32Array | undefined
  const threads = {
    resolve: (shared: SharedResolution) => {
      roots = shared.roots.slice()
      return Promise.resolve(true)
    },
  }
  const share = await indexPack(stored.pack, { format, codecs, threads })
  expect(Buffer.compare(share.index, stored.index)).toBe(0)
  expect(roots?.length).toBeGreaterThan(10)
  expect(new Set(roots).size).toBe(roots?.length)
})
