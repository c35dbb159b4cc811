import { numberIn, textIn } from '../../../storage/sqlite/row-values.ts'
import type { SqliteRow } from '../../../storage/sqlite/sqlite-database.ts'
import type { TokenRecord, TokenScope } from '../records.ts'
import type { TokenQuery } from '../registry.ts'
import { insertEvents } from './outbox-rows.ts'
import type { Prepare } from './registry-database.ts'

const SELECT = `SELECT id, repository, hash, scope, created_at, expires_at, revoked_at FROM packstone_hub_tokens`

export function insertToken(sql: Prepare, token: TokenRecord): void {
  sql(
    `INSERT INTO packstone_hub_tokens (id, repository, hash, scope, created_at, expires_at, revoked_at)
       VALUES (?, ?, ?, ?, ?, ?, ?)`,
  ).run(
    token.id,
    token.repository,
    token.hash,
    token.scope,
    token.createdAt,
    token.expiresAt,
    token.revokedAt,
  )
}

/** False when its repository is gone. */
export function createToken(
  sql: Prepare,
  token: TokenRecord,
  options: { readonly keepOver: number; readonly events?: readonly string[] },
): boolean {
  const { repository, createdAt } = token
  if (sql('SELECT 1 FROM packstone_hub_repositories WHERE id = ?').get(repository) === undefined) return false
  insertToken(sql, token)
  sql(
    `DELETE FROM packstone_hub_tokens WHERE number IN (
       SELECT number FROM packstone_hub_tokens
         WHERE repository = ? AND (revoked_at IS NOT NULL OR expires_at <= ?)
         ORDER BY number DESC LIMIT -1 OFFSET ?)`,
  ).run(repository, createdAt, options.keepOver)
  insertEvents(sql, repository, options.events ?? [])
  return true
}

export function findToken(sql: Prepare, id: string): TokenRecord | undefined {
  const row = sql(`${SELECT} WHERE id = ?`).get(id)
  return row && toToken(row)
}

export function findTokenByHash(sql: Prepare, hash: string): TokenRecord | undefined {
  const row = sql(`${SELECT} WHERE hash = ?`).get(hash)
  return row && toToken(row)
}

/** What is true of tokens in each state; each takes the moment as its one parameter. */
const STATES = {
  active: 'revoked_at IS NULL AND expires_at > ?',
  expired: 'revoked_at IS NULL AND expires_at <= ?',
  revoked: 'revoked_at IS NOT NULL AND ? IS NOT NULL',
  any: '? IS NOT NULL',
}

export function listTokens(
  sql: Prepare,
  query: TokenQuery,
): { readonly tokens: readonly TokenRecord[]; readonly total: number } {
  const { repository, state = 'any', now, limit, offset } = query
  const where = `WHERE repository = ? AND ${STATES[state]}`
  const count = sql(`SELECT count(*) AS total FROM packstone_hub_tokens ${where}`).get(repository, now)
  const tokens = sql(`${SELECT} ${where} ORDER BY number DESC LIMIT ? OFFSET ?`)
    .all(repository, now, limit, offset)
    .map(toToken)
  return { tokens, total: count === undefined ? 0 : numberIn(count, 'total') }
}

/** False when it was revoked before, or is not there. */
export function revokeToken(sql: Prepare, id: string, at: number, events: readonly string[]): boolean {
  const row = sql(
    'UPDATE packstone_hub_tokens SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL RETURNING repository',
  ).get(at, id)
  if (row === undefined) return false
  insertEvents(sql, textIn(row, 'repository'), events)
  return true
}

function toToken(row: SqliteRow): TokenRecord {
  return {
    id: textIn(row, 'id'),
    repository: textIn(row, 'repository'),
    hash: textIn(row, 'hash'),
    // Written by us, from a record.
    scope: textIn(row, 'scope') as TokenScope,
    createdAt: numberIn(row, 'created_at'),
    expiresAt: numberIn(row, 'expires_at'),
    revokedAt: row['revoked_at'] === null ? null : numberIn(row, 'revoked_at'),
  }
}
