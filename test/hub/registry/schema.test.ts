import { expect, it } from 'vitest'
import { REGISTRY_TABLES } from '../../../src/hub/registry/sqlite/schema.ts'
import { createSqliteRegistry } from '../../../src/hub/registry/sqlite/sqlite-registry.ts'
import { openNodeDatabase } from '../../../src/storage/sqlite/drivers/node.ts'
import { migrate } from '../../../src/storage/sqlite/migrate.ts'
import { gitError } from '../../support/git-error.ts'
import { useScratch } from '../../support/hooks.ts'

const scratch = useScratch()

it('a registry of an earlier version is brought up to date with what it holds, and one of a later version refused', async () => {
  const path = scratch.fresh('hub.db')
  const old = await openNodeDatabase({ path })
  migrate(old, { ...REGISTRY_TABLES, steps: REGISTRY_TABLES.steps.slice(0, 1) })
  old.exec(`INSERT INTO packstone_hub_events (repository, text) VALUES ('b', 'two'), ('a', 'one')`)
  old.exec(`INSERT INTO packstone_hub_pending (mark, repository) VALUES (7, 'a')`)
  old.close()

  const registry = createSqliteRegistry({ database: await openNodeDatabase({ path }) })
  expect(await registry.listOutboxes(9)).toEqual(['a', 'b'])
  expect((await registry.readEvents('b', 9)).map(({ text }) => text)).toEqual(['two'])
  expect(await registry.listPending(9)).toEqual([{ repository: 'a', marks: [{ mark: 7, at: 0 }] }])
  expect(await registry.markPending('a', 1)).toBe(8)
  await registry.close()

  const later = await openNodeDatabase({ path })
  migrate(later, { ...REGISTRY_TABLES, steps: [...REGISTRY_TABLES.steps, 'SELECT 1'] })
  later.close()
  const refused = createSqliteRegistry({ database: await openNodeDatabase({ path }) })
  await expect(refused.listOutboxes(9)).rejects.toThrow(gitError('UNSUPPORTED', 'use a newer one'))
  await refused.close()
})
