import fc from 'fast-check'
import { beforeAll, expect, it } from 'vitest'
import { concatBytes } from '../../src/bytes/concat.ts'
import { createNodeCodecs } from '../../src/codec/node/index.ts'
import { isGitError } from '../../src/errors.ts'
import { hashObject } from '../../src/object/object-id.ts'
import { BLOB, COMMIT, TREE, type ObjectType } from '../../src/object/object-type.ts'
import { encodeHex } from '../../src/bytes/hex.ts'
import { encodeUtf8 } from '../../src/bytes/text.ts'
import { receivePack, uploadPack, type ProtocolVersion } from '../../src/protocol/service.ts'
import { openRepository, type Repository } from '../../src/repository/repository.ts'
import { createMemoryStorage } from '../../src/storage/memory/index.ts'
import { chunked, collect, DELIM, demux, FLUSH, packets, wire } from './wire.ts'

const codecs = createNodeCodecs()
const ZERO = '0'.repeat(40)

let repository: Repository
let tip: string
let pack: Uint8Array

/** A pack of whole objects: enough for a commit with one file. */
function encodePack(objects: readonly (readonly [ObjectType, Uint8Array])[]): Uint8Array {
  const header = new Uint8Array([...encodeUtf8('PACK'), 0, 0, 0, 2, 0, 0, 0, objects.length])
  const entries = objects.map(([type, body]) => {
    const head = [(type << 4) | (body.length & 15)]
    for (let size = body.length >> 4; size > 0; size >>= 7) {
      head[head.length - 1] = (head.at(-1) ?? 0) | 128
      head.push(size & 127)
    }
    return concatBytes([new Uint8Array(head), codecs.deflate.deflate(body)])
  })
  const bytes = concatBytes([header, ...entries])
  const trailer = new Uint8Array(20)
  codecs.sha1.digestRangeInto(bytes, 0, bytes.length, trailer, 0)
  return concatBytes([bytes, trailer])
}

beforeAll(async () => {
  const storage = await createMemoryStorage().create('a', { objectFormat: 'sha1', head: 'refs/heads/main' })
  repository = openRepository(storage, { codecs })
  const { format } = repository
  const blob = encodeUtf8('content\n')
  const tree = concatBytes([encodeUtf8('100644 file\0'), hashObject(BLOB, blob, format)])
  const commit = encodeUtf8(
    `tree ${encodeHex(hashObject(TREE, tree, format))}\nauthor A <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\n\nm\n`,
  )
  tip = encodeHex(hashObject(COMMIT, commit, format))
  pack = encodePack([
    [COMMIT, commit],
    [TREE, tree],
    [BLOB, blob],
  ])
  const answer = await collect(receivePack(repository, chunked(pushRequest()), { options: {} }))
  expect(await packets((await demux(answer)).data)).toEqual(['unpack ok', 'ok refs/heads/main', '<flush>'])
})

function pushRequest(): Uint8Array {
  const command = `${ZERO} ${tip} refs/heads/main\0 report-status side-band-64k agent=x`
  return concatBytes([wire(command, FLUSH), pack])
}

const REQUESTS: readonly (readonly [string, ProtocolVersion, () => Uint8Array])[] = [
  [
    'fetch of version 2',
    2,
    () =>
      wire(
        'command=fetch',
        'object-format=sha1',
        DELIM,
        'thin-pack',
        `want ${tip}`,
        `have ${tip}`,
        'deepen 1',
        'done',
        FLUSH,
      ),
  ],
  [
    'ls-refs',
    2,
    () => wire('command=ls-refs', DELIM, 'peel', 'symrefs', 'unborn', 'ref-prefix refs/', FLUSH),
  ],
  [
    'fetch of version 0',
    0,
    () =>
      wire(
        `want ${tip} multi_ack_detailed side-band-64k ofs-delta`,
        `shallow ${tip}`,
        'deepen 3',
        FLUSH,
        `have ${tip}`,
        'done',
      ),
  ],
]

type Mutation = (bytes: Uint8Array) => Uint8Array

const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.tuple(fc.nat(), fc.nat(255)).map(
    ([at, value]): Mutation =>
      (bytes) =>
        bytes.length === 0 ? bytes : bytes.with(at % bytes.length, value),
  ),
  fc.tuple(fc.nat(), fc.nat(8)).map(
    ([at, count]): Mutation =>
      (bytes) =>
        concatBytes([
          bytes.slice(0, at % (bytes.length + 1)),
          bytes.slice((at % (bytes.length + 1)) + count),
        ]),
  ),
  fc.tuple(fc.nat(), fc.uint8Array({ maxLength: 8 })).map(
    ([at, piece]): Mutation =>
      (bytes) =>
        concatBytes([bytes.slice(0, at % (bytes.length + 1)), piece, bytes.slice(at % (bytes.length + 1))]),
  ),
  fc.nat().map(
    (at): Mutation =>
      (bytes) =>
        bytes.slice(0, at % (bytes.length + 1)),
  ),
)
const mutations = fc.array(mutation, { minLength: 1, maxLength: 4 })

/** Runs a service to its end: whatever it throws must be our own error, of a kind that blames the request. */
async function answerOf(run: () => AsyncIterable<Uint8Array>): Promise<void> {
  try {
    await collect(run())
  } catch (error) {
    if (!isGitError(error)) throw error
    expect(['PROTOCOL', 'LIMIT_EXCEEDED']).toContain(error.code)
  }
}

it.each(REQUESTS)('a mutated %s is answered or refused', async (_, version, request) => {
  const failures: unknown[] = []
  await fc.assert(
    fc.asyncProperty(mutations, fc.array(fc.nat(), { maxLength: 5 }), async (changes, cuts) => {
      const bytes = changes.reduce((before, change) => change(before), request())
      const onFailure = (error: unknown): void => void failures.push(error)
      await answerOf(() => uploadPack(repository, chunked(bytes, cuts), { version, options: {}, onFailure }))
    }),
    { numRuns: 300 },
  )
  expect(failures).toEqual([])
})

it('a mutated push is answered or refused, and leaves refs that lead to objects', async () => {
  const failures: unknown[] = []
  await fc.assert(
    fc.asyncProperty(mutations, fc.array(fc.nat(), { maxLength: 5 }), async (changes, cuts) => {
      const bytes = changes.reduce((before, change) => change(before), pushRequest())
      const onFailure = (error: unknown): void => void failures.push(error)
      await answerOf(() =>
        receivePack(repository, chunked(bytes, cuts), { options: { fsck: {} }, onFailure }),
      )
    }),
    { numRuns: 300 },
  )
  expect(failures).toEqual([])
  const refs = await repository.storage.listRefs('')
  for (const { target } of refs) expect(target).toEqual({ kind: 'direct', id: tip })
})
