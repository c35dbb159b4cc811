import { PktReader } from '../protocol/pkt-reader.ts'
import { remoteFault } from './remote-refs.ts'

/** What a remote says of one ref. */
export type RefReport =
  | { readonly kind: 'ok'; readonly options: Readonly<Record<string, string>> }
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
  const reader = new PktReader(source, MAX_REPORT_BYTES)
  const refs = new Map<string, RefReport>()
  const first = await reader.readLine()
  if (first.kind !== 'line' || !first.text.startsWith('unpack ')) {
    throw remoteFault('the remote did not report what became of the push')
  }
  const status = first.text.slice('unpack '.length)
  let options: Record<string, string> | undefined
  for (;;) {
    const line = await reader.readLine()
    if (line.kind === 'flush') break
    if (line.kind !== 'line') throw remoteFault('the report of the push ends early')
    const [keyword = '', name = ''] = line.text.split(' ', 2)
    const rest = line.text.slice(keyword.length + name.length + 2)
    if (keyword === 'ok' && name !== '') {
      options = {}
      refs.set(name, { kind: 'ok', options })
    } else if (keyword === 'ng' && name !== '') {
      options = undefined
      refs.set(name, { kind: 'refused', message: rest === '' ? 'failed' : rest })
    } else if (keyword === 'option' && options !== undefined) {
      // A ref may be reported as several; the first account of it is kept.
      options[name] ??= rest
    } else {
      throw remoteFault(`unexpected line in the report of the push: '${line.text.slice(0, 80)}'`)
    }
  }
  return { unpackError: status === 'ok' ? undefined : status, refs }
}
