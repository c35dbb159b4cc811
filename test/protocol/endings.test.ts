import { describe, expect, it } from 'vitest'
import { isGitError } from '../../src/errors.ts'
import { createNodeCodecs } from '../../src/codec/node/index.ts'
import { receivePack, uploadPack } from '../../src/protocol/service.ts'
import { openRepository, type Repository } from '../../src/repository/repository.ts'
import { createMemoryStorage } from '../../src/storage/memory/index.ts'
import { chunked, collect, DELIM, FLUSH, packets, wire } from './wire.ts'

const ZERO = '0'.repeat(40)
const SOME = '1'.repeat(40)

async function createRepository(): Promise<Repository> {
  const storage = await createMemoryStorage().create('a', { objectFormat: 'sha1', head: 'refs/heads/main' })
  return openRepository(storage, { codecs: createNodeCodecs() })
}

async function codeOf(stream: AsyncIterable<Uint8Array>): Promise<string> {
  try {
    await collect(stream)
    return 'none'
  } catch (error) {
    return isGitError(error) ? error.code : 'other'
  }
}

/** A request that fails on the way, and tells whether it was let go. */
function breaking(start: Uint8Array): {
  readonly stream: AsyncIterable<Uint8Array>
  readonly isClosed: () => boolean
} {
  let closed = false
  async function* run(): AsyncGenerator<Uint8Array> {
    try {
      await Promise.resolve()
      yield start
      yield new Uint8Array(0)
      throw new Error('the line is dead')
    } finally {
      closed = true
    }
  }
  return { stream: run(), isClosed: () => closed }
}

const MESSAGES: Readonly<Record<string, string>> = {
  maxRequestBytes: 'more than 100 bytes',
  maxPackets: 'more than 4 packets',
}

describe('limits', () => {
  const cases: readonly [string, 0 | 2, Uint8Array, object][] = [
    [
      'maxRequestBytes',
      2,
      wire('command=ls-refs', DELIM, `ref-prefix ${'x'.repeat(500)}`, FLUSH),
      { maxRequestBytes: 100 },
    ],
    [
      'maxPackets',
      2,
      wire('command=ls-refs', DELIM, 'ref-prefix a', 'ref-prefix b', FLUSH),
      { maxPackets: 4 },
    ],
    ['maxWants', 2, wire('command=fetch', DELIM, `want ${ZERO}`, `want ${SOME}`, FLUSH), { maxWants: 1 }],
    ['maxHaves', 2, wire('command=fetch', DELIM, `have ${ZERO}`, `have ${ZERO}`, FLUSH), { maxHaves: 1 }],
    ['maxShallows', 0, wire(`shallow ${ZERO}`, `shallow ${SOME}`, FLUSH), { maxShallows: 1 }],
  ]
  it.each(cases)('%s is told to the client of a fetch', async (limit, version, request, limits) => {
    const repository = await createRepository()
    const answer = await collect(uploadPack(repository, chunked(request), { version, options: { limits } }))
    await expect(packets(answer)).rejects.toThrow(MESSAGES[limit] ?? limit)
  })

  it.each([
    ['maxCommands', { maxCommands: 1 }],
    ['maxRefNameLength', { maxRefNameLength: 12 }],
  ])('%s is told to the client of a push', async (limit, limits) => {
    const repository = await createRepository()
    const request = wire(
      `${SOME} ${ZERO} refs/heads/a\0report-status`,
      `${SOME} ${ZERO} refs/heads/long`,
      FLUSH,
    )
    const answer = await collect(receivePack(repository, chunked(request), { options: { limits } }))
    await expect(packets(answer)).rejects.toThrow(limit)
  })
})

describe('a request that breaks off', () => {
  it('passes its error on before anything is answered, and is let go', async () => {
    const repository = await createRepository()
    const { stream, isClosed } = breaking(wire('command=ls-refs'))
    expect(await codeOf(uploadPack(repository, stream, { version: 2, options: {} }))).toBe('other')
    expect(isClosed()).toBe(true)
  })

  it('within a pack changes nothing', async () => {
    const repository = await createRepository()
    const { stream, isClosed } = breaking(wire(`${ZERO} ${SOME} refs/heads/a\0report-status`, FLUSH))
    expect(await codeOf(receivePack(repository, stream, { options: {} }))).toBe('other')
    expect(isClosed()).toBe(true)
    expect(await repository.storage.listRefs('')).toEqual([])
  })
})

it('a consumer that leaves early lets go of the request', async () => {
  const repository = await createRepository()
  let closed = false
  async function* request(): AsyncGenerator<Uint8Array> {
    try {
      await Promise.resolve()
      yield wire('command=ls-refs', DELIM, 'symrefs', 'unborn', FLUSH)
      yield wire('never read')
    } finally {
      closed = true
    }
  }
  for await (const packet of uploadPack(repository, request(), { version: 2, options: {} })) {
    expect((await packets(packet))[0]).toBe('unborn HEAD symref-target:refs/heads/main')
    break
  }
  expect(closed).toBe(true)
})
