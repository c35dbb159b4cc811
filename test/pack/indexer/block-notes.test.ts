import { expect, test } from 'vitest'
import { createNodeCodecs } from '../../../src/codec/node/index.ts'
import type { HashAlgorithm } from '../../../src/codec/ports.ts'
import { objectFormat } from '../../../src/object/object-format.ts'
import { indexPack } from '../../../src/pack/indexer/index-pack.ts'
import { encodeDelta, evaluate, type Instruction } from '../../delta/naive-delta.ts'
import { createRandom, type Random } from '../../support/random.ts'
import { rawPack, type RawPackEntry } from '../raw-entries.ts'

const codecs = createNodeCodecs()
const format = objectFormat('sha1', codecs)

/** A hash whose note of a block follows from all of its bytes, and that refuses a note of another block. */
function createSuspiciousHash(): { readonly hash: HashAlgorithm; readonly known: () => number } {
  let known = 0
  const noteOf = (block: Uint8Array): number => {
    let sum = 0
    for (const byte of block) sum = (31 * sum + byte) % 65_521
    return 1 + (sum % 255)
  }
  return {
    known: () => known,
    hash: {
      ...codecs.sha1,
      digestNotedInto(bytes, start, end, out, at, notes, notesAt) {
        for (let block = 0; start + 64 * (block + 1) <= end; block++) {
          const note = noteOf(bytes.subarray(start + 64 * block, start + 64 * (block + 1)))
          const found = notes[notesAt + block]!
          if (found !== 0) known++
          if (found !== 0 && found !== note) throw new Error(`block ${block} has the note of another one`)
          notes[notesAt + block] = note
        }
        codecs.sha1.digestRangeInto(bytes, start, end, out, at)
      },
    },
  }
}

/** A change somewhere, of the same length, longer or shorter, in two places now and then. */
function change(random: Random, length: number): Instruction[] {
  const cut = random.below(length)
  const added = random.below(3) === 0 ? 1 + random.below(100) : 64 * random.below(2)
  const removed = Math.min(random.below(2) === 0 ? added : random.below(200), length - cut)
  const copy = (offset: number, size: number): Instruction[] => {
    const step = 1 + random.below(0xffff)
    const copies: Instruction[] = []
    for (let at = 0; at < size; at += step)
      copies.push({ kind: 'copy', offset: offset + at, size: Math.min(step, size - at) })
    return copies
  }
  return [
    ...copy(0, cut),
    ...(added > 0 ? [{ kind: 'insert', bytes: random.bytes(added) } as const] : []),
    ...copy(cut + removed, length - cut - removed),
  ]
}

function deltaTree(random: Random, size: number, count: number): RawPackEntry[] {
  const bodies = [random.bytes(size)]
  const entries: RawPackEntry[] = [{ type: 'blob', body: bodies[0]! }]
  while (bodies.length < count) {
    const base = random.below(3) === 0 ? random.below(bodies.length) : bodies.length - 1
    const body = bodies[base]!
    const instructions = change(random, body.length)
    entries.push({ type: 'ofs-delta', base, body: encodeDelta(body, instructions) })
    bodies.push(evaluate(body, instructions))
  }
  return entries
}

test.each([
  [1000, 60],
  [10_000, 40],
  [99_990, 20],
  [1_300_000, 8],
])(
  'in delta trees of %i bytes a hash sees notes of no other blocks than those at hand',
  async (size, count) => {
    for (let seed = 0; seed < (size < 1e6 ? 3 : 1); seed++) {
      const pack = rawPack(deltaTree(createRandom(seed), size, count))
      const { hash, known } = createSuspiciousHash()
      const noted = await indexPack(pack, { codecs, format, objectHash: hash })
      expect(known()).toBeGreaterThan(0)
      const plain = await indexPack(pack, { codecs, format })
      expect(Buffer.compare(noted.index, plain.index)).toBe(0)
      const checked = createNodeCodecs({ collisionDetection: true })
      const detecting = await indexPack(pack, { codecs, format, objectHash: checked.sha1 })
      expect(Buffer.compare(detecting.index, plain.index)).toBe(0)
    }
  },
)
