import { GitError } from '../../errors.ts'
import type { VersionedTables } from './migrate.ts'

/** Bits of a chunk's id that number it within its file. */
const CHUNK_NUMBER_BITS = 20

/** The most chunks in one file. */
export const MAX_CHUNKS = 2 ** CHUNK_NUMBER_BITS

/**
 * The tables, as a list of steps: the n-th takes a database from version n to n + 1. A step that has been released never changes.
 *
 * - `repositories`: ids are never used again, so that a handle on a deleted repository finds nothing rather than another one.
 * - `refs`: `target` is an object id, or `ref: ` and a name. `peeled` is null where it is not known and '' for no tag.
 *   Text is in UTF-8 and compared by bytes, which is git's order of names.
 * - `packs`: a row says that a repository has a pack. Rows of several repositories, forks of each other, may name the same files. `mask` is
 *   the file that says which of its objects the repository sees, null where it sees all.
 * - `files`: a file is in chunks of `chunk_bytes`, the last one shorter. `expires` is null while a row of a pack names it; else the moment, in
 *   milliseconds since the epoch, from which on it may be removed: staged files whose writer is gone, files of dropped packs. It is 0
 *   from the moment at which removing has begun, and then stays so: chunks may be missing.
 * - `events`: the outboxes. Sequences are given in the order of the transactions, and never again.
 * - `chunks`: `id` is the file's id times 2^20 plus the number of the chunk, which makes the rows of a file neighbours.
 *
 * The version is in a table, because Durable Objects refuse `PRAGMA user_version` and a database may be shared with others.
 */
const STEPS: readonly string[] = [
  `CREATE TABLE packstone_repositories (
     id INTEGER PRIMARY KEY AUTOINCREMENT,
     key TEXT NOT NULL UNIQUE,
     object_format TEXT NOT NULL,
     config TEXT NOT NULL
   );
   CREATE TABLE packstone_refs (
     repository INTEGER NOT NULL,
     name TEXT NOT NULL,
     target TEXT NOT NULL,
     peeled TEXT,
     PRIMARY KEY (repository, name)
   ) WITHOUT ROWID;
   CREATE TABLE packstone_shallow (
     repository INTEGER NOT NULL,
     id TEXT NOT NULL,
     PRIMARY KEY (repository, id)
   ) WITHOUT ROWID;
   CREATE TABLE packstone_packs (
     repository INTEGER NOT NULL,
     name TEXT NOT NULL,
     pack INTEGER NOT NULL,
     idx INTEGER NOT NULL,
     modified INTEGER NOT NULL,
     PRIMARY KEY (repository, name)
   ) WITHOUT ROWID;
   CREATE TABLE packstone_derived (
     repository INTEGER NOT NULL,
     pack TEXT NOT NULL,
     kind TEXT NOT NULL,
     file INTEGER NOT NULL,
     PRIMARY KEY (repository, pack, kind)
   ) WITHOUT ROWID;
   CREATE TABLE packstone_files (
     id INTEGER PRIMARY KEY AUTOINCREMENT,
     size INTEGER NOT NULL,
     chunk_bytes INTEGER NOT NULL,
     expires INTEGER
   );
   CREATE INDEX packstone_files_by_expiry ON packstone_files (expires) WHERE expires IS NOT NULL;
   CREATE TABLE packstone_chunks (
     id INTEGER PRIMARY KEY,
     bytes BLOB NOT NULL
   );`,
  `ALTER TABLE packstone_packs ADD COLUMN mask INTEGER;
   CREATE INDEX packstone_packs_by_pack ON packstone_packs (pack);
   CREATE INDEX packstone_packs_by_idx ON packstone_packs (idx);
   CREATE INDEX packstone_packs_by_mask ON packstone_packs (mask) WHERE mask IS NOT NULL;
   CREATE INDEX packstone_derived_by_file ON packstone_derived (file);
   CREATE TABLE packstone_events (
     sequence INTEGER PRIMARY KEY AUTOINCREMENT,
     repository INTEGER NOT NULL,
     text TEXT NOT NULL
   );
   CREATE INDEX packstone_events_by_repository ON packstone_events (repository, sequence);`,
  'ALTER TABLE packstone_packs ADD COLUMN promisor INTEGER NOT NULL DEFAULT 0;',
]

/** The id of a chunk; that of number {@link MAX_CHUNKS} is beyond all of the file. */
export function chunkId(file: number, number: number): number {
  return file * MAX_CHUNKS + number
}

/** The tables of the storage, for `migrate`. */
export const STORAGE_TABLES: VersionedTables = {
  what: 'the storage',
  versionTable: 'packstone_schema',
  steps: STEPS,
  check(database) {
    if (database.prepare(`SELECT CAST('a' AS BLOB) = x'61' AS fits`).get()?.['fits'] === 1) return
    throw new GitError(
      'UNSUPPORTED',
      `the text of ${database.location} is in UTF-16; expected PRAGMA encoding = 'UTF-8'`,
    )
  },
}
