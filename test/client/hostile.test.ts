import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { createClient, type ClientOptions } from '../../src/client/index.ts'
import { isGitError } from '../../src/errors.ts'
import { decodeLatin1, encodeLatin1 } from '../../src/bytes/text.ts'
import { gitError } from '../support/git-error.ts'
import type { Repository } from '../../src/repository/repository.ts'
import { openBareRepository } from '../../src/storage/fs/index.ts'
import { openRepository } from '../../src/repository/repository.ts'
import { createNodeCodecs } from '../../src/codec/node/index.ts'
import { git } from '../support/git.ts'
import { createHistory } from '../support/histories.ts'
import { useScratch } from '../support/hooks.ts'
import { cloneWorkTree } from '../support/work-tree.ts'
import {
  BASE,
  emptyRepository,
  fetchFolder,
  readState,
  recording,
  replaying,
  type Recorded,
} from './fake-remote.ts'

const scratch = useScratch()

/** Real traffic: what was answered to one operation on a repository in a known state. */
interface Scene {
  readonly name: string
  readonly records: Recorded[]
  /** Runs the operation against the given answers; resolves with the state before and after. */
  readonly run: (
    options: Pick<ClientOptions, 'fetch'>,
  ) => Promise<{ before: unknown; after: unknown; error: unknown }>
}

const scenes: Scene[] = []

beforeAll(async () => {
  const folder = scratch.fresh('remotes')
  await git(['init', '--quiet', folder])
  const source = await createHistory('source-like', `${folder}/a.git`, { scale: 0.05 })
  await git(['config', 'uploadpack.allowFilter', 'true'], { cwd: source })
  const first = await git(['rev-parse', 'main'], { cwd: source })
  const work = await cloneWorkTree(source, scratch.fresh('work'), [], 10_000)
  await work.commit('new', '1')
  await work.git('push', '--quiet', 'origin', 'main')
  const storage = await openBareRepository(source, { durable: false })
  if (storage === undefined) throw new Error('the remote is gone')
  const pusher = openRepository(storage, { codecs: createNodeCodecs() })
  await git(['init', '--quiet', '--bare', `${folder}/target.git`])

  const fetching = fetchFolder(folder)
  const url = `${BASE}/a.git`
  const incremental = async (): Promise<Repository> => {
    const repository = await emptyRepository()
    await createClient({ url, fetch: fetching }).fetch(repository, {
      refspecs: [`${first}:refs/heads/old`],
      tags: 'none',
    })
    return repository
  }
  const shallow = async (): Promise<Repository> => {
    const repository = await emptyRepository()
    await createClient({ url, fetch: fetching }).clone(repository, { deepen: { depth: 2 } })
    return repository
  }
  const add = async (
    name: string,
    prepare: () => Promise<Repository>,
    work: (repository: Repository, fetch: ClientOptions['fetch']) => Promise<unknown>,
  ): Promise<void> => {
    const records: Recorded[] = []
    const run: Scene['run'] = async ({ fetch }) => {
      const repository = await prepare()
      const before = await readState(repository)
      let error: unknown
      try {
        await work(repository, fetch)
      } catch (thrown) {
        error = thrown
      }
      return { before, after: await readState(repository), error }
    }
    const { error } = await run({ fetch: recording(fetching, records) })
    expect(error, name).toBeUndefined()
    scenes.push({ name, records, run })
  }
  for (const protocol of [0, 2] as const) {
    const clientOf = (fetch: ClientOptions['fetch']): ReturnType<typeof createClient> =>
      createClient({ url, protocol, ...(fetch === undefined ? {} : { fetch }) })
    await add(`a clone in version ${protocol}`, emptyRepository, (repository, fetch) =>
      clientOf(fetch).clone(repository),
    )
    await add(`a fetch in version ${protocol}`, incremental, (repository, fetch) =>
      clientOf(fetch).fetch(repository),
    )
    await add(`a deepening in version ${protocol}`, shallow, (repository, fetch) =>
      clientOf(fetch).fetch(repository, {
        refspecs: ['+refs/heads/*:refs/heads/*'],
        deepen: { depth: 1, relative: true },
      }),
    )
  }
  const named = await createHistory('source-like', `${folder}/named.git`, { scale: 0.05 })
  for (const setting of ['allowFilter', 'allowAnySHA1InWant', 'allowRefInWant'])
    await git(['config', `uploadpack.${setting}`, 'true'], { cwd: named })
  const blob = (await git(['ls-tree', '-r', '--object-only', 'main'], { cwd: named })).slice(0, 40)
  const clientOf = (fetch: ClientOptions['fetch']): ReturnType<typeof createClient> =>
    createClient({ url: `${BASE}/named.git`, ...(fetch === undefined ? {} : { fetch }) })
  const partial = async (): Promise<Repository> => {
    const repository = await emptyRepository()
    await clientOf(fetching).clone(repository, { filter: 'blob:none' })
    return repository
  }
  await add('a clone of refs by name', emptyRepository, (repository, fetch) =>
    clientOf(fetch).clone(repository),
  )
  await add('a partial clone', emptyRepository, (repository, fetch) =>
    clientOf(fetch).clone(repository, { filter: 'blob:none' }),
  )
  await add('objects by id', partial, (repository, fetch) => clientOf(fetch).fetchObjects(repository, [blob]))
  await add(
    'a push',
    () => Promise.resolve(pusher),
    (repository, fetch) =>
      createClient({ url: `${BASE}/target.git`, ...(fetch === undefined ? {} : { fetch }) }).push(
        repository,
        {
          updates: [{ name: 'refs/heads/main', source: 'refs/heads/main' }],
        },
      ),
  )
})

/** One change to the bytes of an answer. */
const mutation = fc.oneof(
  fc.record({ kind: fc.constant('flip' as const), at: fc.nat(), bits: fc.integer({ min: 1, max: 255 }) }),
  fc.record({ kind: fc.constant('cut' as const), at: fc.nat() }),
  fc.record({ kind: fc.constant('drop' as const), at: fc.nat(), length: fc.integer({ min: 1, max: 40 }) }),
  fc.record({
    kind: fc.constant('insert' as const),
    at: fc.nat(),
    bytes: fc.uint8Array({ minLength: 1, maxLength: 12 }),
  }),
  fc.record({ kind: fc.constant('early' as const), at: fc.nat(), bits: fc.integer({ min: 1, max: 255 }) }),
)

type Mutation = typeof mutation extends fc.Arbitrary<infer T> ? T : never

function mutate(body: Uint8Array, change: Mutation): Uint8Array {
  const at = change.at % (body.length + 1)
  const out = body.slice()
  switch (change.kind) {
    case 'flip':
      if (at < out.length) out[at] = (out[at] ?? 0) ^ change.bits
      return out
    case 'early': {
      // Near the beginning, where the lines of the protocol are.
      const near = change.at % Math.min(400, body.length + 1)
      if (near < out.length) out[near] = (out[near] ?? 0) ^ change.bits
      return out
    }
    case 'cut':
      return out.subarray(0, at)
    case 'drop':
      return Buffer.concat([out.subarray(0, at), out.subarray(at + change.length)])
    case 'insert':
      return Buffer.concat([out.subarray(0, at), change.bytes, out.subarray(at)])
  }
}

describe('answers that were tampered with', () => {
  it('end in a GitError that leaves everything as it was, or do no harm', async () => {
    expect(scenes.map(({ name }) => name)).toHaveLength(10)
    let failures = 0
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.nat(), mutation, async (whichScene, whichAnswer, change) => {
        const scene = scenes[whichScene % scenes.length]
        if (scene === undefined) throw new Error('no scene')
        const target = whichAnswer % scene.records.length
        const records = scene.records.map((record, at) =>
          at === target ? { ...record, body: mutate(record.body, change) } : record,
        )
        const { before, after, error } = await scene.run({ fetch: replaying(records) })
        if (error === undefined) return
        failures++
        expect(error).toSatisfy((found) => isGitError(found))
        expect(after).toEqual(before)
      }),
      { numRuns: 250 },
    )
    // Tampering is noticed more often than not.
    expect(failures).toBeGreaterThan(125)
  })

  it('that are cut anywhere end in a GitError that leaves everything as it was', async () => {
    for (const scene of scenes) {
      for (const [target, record] of scene.records.entries()) {
        const step = Math.max(1, Math.floor(record.body.length / 9))
        for (let length = 0; length < record.body.length; length += step) {
          const records = scene.records.map((one, at) =>
            at === target ? { ...one, body: one.body.subarray(0, length) } : one,
          )
          const { before, after, error } = await scene.run({ fetch: replaying(records) })
          expect(
            isGitError(error),
            `${scene.name}, answer ${target} cut at ${length}: ${String(error)}`,
          ).toBe(true)
          expect(after).toEqual(before)
        }
      }
    }
  })
})

describe('a remote that lies about where history ends', () => {
  const lie = async (change: (body: string) => string): Promise<unknown> => {
    const scene = scenes.find(({ name }) => name === 'a deepening in version 0')
    if (scene === undefined) throw new Error('no scene')
    const records = scene.records.map((record) =>
      record.url.endsWith('/git-upload-pack')
        ? { ...record, body: encodeLatin1(change(decodeLatin1(record.body))) }
        : record,
    )
    const { before, after, error } = await scene.run({ fetch: replaying(records) })
    expect(after).toEqual(before)
    return error
  }

  it('is caught when parents do not come', async () => {
    const error = await lie((body) => body.replace(/0034shallow [0-9a-f]{40}/g, ''))
    expect(error).toEqual(gitError('PROTOCOL', 'did not send all necessary objects'))
  })

  it('is caught when it unshallows what is not shallow', async () => {
    const error = await lie((body) => `0036unshallow ${'a5'.repeat(20)}${body}`)
    expect(error).toEqual(gitError('PROTOCOL', 'not shallow here'))
  })
})
