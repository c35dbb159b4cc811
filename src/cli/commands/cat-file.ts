import { concatBytes } from '../../bytes/concat.ts'
import { encodeUtf8 } from '../../bytes/text.ts'
import { readObject } from '../../object/object-reader.ts'
import { parseObjectId } from '../../object/object-id.ts'
import { objectTypeName } from '../../object/object-type.ts'
import type { ObjectView } from '../../odb/object-view.ts'
import type { Repository } from '../../repository/repository.ts'
import { misuse } from '../failure.ts'
import { openRepositoryAt } from '../open-repository.ts'
import { writeOut } from '../output.ts'
import { resolveName } from '../rev-name.ts'

export interface CatFileOptions {
  readonly batch?: boolean
  readonly batchCheck?: boolean
}

/** Answers that may wait to be written together, in bytes. */
const FLUSH_BYTES = 1 << 20

/**
 * `packstone cat-file --batch`: for each line of standard input one object, in the format of `git cat-file --batch`. Whatever
 * has been asked for is answered before more is read, so that a program can ask and answer in turns.
 */
export async function catFileCommand(path: string, options: CatFileOptions): Promise<void> {
  const withContent = options.batch === true
  if (!withContent && options.batchCheck !== true) throw misuse('cat-file needs --batch or --batch-check')

  const repository = await openRepositoryAt(path)
  try {
    const view = await repository.openView()
    try {
      for await (const names of readLines(process.stdin)) {
        let answers: Uint8Array[] = []
        let size = 0
        for (const name of names) {
          const answer = await describe(repository, view, name, withContent)
          answers.push(...answer)
          for (const piece of answer) size += piece.length
          if (size < FLUSH_BYTES) continue
          await writeOut(concatBytes(answers))
          answers = []
          size = 0
        }
        if (size > 0) await writeOut(concatBytes(answers))
      }
    } finally {
      await view.close()
    }
  } finally {
    await repository.close()
  }
}

async function describe(
  repository: Repository,
  view: ObjectView,
  name: string,
  withContent: boolean,
): Promise<Uint8Array[]> {
  const id = await resolveName(repository, name)
  const object = id === undefined ? null : await readObject(view, parseObjectId(id, repository.format))
  if (id === undefined || object === null) return [encodeUtf8(`${name} missing\n`)]
  const head = encodeUtf8(`${id} ${objectTypeName(object.type)} ${object.body.length}\n`)
  return withContent ? [head, object.body, encodeUtf8('\n')] : [head]
}

/** The lines of a stream, as many at a time as have arrived. A last line may lack its end. */
async function* readLines(input: AsyncIterable<Uint8Array>): AsyncGenerator<string[], void, undefined> {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  let rest = ''
  for await (const chunk of input) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
    rest = lines.pop() ?? ''
    if (lines.length > 0) yield lines
  }
  rest += decoder.decode()
  if (rest !== '') yield [rest]
}
