import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { deflateSync } from 'node:zlib'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { applyDelta } from '../../src/delta/apply-delta.ts'
import { BLOCK } from '../../src/delta/block-hash.ts'
import { DeltaHeader } from '../../src/delta/delta-header.ts'
import { DeltaIndex } from '../../src/delta/delta-index.ts'
import { DeltaTarget } from '../../src/delta/delta-target.ts'
import { encodeDelta, maxDeltaSize } from '../../src/delta/encode-delta.ts'
import { encodeEntryHeader, MAX_ENTRY_HEADER, REF_DELTA } from '../../src/pack/entry-header.ts'
import { packRevisions, readAllObjects } from '../pack/git-packs.ts'
import { createHistory } from '../support/histories.ts'
import { git } from '../support/git.ts'
import { createRandom } from '../support/random.ts'
import { editedBytes, editedText, longRuns, repetitive, unrelated, type Pair } from './edited-pairs.ts'

const KINDS = { editedText, editedBytes, repetitive, unrelated, longRuns }

/** Bytes around what the encoder may write; none may change. */
const GUARD = 8

/** Bytes of the id by which a ref-delta names its base. */
const ID_LENGTH = 20

function encode(
  { base, target }: Pair,
  maxSize = maxDeltaSize(target.length),
  index = new DeltaIndex(),
  deltaTarget = new DeltaTarget(),
): Uint8Array | undefined {
  index.reset(base)
  deltaTarget.reset(target)
  const out = new Uint8Array(maxSize + 2 * GUARD).fill(0xa5)
  const length = encodeDelta(index, deltaTarget, out, GUARD, maxSize)
  const guards = [...out.subarray(0, GUARD), ...out.subarray(maxSize + GUARD)]
  expect(guards).toEqual(new Array(2 * GUARD).fill(0xa5))
  return length === undefined ? undefined : out.slice(GUARD, GUARD + length)
}

function apply(base: Uint8Array, delta: Uint8Array): Uint8Array {
  const header = new DeltaHeader()
  header.parse(delta, 0, delta.length)
  expect(header.baseSize).toBe(base.length)
  const out = new Uint8Array(header.resultSize)
  applyDelta(delta, header.at, delta.length, base, 0, base.length, out, 0, out.length)
  return out
}

/** The sizes of the copies of a delta, read as gitformat-pack describes them. */
function copySizes(delta: Uint8Array): number[] {
  const header = new DeltaHeader()
  header.parse(delta, 0, delta.length)
  const sizes: number[] = []
  for (let at = header.at; at < delta.length;) {
    const op = delta[at++] ?? 0
    if (op < 0x80) {
      at += op
      continue
    }
    let size = 0
    for (let bit = 0; bit < 7; bit++) {
      if ((op & (1 << bit)) === 0) continue
      if (bit >= 4) size += (delta[at] ?? 0) << (8 * (bit - 4))
      at++
    }
    sizes.push(size === 0 ? 0x10000 : size)
  }
  return sizes
}

describe.each(Object.entries(KINDS))('a delta of %s', (kind, make) => {
  const runs = { numRuns: kind === 'longRuns' ? 15 : 300 }
  const seeds = fc.nat()
  const pairOf = (seed: number): Pair => make(createRandom(seed))
  /** Nothing that prints megabytes when it fails. */
  const same = (one: Uint8Array | undefined, other: Uint8Array | undefined): boolean =>
    one !== undefined && other !== undefined && Buffer.compare(one, other) === 0

  test('applied to its base makes the target, and copies no more at once than packs of version 2 may', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const pair = pairOf(seed)
        const delta = encode(pair) ?? new Uint8Array()
        expect(same(apply(pair.base, delta), pair.target)).toBe(true)
        expect(Math.max(0, ...copySizes(delta))).toBeLessThanOrEqual(0x10000)
      }),
      runs,
    )
  })

  test('is the same under every limit that it fits, and is refused under every other', () => {
    fc.assert(
      fc.property(seeds, fc.nat(400), (seed, limit) => {
        const pair = pairOf(seed)
        const delta = encode(pair) ?? new Uint8Array()
        for (const maxSize of [limit, delta.length - 1, delta.length, delta.length + 1]) {
          const limited = encode(pair, maxSize)
          expect(limited === undefined).toBe(delta.length > maxSize)
          if (limited !== undefined) expect(same(limited, delta)).toBe(true)
        }
      }),
      { numRuns: Math.ceil(runs.numRuns / 3) },
    )
  })

  test('does not depend on what the index and the target were used for before', () => {
    const index = new DeltaIndex()
    const target = new DeltaTarget()
    fc.assert(
      fc.property(seeds, seeds, (seed, otherSeed) => {
        const one = pairOf(seed)
        const other = pairOf(otherSeed)
        const mixed = { base: one.base, target: other.target }
        for (const pair of [one, mixed, other]) {
          expect(same(encode(pair, undefined, index, target), encode(pair))).toBe(true)
        }
      }),
      { numRuns: Math.ceil(runs.numRuns / 3) },
    )
  })
})

test('one target is encoded on many bases, whatever parts of it were hashed before', () => {
  const random = createRandom(7)
  const target = new DeltaTarget()
  const pair = longRuns(random)
  target.reset(pair.target)
  for (let round = 0; round < 40; round++) {
    const at = random.below(pair.target.length)
    const bases = [pair.base, pair.target.slice(at), pair.target.slice(0, at), random.bytes(1000)]
    const index = new DeltaIndex()
    const base = random.pick(bases)
    index.reset(base)
    const out = new Uint8Array(maxDeltaSize(pair.target.length))
    const length = encodeDelta(index, target, out, 0, out.length) ?? 0
    const fresh = encode({ base, target: pair.target }) ?? new Uint8Array()
    expect(Buffer.compare(out.slice(0, length), fresh)).toBe(0)
  }
})

test.each([editedText, editedBytes])(
  'between its first and its last copy a delta has none that is shorter than a block: deflated, those take more than their bytes',
  (make) => {
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const inner = copySizes(encode(make(createRandom(seed))) ?? new Uint8Array()).slice(1, -1)
        expect(Math.min(BLOCK, ...inner)).toBe(BLOCK)
      }),
      { numRuns: 300 },
    )
  },
)

test('a target that is its base costs the two sizes and its copies', () => {
  const bytes = createRandom(1).bytes(0x10000)
  expect(encode({ base: bytes, target: bytes })?.length).toBe(3 + 3 + 1)
})

describe('on the pairs of objects that git made deltas of', () => {
  let top: string
  beforeAll(async () => {
    top = await mkdtemp(join(tmpdir(), 'packstone-delta-'))
  })
  afterAll(() => rm(top, { recursive: true, force: true }))

  test.each(['source-like', 'data-like'] as const)(
    'of a %s history deltas are together at most a hundredth larger than git’s, and so they are deflated',
    async (shape) => {
      const repository = await createHistory(shape, join(top, shape))
      const { name } = await packRevisions(repository, top, ['--no-reuse-delta', '--window=10', '--depth=50'])
      const listed = await git(['verify-pack', '-v', join(top, `${name}.idx`)], { cwd: repository })
      const objects = await readAllObjects(repository)
      let ours = 0
      let theirs = 0
      const header = new Uint8Array(MAX_ENTRY_HEADER)
      let oursDeflated = 0
      let theirsDeflated = 0
      for (const line of listed.split('\n')) {
        const [id = '', , size, packed, , depth, baseId = ''] = line.split(/ +/)
        const target = objects.get(id)
        const base = objects.get(baseId)
        if (depth === undefined || target === undefined || base === undefined) continue
        const delta = encode({ base: base.body, target: target.body })
        theirs += Number(size)
        ours += delta?.length ?? NaN
        theirsDeflated += Number(packed) - encodeEntryHeader(REF_DELTA, Number(size), header, 0) - ID_LENGTH
        oursDeflated += deflateSync(delta ?? new Uint8Array()).length
      }
      expect(theirs).toBeGreaterThan(1000)
      expect(ours).toBeLessThanOrEqual(1.01 * theirs)
      expect(oursDeflated).toBeLessThanOrEqual(1.01 * theirsDeflated)
    },
  )
})
