import type { RefSnapshot } from '../../refs/ref-transaction.ts'
import type { Ref, RefTarget } from '../../refs/ref.ts'
import { textIn } from './row-values.ts'
import type { SqliteRow } from './sqlite-database.ts'
import type { Statements } from './statements.ts'

const SYMBOLIC = 'ref: '

/** Reads one ref; `undefined` when there is none. */
export function readRef(sql: Statements, repository: number, name: string): Ref | undefined {
  const row = sql.readRef.get(repository, name)
  return row && parseRefRow(row)
}

/** All refs but `HEAD` whose names begin with `prefix`, in byte order. */
export function listRefRows(sql: Statements, repository: number, prefix: string): Ref[] {
  const end = firstTextAfter(prefix)
  const rows =
    end === undefined ? sql.listRefs.all(repository, prefix) : sql.listRefsBelow.all(repository, prefix, end)
  return rows.map(parseRefRow)
}

/** Stores a ref's value, or with `null` that there is none. */
export function writeRef(
  sql: Statements,
  repository: number,
  name: string,
  target: RefTarget | null,
  peeled: string | null | undefined,
): void {
  if (target === null) {
    sql.deleteRef.run(repository, name)
    return
  }
  const text = target.kind === 'symbolic' ? SYMBOLIC + target.target : target.id
  sql.writeRef.run(repository, name, text, peeled === undefined ? null : (peeled ?? ''))
}

/**
 * The stored refs as a transaction asks about them: each answer is one query, so that the cost does not depend on how
 * many refs there are. Only valid within one transaction, before it changes refs.
 */
export function refSnapshot(sql: Statements, repository: number): RefSnapshot {
  // Edits of neighbours ask about the same directories again and again.
  const found = new Map<string, Ref | undefined>()
  return {
    find(name) {
      if (!found.has(name)) found.set(name, readRef(sql, repository, name))
      return found.get(name)
    },
    names: (directory) => namesIn(sql, repository, directory),
  }
}

/** Usually only the first name is taken: it is asked for alone, then more and more. */
function* namesIn(
  sql: Statements,
  repository: number,
  directory: string,
): Generator<string, void, undefined> {
  // A directory ends in a slash, and the character after the slash is the zero.
  const end = `${directory.slice(0, -1)}0`
  let after = directory
  for (let limit = 1; ; limit = Math.min(10 * limit, 1000)) {
    const names = sql.namesBelow.all(repository, after, end, limit).map((row) => textIn(row, 'name'))
    yield* names
    const last = names.at(-1)
    if (last === undefined || names.length < limit) return
    after = last
  }
}

/** The first text, in byte order, that is behind all that begin with `prefix`; `undefined` when there is none. */
function firstTextAfter(prefix: string): string | undefined {
  const points = Array.from(prefix)
  for (let last = points.pop(); last !== undefined; last = points.pop()) {
    const code = last.codePointAt(0) ?? 0
    if (code === 0x10ffff) continue
    // Surrogates are no characters of their own: the character behind U+D7FF is U+E000.
    return points.join('') + String.fromCodePoint(code === 0xd7ff ? 0xe000 : code + 1)
  }
  return undefined
}

function parseRefRow(row: SqliteRow): Ref {
  const name = textIn(row, 'name')
  const stored = textIn(row, 'target')
  const target: RefTarget = stored.startsWith(SYMBOLIC)
    ? { kind: 'symbolic', target: stored.slice(SYMBOLIC.length) }
    : { kind: 'direct', id: stored }
  const peeled = row['peeled']
  if (typeof peeled !== 'string') return { name, target }
  return { name, target, peeled: peeled === '' ? null : peeled }
}
