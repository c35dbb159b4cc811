import { writeFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { indexFile } from '../../src/cli/index-file.ts'
import { loadPackFormat } from '../../src/cli/pack-format.ts'
import { GitError } from '../../src/errors.ts'
import { createDoctoredCodecs } from '../support/doctored-codecs.ts'
import { useScratch } from '../support/hooks.ts'
import { encodeRawPack } from '../support/raw-pack.ts'

const scratch = useScratch()

test.each([
  ['in memory', undefined],
  ['range by range', 1],
])('objects are named by the hash that is asked for, the file is not: %s', async (_, memoryBudget) => {
  const file = scratch.fresh('a.pack')
  await writeFile(file, encodeRawPack([{ type: 'blob', body: Buffer.from('evil') }]))
  const format = await loadPackFormat({ objectFormat: 'sha1' })
  const { sha1: objectHash } = createDoctoredCodecs('evil', () => {
    throw new GitError('CORRUPT_OBJECT', 'an attack')
  })
  expect((await indexFile(file, { ...format, memoryBudget })).objectCount).toBe(1)
  await expect(indexFile(file, { ...format, objectHash, memoryBudget })).rejects.toThrow('an attack')
})

test('a hash that looks for attacks names objects where that is asked for', async () => {
  for (const portable of [false, true]) {
    const { format, objectHash } = await loadPackFormat({
      objectFormat: 'sha1',
      portable,
      collisionDetection: true,
    })
    expect([format.hash.name, objectHash?.name]).toEqual(['sha1', 'sha1'])
    expect(objectHash).not.toBe(format.hash)
    expect((await loadPackFormat({ objectFormat: 'sha1', portable })).objectHash).toBeUndefined()
  }
  expect(
    (await loadPackFormat({ objectFormat: 'sha256', collisionDetection: true })).objectHash,
  ).toBeUndefined()
})
