import { parseHex } from '../../bytes/hex.ts'
import { isGitError } from '../../errors.ts'
import { parseObjectFilter, type BoundFilter, type ObjectFilter } from '../../graph/object-filter.ts'
import { parseSparsePatterns } from '../../graph/sparse-patterns.ts'
import { readObject } from '../../object/object-reader.ts'
import { BLOB } from '../../object/object-type.ts'
import { protocolError } from '../protocol-error.ts'
import type { FetchLine, FetchRequest } from './fetch-request.ts'
import { resolveObjectName } from './object-name.ts'
import type { FilterPolicy } from './upload-options.ts'
import type { UploadSession } from './upload-session.ts'

/** The line `filter <spec>`, the same in all versions. */
export const FILTER_LINE: FetchLine = {
  keyword: 'filter',
  hasValue: true,
  take(request: FetchRequest, value: string): void {
    if (request.filter !== undefined) throw protocolError('multiple filter-specs cannot be combined')
    request.filter = parseFilterLine(value)
  },
}

/** Tells a filter that does not parse from one that is not allowed: both are the client's to know. */
function parseFilterLine(value: string): ObjectFilter {
  try {
    return parseObjectFilter(value)
  } catch (error) {
    throw isGitError(error) ? protocolError(error.message) : error
  }
}

/**
 * Makes the filter of a request ready to be applied.
 *
 * @throws GitError `PROTOCOL` when it is not allowed, or patterns it names are not there
 */
export async function bindFilter(session: UploadSession, filter: ObjectFilter): Promise<BoundFilter> {
  assertAllowed(session.options.filters ?? {}, filter)
  return bind(session, filter)
}

function assertAllowed(policy: FilterPolicy, filter: ObjectFilter): void {
  const { kind } = filter
  if (!(policy.kinds?.[kind] ?? policy.allow ?? true)) throw protocolError(`filter '${kind}' not supported`)
  if (kind === 'tree' && policy.maxTreeDepth !== undefined && filter.depth > policy.maxTreeDepth) {
    throw protocolError(`tree filter allows max depth ${policy.maxTreeDepth}, but got ${filter.depth}`)
  }
  if (kind === 'combine') for (const part of filter.filters) assertAllowed(policy, part)
}

async function bind(session: UploadSession, filter: ObjectFilter): Promise<BoundFilter> {
  if (filter.kind === 'combine') {
    const filters: BoundFilter[] = []
    for (const part of filter.filters) filters.push(await bind(session, part))
    return { kind: 'combine', filters }
  }
  if (filter.kind !== 'sparse:oid') return filter
  const id = await resolveObjectName(session, filter.name)
  if (id === undefined) throw protocolError(`unable to access sparse blob in '${filter.name}'`)
  const object = await readObject(session.view, parseHex(id))
  if (object?.type !== BLOB) throw protocolError(`unable to parse sparse filter data in ${id}`)
  return { kind: 'sparse:oid', patterns: parseSparsePatterns(object.body) }
}
