import type { ByteRange } from '../stored-file.ts'
import { assertBytes, assertEqual, assertRejects } from './assertions.ts'
import { scenario, type Scenario } from './conformance-case.ts'
import { readPackFile, readWhole, sampleBytes, samplePackName, stageFile, stagePack } from './samples.ts'

const MEGABYTE = 1 << 20

/** Writing files and reading ranges of them. */
export const fileScenarios: readonly Scenario[] = [
  scenario('a file written in chunks of any size holds exactly those bytes', async ({ createRepository }) => {
    const repository = await createRepository()
    const bytes = sampleBytes(200_000, 1)
    const writer = await repository.createFile('pack')
    let at = 0
    for (const size of [1, 0, 2, 3, 5, 13, 4095, 4096, 4097, 65_535, 65_537, 0, bytes.length]) {
      await writer.write(bytes.subarray(at, at + size))
      at = Math.min(bytes.length, at + size)
    }
    const staged = await writer.finish()
    assertEqual(staged.size, bytes.length, 'size')
    assertBytes(await readWhole(staged), bytes, 'the file')
    await staged.discard()
  }),
  scenario('an empty file is a file', async ({ createRepository }) => {
    const repository = await createRepository()
    const staged = await stageFile(repository, 'idx', new Uint8Array(0))
    assertEqual(staged.size, 0, 'size')
    assertEqual(await staged.read([]), [], 'no ranges')
    assertBytes(await readWhole(staged), new Uint8Array(0), 'the range of all its bytes')
    const pack = await stageFile(repository, 'pack', sampleBytes(10, 1))
    await repository.commit({ addPacks: [{ name: samplePackName(1), pack, index: staged }] })
    assertEqual((await repository.listPacks())[0]?.indexSize, 0, 'size of the committed index')
    assertBytes(
      await readPackFile(repository, samplePackName(1), 'idx'),
      new Uint8Array(0),
      'committed index',
    )
  }),
  scenario(
    'a large file is written from one buffer that is used again after each write',
    async ({ createRepository }) => {
      const repository = await createRepository()
      const size = 32 * MEGABYTE + 12_345
      const buffer = new Uint8Array(MEGABYTE)
      const writer = await repository.createFile('pack')
      for (let at = 0; at < size; at += buffer.length) {
        buffer.set(sampleBytes(buffer.length, at))
        await writer.write(buffer.subarray(0, Math.min(buffer.length, size - at)))
        buffer.fill(0xee)
      }
      const pack = await writer.finish()
      const index = await stageFile(repository, 'idx', sampleBytes(100, 1))
      await repository.commit({ addPacks: [{ name: samplePackName(1), pack, index }] })
      const file = await repository.openPackFile(samplePackName(1), 'pack')
      assertEqual(file.size, size, 'size')
      for (let at = 0; at < size; at += buffer.length) {
        const length = Math.min(buffer.length, size - at)
        const [found = new Uint8Array(0)] = await file.read([{ offset: at, length }])
        assertBytes(found, sampleBytes(buffer.length, at).subarray(0, length), `the megabyte at ${at}`)
      }
      await file.close()
    },
  ),
  scenario(
    'any number of ranges, overlapping, empty, in any order, is read in one call',
    async ({ createRepository }) => {
      const repository = await createRepository()
      const bytes = sampleBytes(150_000, 3)
      const staged = await stageFile(repository, 'pack', bytes)
      const ranges: ByteRange[] = [
        { offset: 0, length: 1 },
        { offset: bytes.length - 1, length: 1 },
        { offset: 0, length: bytes.length },
        { offset: bytes.length, length: 0 },
        { offset: 0, length: 0 },
      ]
      const numbers = new Uint32Array(sampleBytes(16_000, 4).buffer)
      for (let at = 0; at + 1 < numbers.length; at += 2) {
        const offset = (numbers[at] ?? 0) % bytes.length
        ranges.push({ offset, length: Math.min((numbers[at + 1] ?? 0) % 300, bytes.length - offset) })
      }
      const found = await staged.read(ranges)
      assertEqual(found.length, ranges.length, 'number of arrays')
      for (const [at, { offset, length }] of ranges.entries()) {
        const what = `range ${at} (${length} bytes at ${offset})`
        assertBytes(found[at] ?? new Uint8Array(0), bytes.subarray(offset, offset + length), what)
      }
    },
  ),
  scenario('what a read returns belongs to the caller', async ({ createRepository }) => {
    const repository = await createRepository()
    const bytes = sampleBytes(5000, 5)
    const staged = await stageFile(repository, 'pack', bytes)
    const whole = { offset: 0, length: bytes.length }
    const [first, second] = await staged.read([whole, whole])
    first?.fill(0)
    assertBytes(second ?? new Uint8Array(0), bytes, 'the same range in the same read')
    assertBytes(await readWhole(staged), bytes, 'the same range in a later read')
  }),
  scenario(
    'ranges that are not within the file are refused, and the file stays usable',
    async ({ createRepository }) => {
      const repository = await createRepository()
      const pack = await stagePack(repository, 1)
      await repository.commit({ addPacks: [pack] })
      const file = await repository.openPackFile(pack.name, 'pack')
      const good = { offset: 0, length: 1 }
      for (const bad of [
        { offset: file.size, length: 1 },
        { offset: 0, length: file.size + 1 },
        { offset: file.size + 10, length: 0 },
        { offset: -1, length: 1 },
        { offset: 1, length: -1 },
      ]) {
        const what = `reading ${bad.length} bytes at ${bad.offset} of ${file.size}`
        await assertRejects(() => file.read([bad]), undefined, what)
        await assertRejects(() => file.read([good, bad, good]), undefined, `${what}, beside good ranges`)
      }
      assertBytes(await readWhole(file), pack.packBytes, 'the file')
      await file.close()
    },
  ),
  scenario(
    'a staged file can be read by whoever wrote it and is visible to nobody else',
    async ({ createRepository, openRepository }) => {
      const repository = await createRepository()
      const other = await openRepository()
      const pack = await stagePack(repository, 1)
      assertBytes(await readWhole(pack.pack), pack.packBytes, 'staged pack')
      assertBytes(await readWhole(pack.index), pack.indexBytes, 'staged index')
      for (const handle of [repository, other]) {
        assertEqual(await handle.listPacks(), [], 'packs before the commit')
        await assertRejects(
          () => handle.openPackFile(pack.name, 'pack'),
          'NOT_FOUND',
          'opening it by its name',
        )
      }
    },
  ),
  scenario('files written at the same time do not mix', async ({ createRepository }) => {
    const repository = await createRepository()
    const contents = Array.from({ length: 12 }, (_, at) => sampleBytes(20_000 + at, at))
    const files = await Promise.all(
      contents.map((bytes, at) => stageFile(repository, at % 2 === 0 ? 'pack' : 'idx', bytes, 997 + at)),
    )
    for (const [at, bytes] of contents.entries()) {
      const file = files[at]
      if (file !== undefined) assertBytes(await readWhole(file), bytes, `file ${at}`)
    }
  }),
  scenario(
    'a writer or a staged file can be discarded at any time, more than once, and leaves nothing',
    async ({ createRepository }) => {
      const repository = await createRepository()
      const untouched = await repository.createFile('pack')
      await untouched.discard()
      const writer = await repository.createFile('pack')
      await writer.write(sampleBytes(1000, 1))
      await writer.discard()
      await writer.discard()
      const staged = await stageFile(repository, 'pack', sampleBytes(1000, 2))
      await staged.close()
      await staged.discard()
      await staged.discard()
      assertEqual(await repository.listPacks(), [], 'packs')
    },
  ),
  scenario(
    'each opening of a file is closed for itself, and more than once',
    async ({ createRepository }) => {
      const repository = await createRepository()
      const pack = await stagePack(repository, 1)
      await repository.commit({ addPacks: [pack] })
      const first = await repository.openPackFile(pack.name, 'idx')
      const second = await repository.openPackFile(pack.name, 'idx')
      await first.close()
      await first.close()
      assertBytes(await readWhole(second), pack.indexBytes, 'the file through the second opening')
      await second.close()
    },
  ),
]
