import { expect, test } from 'vitest'
import { collectedFile } from '../../src/odb/collected-file.ts'

test('garbage is collected once in every 8 MiB that are read', async () => {
  let collected = 0
  const file = collectedFile(
    {
      size: 1 << 30,
      read: (ranges) => Promise.resolve(ranges.map(() => new Uint8Array(1))),
      close: () => Promise.resolve(),
    },
    () => collected++,
  )
  expect(file.size).toBe(1 << 30)
  for (let piece = 0; piece < 30; piece++) await file.read([{ offset: piece << 20, length: 1 << 20 }])
  expect(collected).toBe(3)
})
