import { FastImport, type FileChange } from '../fast-import.ts'
import { randomLine, randomLines, type Random } from '../random.ts'
import type { HistoryContext } from './shape.ts'

interface SourceFile {
  readonly path: string
  readonly lines: string[]
}

const ROOMS = [
  'src',
  'src/core',
  'src/core/parse',
  'src/net',
  'src/net/http',
  'test',
  'test/core',
  'docs',
  'tools',
]

/**
 * A project of many small text files, edited a few lines at a time, with side branches merged back, files added,
 * moved and deleted, and release tags. At scale 1 some 1 800 objects; every unit of scale adds as many.
 */
export async function sourceLike({ repository, random, scale }: HistoryContext): Promise<void> {
  const stream = new FastImport()
  const files: SourceFile[] = []
  const created: FileChange[] = []
  for (let count = 0; count < 80; count++) created.push(...addFile(random, files))
  let tip = stream.commit({ ref: 'refs/heads/main', message: 'Begin\n', changes: created })

  const commits = Math.round(260 * scale)
  for (let count = 1; count <= commits; count++) {
    const changes = editSome(random, files)
    if (count % 10 === 0) {
      const side = stream.commit({ ref: 'refs/heads/topic', parents: [tip], changes })
      const main = stream.commit({ ref: 'refs/heads/main', parents: [tip], changes: addFile(random, files) })
      // The merge's tree is the second parent's side written again over the first parent's.
      tip = stream.commit({
        ref: 'refs/heads/main',
        parents: [main, side],
        message: `Merge topic ${count}\n`,
        changes,
      })
    } else {
      tip = stream.commit({ ref: 'refs/heads/main', parents: [tip], changes })
    }
    if (count % 60 === 0) stream.tag(`v0.${count / 60}`, tip, `Release ${count / 60}\n`)
    if (count % 90 === 0) stream.ref(`refs/tags/build-${count}`, tip)
  }
  await stream.run(repository)
}

function addFile(random: Random, files: SourceFile[]): FileChange[] {
  const file = {
    path: `${random.pick(ROOMS)}/file-${files.length}-${random.below(1000)}.ts`,
    lines: randomLines(random, 10 + random.below(90)),
  }
  files.push(file)
  return [write(file)]
}

function editSome(random: Random, files: SourceFile[]): FileChange[] {
  if (random.chance(0.04)) return addFile(random, files)
  if (random.chance(0.02) && files.length > 60) {
    const [gone] = files.splice(random.below(files.length), 1)
    if (gone !== undefined) return [{ kind: 'delete', path: gone.path }]
  }
  const edited = new Set<SourceFile>()
  for (let count = 1 + random.below(3); count > 0; count--) edited.add(random.pick(files))
  return [...edited].map((file) => {
    for (let edits = 1 + random.below(3); edits > 0; edits--) {
      const replaced = random.below(3)
      file.lines.splice(
        random.below(file.lines.length),
        replaced,
        ...randomLines(random, random.below(3)),
        randomLine(random),
      )
    }
    return write(file)
  })
}

function write(file: SourceFile): FileChange {
  return { kind: 'write', path: file.path, content: `${file.lines.join('\n')}\n` }
}
