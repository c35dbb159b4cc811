import { ArtifactsError } from '../artifacts-error.ts'
import { encodeCursor, parseCursor } from '../registry/cursor.ts'
import type { Page, PageRequest } from '../registry/registry.ts'
import { resultResponse } from './envelope.ts'

/** What a client says about the part of a list that it wants. */
export interface ListRequest {
  readonly limit: number
  readonly cursor?: string | undefined
  /** From 1. Whoever counts pages gets the numbers to go on counting. */
  readonly page?: number | undefined
}

/**
 * Answers with a part of a list. Its `result_info` counts pages where the client does, and where there is nothing more to come; as
 * long as more rows follow, it gives the cursor to them.
 *
 * @param list what the list is and how it is sorted: a cursor of another list is refused.
 * @throws ArtifactsError `INVALID_INPUT` for a foreign cursor
 */
export async function listResponse<Row>(
  list: string,
  { limit, cursor, page }: ListRequest,
  read: (request: PageRequest) => Promise<Page<Row>>,
  show: (row: Row) => unknown,
): Promise<Response> {
  const after = cursor === undefined || cursor === '' ? undefined : parseCursor(list, cursor)
  if (after === undefined && cursor !== undefined && cursor !== '') {
    throw new ArtifactsError('INVALID_INPUT', 'Invalid cursor', { pointer: '/cursor' })
  }
  const found = await read({
    limit,
    ...(after === undefined ? {} : { after }),
    ...(page === undefined || after !== undefined ? {} : { offset: (page - 1) * limit }),
    withTotal: page !== undefined,
  })
  const result = found.rows.map(show)
  const count = result.length
  const next = found.next === undefined ? undefined : encodeCursor(list, found.next)
  if (next !== undefined && page === undefined) {
    return resultResponse(result, { info: { cursor: next, per_page: limit, count } })
  }
  // All that there is came in one part, or has to be counted for once.
  const total =
    found.total ??
    (after === undefined ? count : ((await read({ limit: 1, withTotal: true })).total ?? count))
  const pages = Math.ceil(total / limit)
  return resultResponse(result, {
    info: {
      page: page ?? Math.max(1, pages),
      per_page: limit,
      total_pages: pages,
      count,
      total_count: total,
      ...(next === undefined ? {} : { cursor: next }),
    },
  })
}
