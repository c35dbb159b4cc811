import { encodeUtf8 } from '../../bytes/text.ts'
import { isObjectId, parseObjectId } from '../../object/object-id.ts'
import type { RawObject } from '../../object/object-reader.ts'
import { objectTypeName, type ObjectType } from '../../object/object-type.ts'
import type { ObjectView } from '../../odb/object-view.ts'
import { readBatch } from '../../odb/read-batch.ts'
import type { Repository } from '../../repository/repository.ts'
import { AnswerOutput } from '../answer-output.ts'
import { misuse } from '../failure.ts'
import { openRepositoryAt } from '../open-repository.ts'
import { resolveName } from '../rev-name.ts'

export interface CatFileOptions {
  readonly batch?: boolean
  readonly batchCheck?: boolean
}

/** Bytes of objects that may wait for others which were asked for before them. */
const HELD_BYTES = 32 << 20

/** What is said about an object: its body only where that is wanted. */
interface ObjectAnswer {
  readonly type: ObjectType
  readonly size: number
  readonly body: Uint8Array | undefined
}

/**
 * `packstone cat-file --batch`: for each line of standard input one object, in the format of `git cat-file --batch`. Whatever
 * has been asked for is answered before more is read, so that a program can ask and answer in turns.
 */
export async function catFileCommand(path: string, options: CatFileOptions): Promise<void> {
  const withContent = options.batch === true
  if (!withContent && options.batchCheck !== true) throw misuse('cat-file needs --batch or --batch-check')

  const repository = await openRepositoryAt(path)
  try {
    const view = await repository.openView({ objectsOnly: true })
    try {
      const output = new AnswerOutput()
      for await (const names of readLines(process.stdin)) {
        try {
          await answerAll(repository, view, names, withContent, output)
        } finally {
          await output.flush()
        }
      }
    } finally {
      await view.close()
    }
  } finally {
    await repository.close()
  }
}

async function answerAll(
  repository: Repository,
  view: ObjectView,
  names: readonly string[],
  withContent: boolean,
  output: AnswerOutput,
): Promise<void> {
  const { format } = repository
  const ids: (string | undefined)[] = []
  for (const name of names) ids.push(isObjectId(name, format) ? name : await resolveName(repository, name))
  const found: number[] = []
  ids.forEach((id, at) => {
    if (id !== undefined) found.push(at)
  })
  let told = 0
  // Names of nothing are told where they stand among the others.
  const tellMissing = (end: number): Promise<void> | undefined => {
    let text = ''
    for (; told < end; told++) if (ids[told] === undefined) text += `${names[told]!} missing\n`
    return text === '' ? undefined : output.add(encodeUtf8(text))
  }
  await readBatch<ObjectAnswer>(view, {
    ids: found.map((at) => parseObjectId(ids[at]!, format)),
    tryAnswer: withContent ? (id) => tryContent(view, id) : (id) => tryFacts(view, id),
    weigh: ({ body }) => body?.length ?? 0,
    maxHeldBytes: HELD_BYTES,
    take: (answer, position) => {
      const at = found[position]!
      const telling = tellMissing(at)
      told = at + 1
      const tell = (): Promise<void> | undefined => {
        if (answer === null) return output.add(encodeUtf8(`${names[at]!} missing\n`))
        const { type, size, body } = answer
        return output.addObject(`${ids[at]!} ${objectTypeName(type)} ${size}\n`, body)
      }
      return telling === undefined ? tell() : telling.then(tell)
    },
  })
  await tellMissing(names.length)
}

function tryContent(view: ObjectView, id: Uint8Array): ObjectAnswer | null | undefined {
  const object: RawObject | null | undefined = view.tryRead(id)
  return object && { type: object.type, size: object.body.length, body: object.body }
}

function tryFacts(view: ObjectView, id: Uint8Array): ObjectAnswer | null | undefined {
  const type = view.tryType(id)
  const size = view.trySize(id)
  if (type === null || size === null) return null
  return type === undefined || size === undefined ? undefined : { type, size, body: undefined }
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
