import { rmSync } from 'node:fs'
import { mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openRepositoryAt } from '../../src/cli/open-repository.ts'
import { createGitHandler } from '../../src/http/index.ts'
import { objectFormat } from '../../src/object/object-format.ts'
import { parseObjectId } from '../../src/object/object-id.ts'
import { readObject } from '../../src/object/object-reader.ts'
import { createMemoryBudget } from '../../src/odb/memory-budget.ts'
import { indexPack } from '../../src/pack/indexer/index-pack.ts'
import { planPack } from '../../src/repository/outgoing-pack.ts'
import { planRepack } from '../../src/repository/repack/repack.ts'
import { openRepository } from '../../src/repository/repository.ts'
import { openBareRepository } from '../../src/storage/fs/index.ts'
import { argument, codecsOf, type CreateOperation } from './operation.ts'

/** Indexes a pack that is in memory. */
export const indexPackOperation: CreateOperation = async (args) => {
  const pack = new Uint8Array(await readFile(argument(args, 'pack')))
  const codecs = codecsOf(args)
  const format = objectFormat('sha1', codecs)
  return async () => (await indexPack(pack, { codecs, format })).index.length
}

/** Takes a pack that is in memory into a folder on disk, together with its index. */
export const ingestOperation: CreateOperation = async (args) => {
  const pack = new Uint8Array(await readFile(argument(args, 'pack')))
  const codecs = codecsOf(args)
  const format = objectFormat('sha1', codecs)
  const folder = await mkdtemp(join(tmpdir(), 'packstone-bench-ingest-'))
  process.on('exit', () => {
    rmSync(folder, { recursive: true, force: true })
  })
  return async () => {
    await writeFile(join(folder, 'ingested.pack'), pack)
    const { index } = await indexPack(pack, { codecs, format })
    await writeFile(join(folder, 'ingested.idx'), index)
    return index.length
  }
}

/** Reads objects by id from a repository that is opened anew each time, so that its caches are empty. */
export const readOperation: CreateOperation = async (args) => {
  const ids = (await readFile(argument(args, 'ids'), 'utf8')).trim().split('\n')
  const codecs = codecsOf(args)
  const cacheBytes = Number(argument(args, 'cacheMegabytes')) << 20
  return async () => {
    const repository = await openRepositoryAt(argument(args, 'repository'), {
      codecs,
      // Half of a budget is for caches.
      memoryBudget: createMemoryBudget(2 * cacheBytes),
    })
    const view = await repository.openView({ objectsOnly: true })
    let bytes = 0
    for (const id of ids) {
      const raw = parseObjectId(id, repository.format)
      const object = view.tryRead(raw) ?? (await readObject(view, raw))
      if (object === null) throw new Error(`${id} is missing`)
      bytes += object.body.length
    }
    await view.close()
    await repository.close()
    return bytes
  }
}

/** Makes the pack of what one commit reaches and another does not, stored bytes reused. */
export const packOperation: CreateOperation = async (args) => {
  const repository = await openRepositoryAt(argument(args, 'repository'), { codecs: codecsOf(args) })
  const request = {
    wants: [argument(args, 'want')],
    haves: [argument(args, 'have')],
    clientShallow: [],
    shallow: [],
    unshallow: [],
    thin: false,
    ofsDelta: true,
    includeTags: [],
  }
  return async () => {
    const view = await repository.openView()
    const plan = await planPack(view, request)
    let bytes = 0
    for await (const piece of plan.write()) bytes += piece.length
    await view.close()
    return bytes
  }
}

/** Packs everything anew, with deltas searched anew, from a repository that is opened anew each time, so that its caches are empty. */
export const repackOperation: CreateOperation = (args) => {
  const codecs = codecsOf(args)
  const path = argument(args, 'repository')
  const search = { window: 10, depth: 50, reuseObjects: false }
  const operation = async (): Promise<number> => {
    const repository = await openRepositoryAt(path, { codecs })
    const view = await repository.openView()
    const refs = await repository.listAdvertisedRefs(view)
    const plan = await planRepack(view, [...new Set(refs.map(({ id }) => id))], search)
    let bytes = 0
    for await (const piece of plan.write()) bytes += piece.length
    await view.close()
    await repository.close()
    return bytes
  }
  return Promise.resolve(operation)
}

/** Answers a clone in process: the handler's response, read to its end. */
export const cloneOperation: CreateOperation = async (args) => {
  const body = await readFile(argument(args, 'request'))
  const storage = await openBareRepository(argument(args, 'repository'))
  if (storage === undefined) throw new Error(`${argument(args, 'repository')} is no repository`)
  const repository = openRepository(storage, { codecs: codecsOf(args) })
  const access = { upload: true, receive: false }
  const handler = createGitHandler({ resolve: () => ({ kind: 'found', repository, access }) })
  return () => drain(handler(cloneRequest(body)))
}

/** The request of a full clone, for handlers of whatever make. */
export function cloneRequest(body: Uint8Array): Request {
  const headers = { 'content-type': 'application/x-git-upload-pack-request', 'git-protocol': 'version=2' }
  const request = { method: 'POST', headers, body: new Uint8Array(body) }
  return new Request('http://localhost/bench/git-upload-pack', request)
}

export async function drain(answer: Promise<Response>): Promise<number> {
  const response = await answer
  if (!response.ok || response.body === null) throw new Error(`answered with ${response.status}`)
  let bytes = 0
  for await (const piece of response.body) bytes += piece.length
  if (bytes < 100) throw new Error(`the answer has ${bytes} bytes`)
  return bytes
}
