import type { SqliteDatabase, SqliteStatement } from './sqlite-database.ts'

/** Every statement of the adapter. Each is prepared once. */
const SQL = {
  insertRepository: `INSERT INTO packstone_repositories (key, object_format, config) VALUES (?, ?, ?)
    ON CONFLICT (key) DO NOTHING RETURNING id`,
  findRepository: 'SELECT id, object_format FROM packstone_repositories WHERE key = ?',
  hasRepository: 'SELECT 1 FROM packstone_repositories WHERE id = ?',
  listRepositories: 'SELECT key FROM packstone_repositories WHERE key > ? ORDER BY key LIMIT ?',
  deleteRepository: 'DELETE FROM packstone_repositories WHERE id = ?',
  readConfig: 'SELECT config FROM packstone_repositories WHERE id = ?',
  writeConfig: 'UPDATE packstone_repositories SET config = ? WHERE id = ?',

  readRef: 'SELECT name, target, peeled FROM packstone_refs WHERE repository = ? AND name = ?',
  listRefs: `SELECT name, target, peeled FROM packstone_refs
    WHERE repository = ? AND name >= ? AND name <> 'HEAD' ORDER BY name`,
  listRefsBelow: `SELECT name, target, peeled FROM packstone_refs
    WHERE repository = ? AND name >= ? AND name < ? AND name <> 'HEAD' ORDER BY name`,
  namesBelow: `SELECT name FROM packstone_refs
    WHERE repository = ? AND name > ? AND name < ? ORDER BY name LIMIT ?`,
  writeRef: `INSERT INTO packstone_refs (repository, name, target, peeled) VALUES (?, ?, ?, ?)
    ON CONFLICT (repository, name) DO UPDATE SET target = excluded.target, peeled = excluded.peeled`,
  deleteRef: 'DELETE FROM packstone_refs WHERE repository = ? AND name = ?',
  deleteRefs: 'DELETE FROM packstone_refs WHERE repository = ?',

  listShallow: 'SELECT id FROM packstone_shallow WHERE repository = ? ORDER BY id',
  insertShallow: `INSERT INTO packstone_shallow (repository, id) VALUES (?, ?)
    ON CONFLICT (repository, id) DO NOTHING`,
  removeShallow: 'DELETE FROM packstone_shallow WHERE repository = ? AND id = ?',
  deleteShallow: 'DELETE FROM packstone_shallow WHERE repository = ?',

  listPacks: `SELECT p.name, pack.size AS pack_size, idx.size AS index_size, p.modified, p.mask, p.promisor
    FROM packstone_packs AS p
    JOIN packstone_files AS pack ON pack.id = p.pack JOIN packstone_files AS idx ON idx.id = p.idx
    WHERE p.repository = ?`,
  listPackFiles: 'SELECT pack, idx, mask FROM packstone_packs WHERE repository = ?',
  findPack: `SELECT pack, idx, mask, modified, promisor FROM packstone_packs
    WHERE repository = ? AND name = ?`,
  insertPack: `INSERT INTO packstone_packs (repository, name, pack, idx, modified, mask, promisor)
    VALUES (?, ?, ?, ?, ?, ?, ?)`,
  markPromisor: 'UPDATE packstone_packs SET promisor = 1 WHERE repository = ? AND name = ?',
  removeMask: 'UPDATE packstone_packs SET mask = NULL WHERE repository = ? AND name = ?',
  freshenPack: 'UPDATE packstone_packs SET modified = max(modified, ?) WHERE repository = ? AND name = ?',
  deletePack: 'DELETE FROM packstone_packs WHERE repository = ? AND name = ?',
  deletePacks: 'DELETE FROM packstone_packs WHERE repository = ?',

  findDerived: 'SELECT file FROM packstone_derived WHERE repository = ? AND pack = ? AND kind = ?',
  writeDerived: `INSERT INTO packstone_derived (repository, pack, kind, file) VALUES (?, ?, ?, ?)
    ON CONFLICT (repository, pack, kind) DO UPDATE SET file = excluded.file`,
  listDerived: 'SELECT file FROM packstone_derived WHERE repository = ? AND pack = ?',
  listAllDerived: 'SELECT file FROM packstone_derived WHERE repository = ?',
  shareDerived: `INSERT INTO packstone_derived (repository, pack, kind, file)
    SELECT ?, pack, kind, file FROM packstone_derived WHERE repository = ? AND pack = ?`,
  deleteDerived: 'DELETE FROM packstone_derived WHERE repository = ? AND pack = ?',
  deleteAllDerived: 'DELETE FROM packstone_derived WHERE repository = ?',

  insertEvent: 'INSERT INTO packstone_events (repository, text) VALUES (?, ?)',
  listEvents: `SELECT sequence, text FROM packstone_events WHERE repository = ? ORDER BY sequence LIMIT ?`,
  dropEvents: 'DELETE FROM packstone_events WHERE repository = ? AND sequence <= ?',
  deleteEvents: 'DELETE FROM packstone_events WHERE repository = ?',

  insertFile: 'INSERT INTO packstone_files (size, chunk_bytes, expires) VALUES (0, ?, ?) RETURNING id',
  findFile: 'SELECT size, chunk_bytes FROM packstone_files WHERE id = ?',
  growFile:
    'UPDATE packstone_files SET size = size + ?, expires = ? WHERE id = ? AND expires > 0 RETURNING size',
  renewFile: 'UPDATE packstone_files SET expires = ? WHERE id = ? AND expires > 0',
  adoptFile: 'UPDATE packstone_files SET expires = NULL WHERE id = ? AND expires > 0 RETURNING id',
  releaseFile: `UPDATE packstone_files SET expires = ? WHERE id = ? AND expires IS NULL
    AND NOT EXISTS (SELECT 1 FROM packstone_packs WHERE pack = packstone_files.id)
    AND NOT EXISTS (SELECT 1 FROM packstone_packs WHERE idx = packstone_files.id)
    AND NOT EXISTS (SELECT 1 FROM packstone_packs WHERE mask = packstone_files.id)
    AND NOT EXISTS (SELECT 1 FROM packstone_derived WHERE file = packstone_files.id)`,
  findExpired: 'SELECT id FROM packstone_files WHERE expires <= ? ORDER BY expires LIMIT 1',
  condemnFile: 'UPDATE packstone_files SET expires = 0 WHERE id = ? AND expires IS NOT NULL',
  condemnExpired: 'UPDATE packstone_files SET expires = 0 WHERE id = ? AND expires <= ? RETURNING id',
  deleteCondemned: 'DELETE FROM packstone_files WHERE id = ? AND expires = 0',

  insertChunk: 'INSERT INTO packstone_chunks (id, bytes) VALUES (?, ?)',
  readPart: 'SELECT length(bytes) AS size, substr(bytes, ?, ?) AS bytes FROM packstone_chunks WHERE id = ?',
  lastChunks: 'SELECT id FROM packstone_chunks WHERE id >= ? AND id < ? ORDER BY id DESC LIMIT ?',
  deleteChunk: 'DELETE FROM packstone_chunks WHERE id = ?',
} as const

export type Statements = { readonly [name in keyof typeof SQL]: SqliteStatement }

/** Prepares the statements of the adapter. The tables must be there. */
export function prepareStatements(database: SqliteDatabase): Statements {
  const names = Object.keys(SQL) as (keyof typeof SQL)[]
  return Object.fromEntries(names.map((name) => [name, database.prepare(SQL[name])])) as Statements
}
