import { readFile, writeFile } from 'node:fs/promises'
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { createNodeCodecs } from '../../../src/codec/node/index.ts'
import { createPortableCodecs } from '../../../src/codec/portable/index.ts'
import { isGitError } from '../../../src/errors.ts'
import { objectFormat } from '../../../src/object/object-format.ts'
import { indexPack } from '../../../src/pack/indexer/index-pack.ts'
import { createHistory } from '../../support/histories.ts'
import { tryGit } from '../../support/git.ts'
import { useScratch } from '../../support/hooks.ts'
import { packRevisions } from '../git-packs.ts'
import { rawPack, resealed, type RawPackEntry } from '../raw-entries.ts'
import { encodeDelta } from '../../delta/naive-delta.ts'
import { change, mutate } from './mutations.ts'

const scratch = useScratch()
const CODES = ['CORRUPT_PACK', 'MISSING_BASE', 'LIMIT_EXCEEDED', 'UNSUPPORTED']
const providers = [createNodeCodecs(), createPortableCodecs()]

/** The index we make, or `undefined` when the pack is refused; whatever else is thrown fails the test. */
async function indexOf(pack: Uint8Array, provider: number): Promise<Uint8Array | undefined> {
  const codecs = providers[provider]!
  try {
    const limits = { maxObjectBytes: 1 << 26 }
    return (await indexPack(pack, { format: objectFormat('sha1', codecs), codecs, ...limits })).index
  } catch (error) {
    if (!isGitError(error)) throw error
    expect(CODES).toContain(error.code)
    return undefined
  }
}

/** The index git makes, or `undefined` when git refuses the pack. */
async function gitIndexOf(pack: Uint8Array): Promise<Uint8Array | undefined> {
  const path = scratch.fresh('mutated.pack')
  await writeFile(path, pack)
  const made = await tryGit(['index-pack', '-o', `${path}.idx`, path], { cwd: scratch.path })
  return made.code === 0 ? readFile(`${path}.idx`) : undefined
}

describe('a mutated pack', () => {
  const packs: Uint8Array[] = []

  beforeAll(async () => {
    const repository = await createHistory('source-like', scratch.fresh('mutated'), { scale: 0.02 })
    for (const args of [['--delta-base-offset'], []]) {
      packs.push((await packRevisions(repository, scratch.path, args)).pack)
    }
    // Entries so small that a change is likely to meet a header and not a zlib stream.
    const bodies = ['a', 'ab', 'abc'].map((text) => Buffer.from(text))
    const entries: RawPackEntry[] = []
    for (let k = 0; k < 12; k++) {
      entries.push({ type: (['blob', 'commit', 'tag', 'tree'] as const)[k % 4]!, body: bodies[k % 3]! })
      const delta = encodeDelta(bodies[k % 3]!, [{ kind: 'insert', bytes: Buffer.from(`delta ${k}`) }])
      entries.push({ type: 'ofs-delta', base: 2 * k, body: delta })
    }
    packs.push(rawPack(entries))
  })

  test('is always refused by its checksum', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(2),
        fc.nat(1),
        fc.array(change, { minLength: 1, maxLength: 4 }),
        async (which, provider, changes) => {
          const pack = mutate(packs[which]!, changes)
          fc.pre(Buffer.compare(pack, packs[which]!) !== 0)
          expect(await indexOf(pack, provider)).toBeUndefined()
        },
      ),
      { numRuns: 300 },
    )
  })

  test('with its checksum made right is refused, or gets the index that git gives it', async () => {
    let accepted = 0
    await fc.assert(
      fc.asyncProperty(
        fc.nat(2),
        fc.nat(1),
        fc.array(change, { minLength: 1, maxLength: 3 }),
        async (which, provider, changes) => {
          const pack = resealed(mutate(packs[which]!, changes))
          const index = await indexOf(pack, provider)
          if (index === undefined) return
          accepted++
          const expected = await gitIndexOf(pack)
          expect(expected === undefined ? 'refused by git' : Buffer.compare(index, expected)).toBe(0)
        },
      ),
      { numRuns: 1500 },
    )
    expect(accepted).toBeGreaterThan(0)
  })

  test('with its checksum made right is refused only where git refuses it too', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(1), change, async (provider, single) => {
        const pack = resealed(mutate(packs[2]!, [single]))
        const [index, expected] = await Promise.all([indexOf(pack, provider), gitIndexOf(pack)])
        expect(index === undefined).toBe(expected === undefined)
      }),
      { numRuns: 150 },
    )
  })
})
