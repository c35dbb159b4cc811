import { GitError } from '../../../errors.ts'
import type { SqliteDatabase } from '../sqlite-database.ts'
import { createFileDatabase, type FileDatabaseOptions, type SqliteConnection } from './file-database.ts'

export interface NodeDatabaseOptions extends FileDatabaseOptions {
  /** The file; made when it is not there, in a directory that is. */
  readonly path: string
}

/** `node:sqlite`, or the package that has the same interface. */
interface NodeSqlite {
  readonly DatabaseSync: new (path: string) => SqliteConnection
}

/**
 * Opens a database with `node:sqlite` where Node has it, and else with `@photostructure/sqlite`, the same code as a package.
 *
 * @throws GitError `UNSUPPORTED` when neither is there; `STORAGE` when the file cannot be opened.
 */
export async function openNodeDatabase(options: NodeDatabaseOptions): Promise<SqliteDatabase> {
  const { path } = options
  const { DatabaseSync } = await loadNodeSqlite()
  try {
    return createFileDatabase(new DatabaseSync(path), path, options)
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause)
    throw new GitError('STORAGE', `the database ${path} cannot be opened: ${message}`, { cause })
  }
}

async function loadNodeSqlite(): Promise<NodeSqlite> {
  const builtin: unknown = process.getBuiltinModule('node:sqlite')
  if (isNodeSqlite(builtin)) return builtin
  try {
    const installed: unknown = await import('@photostructure/sqlite')
    if (isNodeSqlite(installed)) return installed
  } catch (cause) {
    throw unsupported(cause)
  }
  throw unsupported(undefined)
}

function isNodeSqlite(value: unknown): value is NodeSqlite {
  return typeof value === 'object' && value !== null && 'DatabaseSync' in value
}

function unsupported(cause: unknown): GitError {
  return new GitError(
    'UNSUPPORTED',
    `Node ${process.version} has no node:sqlite; use Node 22.13 or later, or install the package @photostructure/sqlite`,
    { cause },
  )
}
