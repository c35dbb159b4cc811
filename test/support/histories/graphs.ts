import { FastImport, type FileChange } from '../fast-import.ts'
import { randomLine, randomLines } from '../random.ts'
import type { HistoryContext } from './shape.ts'

/** Merges of every kind: criss-cross, octopus, of unrelated roots, of a commit with its own ancestor; many branches. */
export async function merges({ repository, random, scale }: HistoryContext): Promise<void> {
  const stream = new FastImport()
  const marks: number[] = []
  const touch = (): FileChange[] => [
    {
      kind: 'write',
      path: `part-${random.below(12)}/file-${random.below(6)}`,
      content: `${randomLine(random)}\n`,
    },
  ]
  for (let root = 0; root < 3; root++) {
    marks.push(stream.commit({ ref: 'refs/heads/main', parents: [], changes: touch() }))
  }
  for (let count = Math.round(250 * scale); count > 0; count--) {
    const width = random.chance(0.25) ? 2 : random.chance(0.05) ? 3 + random.below(14) : 1
    const parents = new Set<number>()
    while (parents.size < Math.min(width, marks.length)) {
      const recent = marks.slice(-12)
      parents.add(random.chance(0.8) ? random.pick(recent) : random.pick(marks))
      if (parents.size >= recent.length) break
    }
    marks.push(stream.commit({ ref: 'refs/heads/main', parents: [...parents], changes: touch() }))
  }
  marks.slice(-9).forEach((mark, at) => {
    stream.ref(`refs/heads/line/${at}`, mark)
  })
  marks.slice(-60, -9).forEach((mark, at) => {
    if (at % 5 === 0) stream.tag(`t${at}`, mark, 'tagged\n')
  })
  await stream.run(repository)
}

/** Files and directories renamed, copied, swapped, and a file that becomes a directory and back. */
export async function renames({ repository, random, scale }: HistoryContext): Promise<void> {
  const stream = new FastImport()
  const content = (): string => `${randomLines(random, 40).join('\n')}\n`
  const ref = 'refs/heads/main'
  const changes: FileChange[] = []
  for (let at = 0; at < 40; at++)
    changes.push({ kind: 'write', path: `lib/m${at % 5}/f${at}`, content: content() })
  stream.commit({ ref, changes: [...changes, { kind: 'write', path: 'thing', content: 'a file\n' }] })
  for (let round = 0; round < Math.round(12 * scale); round++) {
    const [from, to] = round % 2 === 0 ? ['lib', 'packages/lib'] : ['packages/lib', 'lib']
    stream.commit({ ref, changes: [{ kind: 'rename', from, to }] })
    stream.commit({ ref, changes: [{ kind: 'copy', from: `${to}/m1`, to: `copies/${round}` }] })
    stream.commit({
      ref,
      changes: [
        { kind: 'rename', from: `${to}/m2`, to: 'swap' },
        { kind: 'rename', from: `${to}/m3`, to: `${to}/m2` },
        { kind: 'rename', from: 'swap', to: `${to}/m3` },
      ],
    })
    const thing: FileChange =
      round % 2 === 0
        ? { kind: 'write', path: 'thing/inside', content: 'now a directory\n' }
        : { kind: 'write', path: 'thing', content: 'a file again\n' }
    stream.commit({ ref, changes: [{ kind: 'delete', path: 'thing' }, thing] })
  }
  await stream.run(repository)
}
