import { FastImport, type FileChange } from '../fast-import.ts'
import { randomLine } from '../random.ts'
import type { HistoryContext } from './shape.ts'

/** Large JSON files of which each commit changes a few records: long delta chains over large bases. */
export async function dataLike({ repository, random, scale }: HistoryContext): Promise<void> {
  const stream = new FastImport()
  const tables = [400, 1000, 2500].map((rows, at) => ({
    path: `data/table-${at}.json`,
    rows: Array.from({ length: rows }, (_, id) => ({
      id,
      score: random.below(1e6),
      text: randomLine(random),
    })),
  }))
  for (let count = Math.round(20 * scale); count > 0; count--) {
    const changes = tables.map(({ path, rows }): FileChange => {
      for (let edits = 5; edits > 0; edits--) {
        rows[random.below(rows.length)] = {
          id: random.below(1e6),
          score: random.below(1e6),
          text: randomLine(random),
        }
      }
      return { kind: 'write', path, content: JSON.stringify(rows, null, 1) }
    })
    stream.commit({ ref: 'refs/heads/main', changes })
  }
  await stream.run(repository)
}

/** A few blobs of several megabytes: random bytes, text, and one that is a slightly changed copy. */
export async function largeBlobs({ repository, random, scale }: HistoryContext): Promise<void> {
  const stream = new FastImport()
  const noise = random.bytes(Math.round(3_000_000 * scale))
  const zeros = new Uint8Array(Math.round(9_000_000 * scale))
  stream.commit({
    ref: 'refs/heads/main',
    changes: [
      { kind: 'write', path: 'noise.bin', content: noise },
      { kind: 'write', path: 'zeros.bin', content: zeros },
    ],
  })
  const changed = Buffer.concat([noise.subarray(0, 1_000_000), random.bytes(17), noise.subarray(1_000_100)])
  const text = `${randomLine(random)}\n`.repeat(60_000)
  stream.commit({
    ref: 'refs/heads/main',
    changes: [
      { kind: 'write', path: 'noise.bin', content: changed },
      { kind: 'write', path: 'text.txt', content: text },
    ],
  })
  await stream.run(repository)
}

/** Thousands of files of a few bytes in some hundred directories. */
export async function tinyFiles({ repository, random, scale }: HistoryContext): Promise<void> {
  const stream = new FastImport()
  const count = Math.round(2500 * scale)
  const file = (at: number): FileChange => ({
    kind: 'write',
    path: `d${at % 120}/e${at % 7}/${at}`,
    content: String(random.below(1e9)),
  })
  stream.commit({ ref: 'refs/heads/main', changes: Array.from({ length: count }, (_, at) => file(at)) })
  for (let commit = 0; commit < 10; commit++) {
    stream.commit({
      ref: 'refs/heads/main',
      changes: Array.from({ length: 60 }, () => file(random.below(count))),
    })
  }
  await stream.run(repository)
}

/** Ten thousand files in one tree, which then changes by one entry at a time. */
export async function wideTree({ repository, random, scale }: HistoryContext): Promise<void> {
  const stream = new FastImport()
  const count = Math.round(10_000 * scale)
  const path = (at: number): string => `file-${String(at).padStart(6, '0')}.txt`
  const changes = Array.from({ length: count }, (_, at): FileChange => ({
    kind: 'write',
    path: path(at),
    content: `${at % 1000}\n`,
  }))
  stream.commit({ ref: 'refs/heads/main', changes })
  for (let commit = 0; commit < 8; commit++) {
    const at = random.below(count)
    stream.commit({
      ref: 'refs/heads/main',
      changes: [{ kind: 'write', path: path(at), content: `changed ${commit}\n` }],
    })
  }
  await stream.run(repository)
}

/** Directories inside directories, hundreds deep. */
export async function deepDirectories({ repository, random, scale }: HistoryContext): Promise<void> {
  const stream = new FastImport()
  const depth = Math.round(300 * scale)
  for (let commit = 0; commit < 8; commit++) {
    const changes: FileChange[] = []
    for (let level = 1 + random.below(7); level <= depth; level += 37) {
      changes.push({
        kind: 'write',
        path: `${'d/'.repeat(level)}leaf-${commit % 3}`,
        content: randomLine(random),
      })
    }
    stream.commit({ ref: 'refs/heads/main', changes })
  }
  await stream.run(repository)
}

/** Binary files whose sizes and edits stand at the borders of the delta and pack-entry encodings. */
export async function binary({ repository, random, scale }: HistoryContext): Promise<void> {
  const stream = new FastImport()
  const sizes = [0, 1, 15, 16, 127, 128, 2047, 2048, 65_535, 65_536, 65_537, 131_072, 200_000]
  const contents = sizes.map((size) => random.bytes(size))
  for (let commit = 0; commit < Math.round(8 * scale); commit++) {
    const changes = contents.map((bytes, at): FileChange => {
      const cut = random.below(bytes.length + 1)
      const inserted = random.bytes(commit === 0 ? 0 : random.below(300))
      contents[at] = Buffer.concat([bytes.subarray(0, cut), inserted, bytes.subarray(cut + random.below(20))])
      return { kind: 'write', path: `bin/${sizes[at]}`, content: contents[at] ?? bytes }
    })
    stream.commit({ ref: 'refs/heads/main', changes })
  }
  await stream.run(repository)
}
