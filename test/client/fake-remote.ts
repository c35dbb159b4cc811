import { createNodeCodecs } from '../../src/codec/node/index.ts'
import type { FetchFunction } from '../../src/client/index.ts'
import { createGitHandler } from '../../src/http/index.ts'
import { openRepository, type Repository } from '../../src/repository/repository.ts'
import { createMemoryStorage } from '../../src/storage/memory/index.ts'
import { resolveFolder } from '../support/client-servers.ts'

/** Where the fake remotes are. */
export const BASE = 'http://remote.test'

/** A `fetch` that is answered by our own handler over a folder of bare repositories, without sockets. */
export function fetchFolder(folder: string): FetchFunction {
  const handler = createGitHandler({ resolve: resolveFolder(folder) })
  return (url, init) => handler(new Request(url, init))
}

/** An empty repository in memory: nothing has to be closed. */
export async function emptyRepository(objectFormat: 'sha1' | 'sha256' = 'sha1'): Promise<Repository> {
  const storage = await createMemoryStorage().create('here', { objectFormat, head: 'refs/heads/main' })
  return openRepository(storage, { codecs: createNodeCodecs() })
}

/** Everything that a fetch may change. */
export async function readState({ storage }: Repository): Promise<unknown> {
  const packs = await storage.listPacks()
  return {
    refs: await storage.listRefs(''),
    head: await storage.readRefs(['HEAD']),
    packs: packs.map(({ name }) => name).sort(),
    shallow: await storage.readShallow(),
    config: await storage.readConfig(),
  }
}

/** An answer as it was given. */
export interface Recorded {
  readonly url: string
  readonly status: number
  readonly type: string
  readonly body: Uint8Array
}

/** A `fetch` that also writes down what is answered. */
export function recording(inner: FetchFunction, records: Recorded[]): FetchFunction {
  return async (url, init) => {
    const response = await inner(url, init)
    const body = new Uint8Array(await response.arrayBuffer())
    const type = response.headers.get('Content-Type') ?? ''
    records.push({ url, status: response.status, type, body })
    return answerOf({ url, status: response.status, type, body })
  }
}

/** A `fetch` that answers what was written down, in order, and then that nobody is there. */
export function replaying(records: readonly Recorded[]): FetchFunction {
  let at = 0
  return () => {
    const record = records[at++]
    return record === undefined
      ? Promise.reject(new TypeError('connection refused'))
      : Promise.resolve(answerOf(record))
  }
}

/** An answer with a body in two pieces. */
export function answerOf({ status, type, body }: Recorded): Response {
  const middle = body.length >> 1
  const stream = new ReadableStream<Uint8Array>({
    start(controller) {
      if (middle > 0) controller.enqueue(body.slice(0, middle))
      if (body.length > middle) controller.enqueue(body.slice(middle))
      controller.close()
    },
  })
  return new Response(stream, { status, headers: { 'Content-Type': type } })
}
