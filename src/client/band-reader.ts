import type { PktReader } from '../protocol/pkt-reader.ts'
import { decodeLine } from '../protocol/pkt-reader.ts'
import { remoteFault } from './remote-refs.ts'
import type { RemoteMessages } from './remote-messages.ts'

/**
 * Takes a side-band apart: yields the data, hands on what is said to people, and throws what the remote dies of. Ends with the flush.
 *
 * @throws GitError `PROTOCOL`
 */
export async function* readBands(
  reader: PktReader,
  messages: RemoteMessages,
): AsyncGenerator<Uint8Array, void, undefined> {
  for (;;) {
    const packet = await reader.read()
    if (packet.kind === 'flush') return
    if (packet.kind !== 'data') throw remoteFault('the remote end hung up in the middle of its answer')
    const content = packet.payload.subarray(1)
    switch (packet.payload[0]) {
      case 1:
        if (content.length > 0) yield content
        break
      case 2:
        messages.take(content)
        break
      case 3:
        throw remoteFault(
          `the remote failed: ${decodeLine(content)
            .replace(/\p{Cc}+/gu, ' ')
            .slice(0, 1000)}`,
        )
      default:
        throw remoteFault('protocol error: a packet of the side-band names no band')
    }
  }
}
