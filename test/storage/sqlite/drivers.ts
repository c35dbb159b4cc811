import { createRequire } from 'node:module'
import { openNodeDatabase } from '../../../src/storage/sqlite/drivers/node.ts'
import {
  createBetterSqlite3Database,
  type BetterSqlite3Connection,
} from '../../../src/storage/sqlite/drivers/better-sqlite3.ts'
import type { SqliteDatabase } from '../../../src/storage/sqlite/index.ts'

/** A driver under test. */
export interface TestDriver {
  readonly name: string
  /** Opens a connection of its own to a file. */
  open(path: string, options?: { readonly synchronous?: 'full' | 'normal' }): Promise<SqliteDatabase>
}

/** The name of the module, unknown to the compiler: it is there only where somebody installed it. */
const BETTER_SQLITE3: string = 'better-sqlite3'

/** The drivers that this Node can run: its own, and better-sqlite3 where it is installed in a release that is made for it. */
export async function findDrivers(): Promise<readonly TestDriver[]> {
  const node: TestDriver = {
    name: process.getBuiltinModule('node:sqlite') === undefined ? '@photostructure/sqlite' : 'node:sqlite',
    open: (path, options = {}) => openNodeDatabase({ path, ...options }),
  }
  const Database = await importBetterSqlite3()
  if (Database === undefined) return [node]
  const better: TestDriver = {
    name: 'better-sqlite3',
    open: (path, options) => Promise.resolve(createBetterSqlite3Database(new Database(path), options)),
  }
  return [node, better]
}

type BetterSqlite3 = new (path: string) => BetterSqlite3Connection

async function importBetterSqlite3(): Promise<BetterSqlite3 | undefined> {
  try {
    const { version } = createRequire(import.meta.url)(`${BETTER_SQLITE3}/package.json`) as {
      version: string
    }
    // From release 13 on it needs Node 22, and ends the process of an older one.
    if (Number.parseInt(version) >= 13 && Number.parseInt(process.versions.node) < 22) return undefined
    const module = (await import(BETTER_SQLITE3)) as { default: BetterSqlite3 }
    return module.default
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'MODULE_NOT_FOUND') return undefined
    throw error
  }
}
