import { expect } from 'vitest'
import { createSqliteStorage } from '../../../src/storage/sqlite/index.ts'
import { packBytes, packName, REFS, roundId } from './child-rounds.ts'
import { CREATE, openDatabase, queryNumber, temporaryDatabase } from './fixture.ts'
import { buildChild, runChild } from './processes.ts'

/**
 * Kills a process that writes, again and again, and looks each time at what is there: the round that was acknowledged last, or the
 * next one, whole.
 */
export async function killAgainAndAgain(kills: number): Promise<void> {
  const script = await buildChild()
  const path = await temporaryDatabase()
  const create = createSqliteStorage({ database: await openDatabase(path) })
  await create.create('a', CREATE)
  await create.close()
  let round = 0
  for (let kill = 0; kill < kills; kill++) {
    const { numbers } = await runChild(script, [path, 'rounds', String(round)], {
      killAfter: Math.random() * (10 + (kill % 60)),
    })
    const found = await readRound(path)
    const acknowledged = numbers.at(-1) ?? round - 1
    expect([acknowledged, acknowledged + 1]).toContain(found)
    round = found + 1
  }
  expect(round).toBeGreaterThanOrEqual(kills)
  const storage = createSqliteStorage({ database: await openDatabase(path), gracePeriod: 0 })
  // Files staged by those that were killed have an hour: let it pass.
  const database = await openDatabase(path)
  database.exec('UPDATE packstone_files SET expires = 1 WHERE expires IS NOT NULL')
  database.close()
  await storage.collectGarbage()
  await storage.close()
  expect(await queryNumber(path, 'SELECT count(*) AS value FROM packstone_files')).toBeLessThanOrEqual(3)
  expect(await queryNumber(path, 'SELECT sum(length(bytes)) AS value FROM packstone_chunks')).toBeLessThan(
    500_000,
  )
}

/** The round that the database is in. All of it must be there. */
async function readRound(path: string): Promise<number> {
  const database = await openDatabase(path)
  expect(database.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' })
  const storage = createSqliteStorage({ database })
  const repository = await storage.open('a')
  const refs = (await repository?.listRefs('')) ?? []
  const ids = refs.map(({ target }) => (target.kind === 'direct' ? target.id : ''))
  const round = Number.parseInt(ids[0] ?? '', 16) - 1
  expect(refs.map(({ name }) => name)).toEqual(REFS)
  expect(new Set(ids)).toEqual(new Set([roundId(round)]))
  expect(await repository?.readShallow()).toEqual([roundId(round)])
  expect((await repository?.listPacks())?.map(({ name }) => name)).toEqual([packName(round)])
  const file = await repository?.openPackFile(packName(round), 'pack')
  const [bytes = new Uint8Array(0)] = (await file?.read([{ offset: 0, length: file.size }])) ?? []
  expect(Buffer.compare(bytes, packBytes(round))).toBe(0)
  const derived = await repository?.readDerived(packName(round), 'reachability')
  if (derived !== undefined) expect(Buffer.compare(derived, packBytes(round))).toBe(0)
  await storage.close()
  return round
}
