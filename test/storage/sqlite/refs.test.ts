import { expect, test } from 'vitest'
import type { RefEdit } from '../../../src/refs/ref-edit.ts'
import {
  createSqliteStorage,
  type SqliteDatabase,
  type SqliteRow,
  type SqliteValue,
} from '../../../src/storage/sqlite/index.ts'
import { CREATE, openDatabase, temporaryDatabase } from './fixture.ts'

const COUNT = 100_000

function create(name: string, number: number): RefEdit {
  const id = (number + 1).toString(16).padStart(40, '0')
  return { name, expect: { kind: 'absent' }, target: { kind: 'direct', id } }
}

/** Counts what statements are run and how many rows they return. */
function counting(database: SqliteDatabase): SqliteDatabase & { statements: number; rows: number } {
  const counted = {
    ...database,
    statements: 0,
    rows: 0,
    prepare(sql: string) {
      const statement = database.prepare(sql)
      const count = (rows: readonly SqliteRow[]): void => {
        counted.statements++
        counted.rows += rows.length
      }
      return {
        run: (...parameters: readonly SqliteValue[]) => {
          count([])
          statement.run(...parameters)
        },
        get: (...parameters: readonly SqliteValue[]) => {
          const row = statement.get(...parameters)
          count(row === undefined ? [] : [row])
          return row
        },
        all: (...parameters: readonly SqliteValue[]) => {
          const rows = statement.all(...parameters)
          count(rows)
          return rows
        },
      }
    },
  }
  return counted
}

test('of a hundred thousand refs all are listed in order, and a commit of a few looks at a few', async () => {
  const database = counting(await openDatabase(await temporaryDatabase()))
  const storage = createSqliteStorage({ database })
  const repository = await storage.create('a', CREATE)
  const name = (at: number): string => `refs/heads/${String(at % 100).padStart(2, '0')}/topic-${at}`
  const refs = Array.from({ length: COUNT }, (_, at) => create(name(at), at))
  const { refs: outcomes } = await repository.commit({ refs, atomic: true })
  expect(outcomes.every((outcome) => outcome.kind === 'applied')).toBe(true)

  const listed = await repository.listRefs('refs/')
  expect(listed.map((ref) => ref.name)).toEqual(refs.map((ref) => ref.name).sort())
  database.rows = 0
  expect(await repository.listRefs('refs/heads/42/')).toHaveLength(COUNT / 100)
  expect(database.rows).toBeLessThan(COUNT / 100 + 5)

  database.statements = 0
  database.rows = 0
  const result = await repository.commit({
    refs: [
      create('refs/heads/new', 1),
      create('refs/heads/42', 1),
      create('refs/heads/42/topic-42/x', 1),
      { name: name(7), expect: { kind: 'exists' }, target: null },
    ],
  })
  expect(result.refs.map((outcome) => (outcome.kind === 'applied' ? '' : outcome.rejection))).toEqual([
    '',
    { reason: 'name-conflict', conflictsWith: 'refs/heads/42/topic-10042' },
    { reason: 'name-conflict', conflictsWith: 'refs/heads/42/topic-42' },
    '',
  ])
  expect(database.statements).toBeLessThan(30)
  expect(database.rows).toBeLessThan(30)
  await storage.close()
})

test('refs below a prefix are found whatever characters come after it', async () => {
  const storage = createSqliteStorage({ database: await openDatabase(await temporaryDatabase()) })
  const repository = await storage.create('a', CREATE)
  const names = [
    'a',
    'a\u{10ffff}',
    'a\u{10ffff}\u{10ffff}x',
    'a\ud7ff',
    'a\ue000',
    'a\uffff',
    'a\u{10000}',
    'b',
  ]
  await repository.commit({ refs: names.map((name, at) => create(`refs/heads/${name}`, at)) })
  for (const prefix of ['', 'a', 'a\ud7ff', 'a\uffff', 'a\u{10ffff}', 'a\u{10ffff}\u{10ffff}', 'b', 'c']) {
    const found = (await repository.listRefs(`refs/heads/${prefix}`)).map((ref) => ref.name)
    const expected = names
      .map((name) => `refs/heads/${name}`)
      .filter((name) => name.startsWith(`refs/heads/${prefix}`))
    expect(found).toEqual(
      expected.sort((left, right) => Buffer.compare(Buffer.from(left), Buffer.from(right))),
    )
  }
  await storage.close()
})
