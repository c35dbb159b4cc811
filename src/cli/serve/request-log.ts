import type { RequestRecord } from '../../hosts/node/index.ts'

/** One line for a request that is over: method, address, status, bytes of the answer, milliseconds. */
export function formatRequest(record: RequestRecord): string {
  const target = record.target.replace(/[^\x21-\x7e]/g, (character) => encodeURIComponent(character))
  const end = record.complete ? '' : ' (cut off)'
  return `${record.method} ${target} ${record.status} ${record.bytes} ${record.milliseconds.toFixed(1)}ms${end}`
}
