import { expect, it } from 'vitest'
import { join } from 'node:path'
import { parseHex } from '../../src/bytes/hex.ts'
import { concatBytes } from '../../src/bytes/concat.ts'
import { createNodeCodecs } from '../../src/codec/node/index.ts'
import { GitError } from '../../src/errors.ts'
import { receivePack } from '../../src/protocol/service.ts'
import { openRepository } from '../../src/repository/repository.ts'
import { openBareRepository } from '../../src/storage/fs/index.ts'
import { createDoctoredCodecs } from '../support/doctored-codecs.ts'
import { git } from '../support/git.ts'
import { encodeRawPack, rawObjectId } from '../support/raw-pack.ts'
import { snapshotFiles } from '../support/repositories.ts'
import { temporaryDirectory } from './served-repository.ts'
import { chunked, collect, demux, FLUSH, packets, wire } from './wire.ts'

const ZERO = '0'.repeat(40)
const DIGEST = '12'.repeat(20)
const stored = rawObjectId('blob', Buffer.from('stored\n'))

it.each([
  [
    'an attack on SHA-1',
    () => {
      throw new GitError('CORRUPT_OBJECT', 'an attack', {
        details: { reason: 'sha1-collision', digest: DIGEST },
      })
    },
    `SHA-1 appears to be part of a collision attack: ${DIGEST}`,
  ],
  ['another content of a stored id', () => parseHex(stored), `SHA1 COLLISION FOUND WITH ${stored} !`],
])('%s is refused with words in the report, and nothing is kept', async (_, digest, words) => {
  const path = join(await temporaryDirectory(), 'served.git')
  await git(['init', '-q', '--bare', path])
  await git(['hash-object', '-w', '--stdin'], { cwd: path, input: 'stored\n' })
  const before = await snapshotFiles(path)
  const storage = await openBareRepository(path, { durable: false })
  if (storage === undefined) throw new Error('no repository')
  const repository = openRepository(storage, {
    codecs: createNodeCodecs(),
    receiveCodecs: createDoctoredCodecs('evil', digest),
  })
  const pack = encodeRawPack([{ type: 'blob', body: Buffer.from('evil') }])
  const line = `${ZERO} ${stored} refs/tags/evil\0 report-status side-band-64k`
  const answer = receivePack(repository, chunked(concatBytes([wire(line, FLUSH), pack])), { options: {} })
  const { data, progress } = await demux(await collect(answer))
  await repository.close()
  const [unpacked, ...rest] = await packets(data)
  expect(unpacked).toContain(`unpack ${words}`)
  expect(rest).toEqual(['ng refs/tags/evil unpacker error', '<flush>'])
  expect(progress).toContain(`fatal: ${words}`)
  expect(await snapshotFiles(path)).toEqual(before)
})
