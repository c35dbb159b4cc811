import { decodeUtf8, encodeUtf8 } from '../bytes/text.ts'
import { GitError } from '../errors.ts'
import { BLOB, COMMIT, TAG, TREE, type ObjectType } from '../object/object-type.ts'
import type { SparsePatterns } from './sparse-patterns.ts'

/** A filter that looks at nothing but the object: the same answer wherever in a tree it is met. */
export type PathlessFilter =
  | { readonly kind: 'blob:none' }
  /** Leaves out blobs of `limit` bytes and more. */
  | { readonly kind: 'blob:limit'; readonly limit: number }
  | { readonly kind: 'object:type'; readonly type: ObjectType }

/** A filter whose answer depends on where an object is met. */
export type PathFilter<Sparse> =
  /** Leaves out what lies `depth` levels below a commit or deeper; its root tree lies at level 0. */
  | { readonly kind: 'tree'; readonly depth: number }
  /** Leaves out blobs that the patterns do not choose, see sparse-patterns.ts. */
  | ({ readonly kind: 'sparse:oid' } & Sparse)

/** Lets through what each of several filters lets through. */
export interface CombinedFilter<Sparse> {
  readonly kind: 'combine'
  readonly filters: readonly Filter<Sparse>[]
}

type Filter<Sparse> = PathlessFilter | PathFilter<Sparse> | CombinedFilter<Sparse>

/** A filter as asked for; `name` is a blob in any form that git resolves. */
export type ObjectFilter = Filter<{ readonly name: string }>

/** A filter that is ready to be applied. */
export type BoundFilter = Filter<{ readonly patterns: SparsePatterns }>

export type FilterKind = ObjectFilter['kind']

/** Every kind of filter there is, by the names that git's config has for them. */
export const FILTER_KINDS: readonly FilterKind[] = [
  'blob:none',
  'blob:limit',
  'tree',
  'sparse:oid',
  'object:type',
  'combine',
]

const TYPES: ReadonlyMap<string, ObjectType> = /* @__PURE__ */ new Map([
  ['commit', COMMIT],
  ['tree', TREE],
  ['blob', BLOB],
  ['tag', TAG],
] as const)

/** How deeply combinations may be nested. */
const MAX_NESTING = 32

/**
 * Parses a filter as it travels on the wire (git-rev-list, "--filter=<filter-spec>").
 *
 * @throws GitError `INVALID_ARGUMENT`, in git's words
 */
export function parseObjectFilter(spec: string): ObjectFilter {
  return parse(spec, 0)
}

function parse(spec: string, nesting: number): ObjectFilter {
  if (spec === 'blob:none') return { kind: 'blob:none' }
  const limit = after(spec, 'blob:limit=')
  if (limit !== undefined) {
    const bytes = parseSize(limit)
    if (bytes === undefined) throw invalid(`invalid filter-spec '${spec}'`)
    return { kind: 'blob:limit', limit: bytes }
  }
  const depth = after(spec, 'tree:')
  if (depth !== undefined) {
    const levels = parseSize(depth)
    if (levels === undefined) throw invalid(`expected 'tree:<depth>'`)
    return { kind: 'tree', depth: levels }
  }
  const name = after(spec, 'sparse:oid=')
  if (name !== undefined) return { kind: 'sparse:oid', name }
  if (spec.startsWith('sparse:path=')) throw invalid('sparse:path filters support has been dropped')
  const typeName = after(spec, 'object:type=')
  if (typeName !== undefined) {
    const type = TYPES.get(typeName)
    if (type !== undefined) return { kind: 'object:type', type }
    throw invalid(`'${typeName}' for 'object:type=<type>' is not a valid object type`)
  }
  const parts = after(spec, 'combine:')
  if (parts !== undefined) return { kind: 'combine', filters: parseParts(parts, nesting) }
  throw invalid(`invalid filter-spec '${spec}'`)
}

function parseParts(text: string, nesting: number): ObjectFilter[] {
  if (text === '') throw invalid('expected something after combine:')
  if (nesting >= MAX_NESTING) throw invalid(`filters are combined more than ${MAX_NESTING} levels deep`)
  // Each plus ends a part. One at the very end has nothing to divide, and so belongs to its part.
  const divided = text.replace(/\+$/, '').split('+')
  const last = divided.length - 1
  const parts = text.endsWith('+') ? divided.with(last, `${divided[last] ?? ''}+`) : divided
  return parts.map((part) => {
    const reserved = /[\0- ~`!@#$^&*()[\]{}\\;'",<>?]/.exec(part)
    if (reserved !== null) throw invalid(`must escape char in sub-filter-spec: '${reserved[0]}'`)
    return parse(decodePercents(part), nesting + 1)
  })
}

/** Decodes `%xx`; what is no such escape stays as it is. */
function decodePercents(text: string): string {
  if (!text.includes('%')) return text
  const bytes = encodeUtf8(text)
  const out: number[] = []
  for (let at = 0; at < bytes.length; at++) {
    const escaped = /^%([0-9a-f]{2})$/i.exec(String.fromCharCode(...bytes.subarray(at, at + 3)))?.[1]
    const value = escaped === undefined ? 0 : Number.parseInt(escaped, 16)
    out.push(value > 0 ? value : bytes[at]!)
    if (value > 0) at += 2
  }
  return decodeUtf8(Uint8Array.from(out))
}

const UNITS: Readonly<Record<string, number>> = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 }

/** A number as git reads it: decimal, `0x` or octal, times an optional unit. */
function parseSize(text: string): number | undefined {
  const [, digits, unit = ''] = /^\s*\+?(0x[0-9a-f]+|[0-9]+)([kmg]?)$/i.exec(text) ?? []
  if (digits === undefined) return undefined
  const isOctal = /^0[0-9]/.test(digits)
  if (isOctal && /[89]/.test(digits)) return undefined
  const size = (isOctal ? Number.parseInt(digits, 8) : Number(digits)) * (UNITS[unit.toLowerCase()] ?? 1)
  return size < 2 ** 64 ? size : undefined
}

function after(text: string, prefix: string): string | undefined {
  return text.startsWith(prefix) ? text.slice(prefix.length) : undefined
}

function invalid(message: string): GitError {
  return new GitError('INVALID_ARGUMENT', message)
}
