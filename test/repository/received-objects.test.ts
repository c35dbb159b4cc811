import { describe, expect, test } from 'vitest'
import { parseHex } from '../../src/bytes/hex.ts'
import { createNodeCodecs } from '../../src/codec/node/index.ts'
import type { Codecs } from '../../src/codec/ports.ts'
import { GitError } from '../../src/errors.ts'
import type { FsckFinding } from '../../src/object/fsck.ts'
import { openRepository, type Repository } from '../../src/repository/repository.ts'
import { openBareRepository } from '../../src/storage/fs/index.ts'
import { inChunks } from '../graph/views.ts'
import { createDoctoredCodecs } from '../support/doctored-codecs.ts'
import { git } from '../support/git.ts'
import { gitError } from '../support/git-error.ts'
import { useScratch } from '../support/hooks.ts'
import { encodeRawPack, rawCommit, rawObjectId, rawTree, type RawEntry } from '../support/raw-pack.ts'

const scratch = useScratch()

async function openEmpty(receiveCodecs?: Codecs): Promise<{ repository: Repository; path: string }> {
  const path = scratch.fresh('served.git')
  await git(['init', '-q', '--bare', path])
  const storage = await openBareRepository(path, { durable: false })
  if (storage === undefined) throw new Error('no repository')
  const codecs = createNodeCodecs()
  return { path, repository: openRepository(storage, { codecs, ...(receiveCodecs && { receiveCodecs }) }) }
}

const blob = (text: string): RawEntry => ({ type: 'blob', body: Buffer.from(text) })

describe('the hash that names received objects', () => {
  test.each([1, 400])(
    'is refused when it gives the id of another stored object, among %d objects',
    async (count) => {
      const stored = { packed: 'a packed one\n', loose: 'a loose one\n' }
      for (const [how, text] of Object.entries(stored)) {
        const taken = rawObjectId('blob', Buffer.from(text))
        const { repository, path } = await openEmpty(createDoctoredCodecs('evil', () => parseHex(taken)))
        await git(['hash-object', '-w', '--stdin'], { cwd: path, input: text })
        if (how === 'packed') {
          await git(['pack-objects', '-q', 'objects/pack/pack'], { cwd: path, input: `${taken}\n` })
          await git(['prune-packed'], { cwd: path })
        }
        const others = Array.from({ length: count }, (_, at) => blob(`${at}\n`))
        const pack = encodeRawPack([...others, blob('an evil one\n')])
        await expect(repository.receivePack(inChunks(pack))).rejects.toThrow(
          gitError('CORRUPT_OBJECT', taken),
        )
        const same = await repository.receivePack(inChunks(encodeRawPack([...others, blob(text)])))
        await same.discard()
        await repository.close()
      }
    },
  )

  test('refuses the pack when it finds an attack', async () => {
    const codecs = createDoctoredCodecs('evil', () => {
      throw new GitError('CORRUPT_OBJECT', 'an attack', { details: { reason: 'sha1-collision' } })
    })
    const { repository } = await openEmpty(codecs)
    await expect(repository.receivePack(inChunks(encodeRawPack([blob('evil')])))).rejects.toThrow(
      gitError('CORRUPT_OBJECT', 'an attack'),
    )
    await repository.close()
  })
})

describe('limits', () => {
  const pack = encodeRawPack([blob('one'), blob('x'.repeat(5000))])
  test.each([{ maxObjects: 1 }, { maxObjectBytes: 4999 }, { maxPackBytes: 20 }])(
    '%j refuses the pack',
    async (options) => {
      const { repository } = await openEmpty()
      await expect(repository.receivePack(inChunks(pack), options)).rejects.toThrow(
        gitError('LIMIT_EXCEEDED'),
      )
      expect(await repository.storage.listPacks()).toEqual([])
      await repository.close()
    },
  )

  test('that are just met do not', async () => {
    const { repository } = await openEmpty()
    const limits = { maxObjects: 2, maxObjectBytes: 5000, maxPackBytes: pack.length }
    await (await repository.receivePack(inChunks(pack), limits)).discard()
    await repository.close()
  })
})

test('warnings and errors of the check are told apart and told', async () => {
  const { repository } = await openEmpty()
  const tree = rawTree('file', rawObjectId('blob', Buffer.from('x')))
  const odd = Buffer.from(
    rawCommit(rawObjectId('tree', tree)).toString().replace('author A U Thor <', 'author A U Thor<'),
  )
  const pack = encodeRawPack([blob('x'), { type: 'tree', body: tree }, { type: 'commit', body: odd }])
  const found: (readonly [string, FsckFinding['id'], string])[] = []
  const receive = async (severity: 'warn' | 'error'): Promise<void> => {
    const incoming = await repository.receivePack(inChunks(pack), {
      fsck: { strict: true, severities: { missingSpaceBeforeEmail: severity } },
      onFinding: (id, finding) => found.push([id, finding.id, finding.severity]),
    })
    await incoming.discard()
  }
  await receive('warn')
  const id = rawObjectId('commit', odd)
  expect(found).toEqual([[id, 'missingSpaceBeforeEmail', 'warn']])
  await expect(receive('error')).rejects.toThrow(gitError('FSCK', 'missingSpaceBeforeEmail'))
  expect(found[1]).toEqual([id, 'missingSpaceBeforeEmail', 'error'])
  await repository.close()
})
