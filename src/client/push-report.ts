import { PktReader } from '../protocol/pkt-reader.ts'
import { remoteFault } from './remote-refs.ts'

/**
 * A change that a remote made in place of the one that was asked for (report-status-v2): `refname`, `old-oid`, `new-oid`,
 * `forced-update`.
 */
export type RemoteChange = Readonly<Record<string, string>>

/** What a remote says of one ref. */
export type RefReport =
  | { readonly kind: 'ok'; readonly changes: readonly RemoteChange[] }
  | { readonly kind: 'refused'; readonly message: string }

export interface PushReport {
  /** Why the pack was not taken; `undefined` when it was. */
  readonly unpackError: string | undefined
  readonly refs: ReadonlyMap<string, RefReport>
}

/** Largest report that is read, in bytes. */
const MAX_REPORT_BYTES = 64 * 1024 * 1024

/**
 * Parses a report of versions 1 and 2 (gitprotocol-pack, "Report Status"), up to its flush.
 *
 * @throws GitError `PROTOCOL`
 */
export async function readPushReport(source: AsyncIterable<Uint8Array>): Promise<PushReport> {
  const reader = new PktReader(source, { maxBytes: MAX_REPORT_BYTES })
  const refs = new Map<string, RefReport>()
  const first = await reader.readLine()
  if (first.kind !== 'line' || !first.text.startsWith('unpack ')) {
    throw remoteFault('the remote did not report what became of the push')
  }
  const status = first.text.slice('unpack '.length)
  // What `option` lines belong to: the `ok` line before them. One ref may have several.
  let open: { readonly changes: Record<string, string>[]; change?: Record<string, string> } | undefined
  for (;;) {
    const line = await reader.readLine()
    if (line.kind === 'flush') break
    if (line.kind !== 'line') throw remoteFault('the report of the push ends early')
    const [keyword = '', name = ''] = line.text.split(' ', 2)
    const rest = line.text.slice(keyword.length + name.length + 2)
    if (keyword === 'ok' && name !== '') {
      const report = refs.get(name)
      open = { changes: report?.kind === 'ok' ? [...report.changes] : [] }
      refs.set(name, { kind: 'ok', changes: open.changes })
    } else if (keyword === 'ng' && name !== '') {
      open = undefined
      refs.set(name, { kind: 'refused', message: rest === '' ? 'failed' : rest })
    } else if (keyword === 'option' && open !== undefined) {
      if (open.change === undefined) open.changes.push((open.change = {}))
      open.change[name] = rest
    } else {
      throw remoteFault(`unexpected line in the report of the push: '${line.text.slice(0, 80)}'`)
    }
  }
  // What is said to people after the report comes before the end of the answer, which has to be seen.
  const rest = reader.rest()
  while ((await rest.next()).done !== true);
  return { unpackError: status === 'ok' ? undefined : status, refs }
}
