import { expect, test } from 'vitest'
import { SharedLru } from '../../src/bytes/shared-lru.ts'
import { createNodeCodecs } from '../../src/codec/node/index.ts'
import { objectFormat } from '../../src/object/object-format.ts'
import { CachedFile } from '../../src/odb/cached-file.ts'
import { PackFile } from '../../src/odb/pack-file.ts'
import { PackSet } from '../../src/odb/pack-set.ts'
import { encodePackIndex } from '../../src/pack/encode-pack-index.ts'
import { PackIndex } from '../../src/pack/pack-index.ts'
import { rawPack } from '../pack/raw-entries.ts'
import { FakeFile } from './fake-file.ts'

const codecs = createNodeCodecs()

async function openPack(): Promise<{ pack: PackFile; fake: FakeFile }> {
  const bytes = rawPack([])
  const columns = { objectCount: 0, ids: bytes, crcs: new Uint32Array(0), offsets: new Float64Array(0) }
  const index = encodePackIndex(columns, bytes.subarray(-20), objectFormat('sha1', codecs))
  const fake = new FakeFile(bytes)
  const data = new CachedFile(bytes.length, fake.open, new SharedLru(1000))
  await data.file()
  return {
    pack: new PackFile('pack-empty', new PackIndex(index, 20), data, codecs, new SharedLru(1000)),
    fake,
  }
}

test('a pack is closed when its last user leaves, and not before', async () => {
  const set = new PackSet()
  const [one, two] = await Promise.all([openPack(), openPack()])
  set.acquire([one.pack, two.pack])
  set.acquire([one.pack])
  await set.release([one.pack, two.pack])
  expect([one.fake.closed, two.fake.closed]).toEqual([0, 1])
  await set.release([one.pack])
  expect([one.fake.closed, two.fake.closed]).toEqual([1, 1])
})

test('a pack that is acquired again after it was closed is counted anew', async () => {
  const set = new PackSet()
  const { pack, fake } = await openPack()
  set.acquire([pack])
  await set.release([pack])
  set.acquire([pack])
  await pack.data.file()
  expect(fake.opened).toBe(2)
  await set.release([pack])
  expect(fake.closed).toBe(2)
})
