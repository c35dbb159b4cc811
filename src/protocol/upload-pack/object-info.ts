import { parseHex } from '../../bytes/hex.ts'
import type { ObjectId } from '../../object/object-id.ts'
import { encodePkt, FLUSH_PKT, gatherPackets } from '../pkt-line.ts'
import { assertWithin, protocolError } from '../protocol-error.ts'
import { parseWireId } from '../wire-id.ts'
import type { UploadSession } from './upload-session.ts'

/** The v2 command `object-info` (gitprotocol-v2): sizes of objects, nothing after the id of one that is not there. */
export async function* objectInfo(
  session: UploadSession,
  lines: readonly string[],
): AsyncGenerator<Uint8Array, void, undefined> {
  const ids: { readonly text: string; readonly id: ObjectId }[] = []
  let wantsSize = false
  for (const line of lines) {
    if (line === 'size') {
      wantsSize = true
      continue
    }
    if (!line.startsWith('oid ')) throw protocolError(`object-info: unexpected line: '${line}'`)
    const text = line.slice('oid '.length)
    const id = parseWireId(text, session.view.format)
    if (id === undefined) {
      throw protocolError(`object-info: protocol error, expected to get oid, not '${text}'`)
    }
    ids.push({ text, id })
    assertWithin(session.limits, 'maxWants', ids.length)
  }
  if (ids.length > 0) {
    const sizes = wantsSize ? await readSizes(session, ids) : undefined
    const packets = ids.map(({ text, id }) =>
      encodePkt(sizes === undefined ? text : `${text} ${sizes.get(id) ?? ''}`),
    )
    yield* gatherPackets([...(wantsSize ? [encodePkt('size')] : []), ...packets])
  }
  yield FLUSH_PKT
}

async function readSizes(
  { view }: UploadSession,
  ids: readonly { readonly id: ObjectId }[],
): Promise<ReadonlyMap<ObjectId, number>> {
  const sizes = new Map<ObjectId, number>()
  let waiting = ids.map(({ id }) => id)
  while (waiting.length > 0) {
    waiting = waiting.filter((id) => {
      const size = view.trySize(parseHex(id))
      if (typeof size === 'number') sizes.set(id, size)
      return size === undefined
    })
    if (waiting.length > 0) await view.settle()
  }
  return sizes
}
