import { expect, test } from 'vitest'
import { createSqliteStorage } from '../../../src/storage/sqlite/index.ts'
import { CREATE, openDatabase, openStorage, temporaryDatabase } from './fixture.ts'
import { killAgainAndAgain } from './kill-rounds.ts'
import { buildChild, runChild } from './processes.ts'

test('a process killed at any instant leaves what it acknowledged, whole, and at most garbage beside it', () =>
  killAgainAndAgain(12))

test('of several processes that swap one ref none loses an update', async () => {
  const script = await buildChild()
  const path = await temporaryDatabase()
  const create = createSqliteStorage({ database: await openDatabase(path) })
  await create.create('a', CREATE)
  await create.close()
  const times = 40
  const results = await Promise.all(
    Array.from({ length: 3 }, () => runChild(script, [path, 'count', String(times)])),
  )
  expect(results.map(({ code }) => code)).toEqual([0, 0, 0])
  const acknowledged = results.flatMap(({ numbers }) => numbers).sort((left, right) => left - right)
  expect(acknowledged).toEqual(Array.from({ length: 3 * times }, (_, at) => at))
  const repository = await (await openStorage(path)).open('a')
  const [ref] = (await repository?.readRefs(['refs/heads/number'])) ?? []
  expect(ref?.target).toEqual({ kind: 'direct', id: (3 * times).toString(16).padStart(40, '0') })
})
