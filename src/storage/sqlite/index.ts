export type {
  Durability,
  SqliteDatabase,
  SqliteRow,
  SqliteStatement,
  SqliteValue,
} from './sqlite-database.ts'
export { createSqliteStorage, type SqliteStorage, type SqliteStorageOptions } from './sqlite-storage.ts'
