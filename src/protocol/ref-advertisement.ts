import type { ObjectFormat } from '../object/object-format.ts'
import type { ObjectId } from '../object/object-id.ts'
import type { AdvertisedRef } from '../repository/repository.ts'
import { encodeLines, endWithFlush } from './pkt-line.ts'
import type { ProtocolVersion } from './protocol-version.ts'

/** What the first answer of versions 0 and 1 says. */
export interface RefAdvertisement {
  readonly version: ProtocolVersion
  /** Peeled ids are sent where they are given. */
  readonly refs: readonly AdvertisedRef[]
  readonly capabilities: readonly string[]
  /** Where the server's own history ends. */
  readonly shallow: readonly ObjectId[]
  readonly format: ObjectFormat
}

/**
 * Encodes the advertisement (gitprotocol-pack, "Reference Discovery"): capabilities stand after a NUL on the first line,
 * and a repository without refs has a line of its own for them.
 */
export function encodeRefAdvertisement(
  advertisement: RefAdvertisement,
): Generator<Uint8Array, void, undefined> {
  return endWithFlush(encodeLines(listLines(advertisement)))
}

function* listLines(advertisement: RefAdvertisement): Generator<string, void, undefined> {
  const { refs, format } = advertisement
  if (advertisement.version === 1) yield 'version 1\n'
  let capabilities = `\0${advertisement.capabilities.join(' ')}`
  if (refs.length === 0) yield `${format.zeroId} capabilities^{}${capabilities}\n`
  for (const { id, name, peeled } of refs) {
    yield `${id} ${name}${capabilities}\n`
    capabilities = ''
    if (peeled !== undefined) yield `${peeled} ${name}^{}\n`
  }
  for (const id of advertisement.shallow) yield `shallow ${id}\n`
}
