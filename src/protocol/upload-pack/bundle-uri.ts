import { encodePkt, FLUSH_PKT } from '../pkt-line.ts'
import { protocolError } from '../protocol-error.ts'
import type { UploadSession } from './upload-session.ts'

/** The v2 command `bundle-uri` (gitprotocol-v2): the configured list of bundles, as lines of `key=value`. */
export async function* bundleUri(
  { options: { bundles: list } }: UploadSession,
  lines: readonly string[],
): AsyncGenerator<Uint8Array, void, undefined> {
  const [unexpected] = lines
  if (unexpected !== undefined) throw protocolError(`bundle-uri: unexpected argument: '${unexpected}'`)
  await Promise.resolve()
  if (list !== undefined) {
    yield encodePkt('bundle.version=1')
    yield encodePkt(`bundle.mode=${list.mode}`)
    if (list.heuristic !== undefined) yield encodePkt(`bundle.heuristic=${list.heuristic}`)
    for (const { id, uri, creationToken } of list.bundles) {
      yield encodePkt(`bundle.${id}.uri=${uri}`)
      if (creationToken !== undefined) yield encodePkt(`bundle.${id}.creationToken=${creationToken}`)
    }
  }
  yield FLUSH_PKT
}
