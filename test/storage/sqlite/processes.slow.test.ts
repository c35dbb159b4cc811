import { expect, test } from 'vitest'
import { createSqliteStorage } from '../../../src/storage/sqlite/index.ts'
import { CREATE, openDatabase, temporaryDatabase } from './fixture.ts'
import { killAgainAndAgain } from './kill-rounds.ts'
import { buildChild, runChild } from './processes.ts'

test('three hundred kills lose nothing that was acknowledged', { timeout: 900_000 }, () =>
  killAgainAndAgain(300),
)

test('a pack of a gigabyte goes in and out of a process of 150 MiB', { timeout: 900_000 }, async () => {
  const script = await buildChild()
  const path = await temporaryDatabase()
  const create = createSqliteStorage({ database: await openDatabase(path) })
  await create.create('a', CREATE)
  await create.close()
  const { numbers, code } = await runChild(script, [path, 'large', String(1 << 30)], {
    nodeArgs: ['--max-old-space-size=64'],
  })
  expect(code).toBe(0)
  expect(numbers[0]).toBeLessThan(150)
})
