import type { VersionedTables } from '../../../storage/sqlite/migrate.ts'

/**
 * The tables, as a list of steps: the n-th takes a database from version n to n + 1. A step that has been released never changes.
 *
 * - `key` is a name in lower case. Moments are in milliseconds since the epoch.
 * - `namespaces.repositories` counts those of all statuses, so that nobody has to count a million rows.
 * - `repositories.last_push_at` is -1 where there was no push, so that those come first in its index. The indexes that lists are read
 *   from end with the key: a search that goes along one reads no other page.
 * - `names` finds repositories by any three letters of their key. It keeps only who has which three letters (`detail = none`); whether
 *   they are side by side is looked up.
 * - `marks`: one for each change of refs. `mark` is never used again, so that none is mistaken for one made later. Those of version 2,
 *   `pending`, are as old as can be.
 */
const STEPS: readonly string[] = [
  `CREATE TABLE packstone_hub_namespaces (
     number INTEGER PRIMARY KEY AUTOINCREMENT,
     key TEXT NOT NULL UNIQUE,
     name TEXT NOT NULL,
     jurisdiction TEXT NOT NULL,
     repositories INTEGER NOT NULL,
     created_at INTEGER NOT NULL,
     updated_at INTEGER NOT NULL
   );
   CREATE TABLE packstone_hub_repositories (
     number INTEGER PRIMARY KEY AUTOINCREMENT,
     id TEXT NOT NULL UNIQUE,
     namespace INTEGER NOT NULL,
     key TEXT NOT NULL,
     name TEXT NOT NULL,
     description TEXT,
     default_branch TEXT NOT NULL,
     read_only INTEGER NOT NULL,
     source TEXT,
     status TEXT NOT NULL,
     created_at INTEGER NOT NULL,
     updated_at INTEGER NOT NULL,
     last_push_at INTEGER NOT NULL,
     lease_until INTEGER,
     work TEXT
   );
   CREATE UNIQUE INDEX packstone_hub_by_name ON packstone_hub_repositories (namespace, key);
   CREATE INDEX packstone_hub_by_created_at ON packstone_hub_repositories (namespace, created_at, id, key);
   CREATE INDEX packstone_hub_by_updated_at ON packstone_hub_repositories (namespace, updated_at, id, key);
   CREATE INDEX packstone_hub_by_last_push_at ON packstone_hub_repositories (namespace, last_push_at, id, key);
   CREATE INDEX packstone_hub_by_lease ON packstone_hub_repositories (lease_until) WHERE lease_until IS NOT NULL;
   CREATE VIRTUAL TABLE packstone_hub_names USING fts5 (
     key, content = 'packstone_hub_repositories', content_rowid = 'number',
     tokenize = 'trigram', detail = 'none', columnsize = 0
   );
   CREATE TABLE packstone_hub_tombstones (
     namespace INTEGER NOT NULL,
     key TEXT NOT NULL,
     id TEXT NOT NULL,
     PRIMARY KEY (namespace, key)
   ) WITHOUT ROWID;
   CREATE TABLE packstone_hub_cleanups (id TEXT PRIMARY KEY) WITHOUT ROWID;
   CREATE TABLE packstone_hub_tokens (
     number INTEGER PRIMARY KEY AUTOINCREMENT,
     id TEXT NOT NULL UNIQUE,
     repository TEXT NOT NULL,
     hash TEXT NOT NULL UNIQUE,
     scope TEXT NOT NULL,
     created_at INTEGER NOT NULL,
     expires_at INTEGER NOT NULL,
     revoked_at INTEGER
   );
   CREATE INDEX packstone_hub_tokens_by_repository ON packstone_hub_tokens (repository);
   CREATE TABLE packstone_hub_events (
     sequence INTEGER PRIMARY KEY AUTOINCREMENT,
     repository TEXT NOT NULL,
     text TEXT NOT NULL
   );
   CREATE TABLE packstone_hub_pending (
     mark INTEGER PRIMARY KEY AUTOINCREMENT,
     repository TEXT NOT NULL UNIQUE
   );`,
  'CREATE INDEX packstone_hub_events_by_repository ON packstone_hub_events (repository, sequence);',
  `CREATE TABLE packstone_hub_marks (
     mark INTEGER PRIMARY KEY AUTOINCREMENT,
     repository TEXT NOT NULL,
     at INTEGER NOT NULL
   );
   CREATE INDEX packstone_hub_marks_by_repository ON packstone_hub_marks (repository, mark, at);
   INSERT INTO packstone_hub_marks (mark, repository, at) SELECT mark, repository, 0 FROM packstone_hub_pending;
   DROP TABLE packstone_hub_pending;`,
]

/** The tables of the registry, for `migrate`. */
export const REGISTRY_TABLES: VersionedTables = {
  what: 'the registry',
  versionTable: 'packstone_hub_schema',
  steps: STEPS,
}
