import { decodeLatin1 } from '../../bytes/text.ts'
import { isGitError, type GitError, type GitErrorCode } from '../../errors.ts'
import { isFsckError, type FsckFinding, type FsckOptions } from '../../object/fsck.ts'
import type { ObjectId } from '../../object/object-id.ts'
import type { IncomingPack } from '../../repository/incoming-pack.ts'
import type { BandChannel } from '../band-channel.ts'
import type { PktReader } from '../pkt-reader.ts'
import { ProgressLines } from '../progress-lines.ts'
import type { PushRequest } from './push-request.ts'
import type { ReceiveSession } from './receive-session.ts'

/** A pack that was received, or what the report says of one that was refused. */
export type Unpacked =
  | { readonly kind: 'received'; readonly incoming: IncomingPack }
  | {
      readonly kind: 'refused'
      readonly status: string
      /** What is said of every command. */
      readonly error: string
    }

const PACK_HEADER_LENGTH = 12

/** Warnings that are passed on. */
const MAX_FINDINGS = 1000

const UNPACKER_ERROR = 'unpacker error'

/** How git checks objects when it is told to check them. */
const STRICT: FsckOptions = { strict: true }

/**
 * How much of a refused push is read to its end and dropped, so that a client which sends before it listens hears why.
 */
const MAX_DRAINED_BYTES = 256 * 1024 * 1024

/** What a pack can be refused for. Anything else is no fault of the pack. */
const PACK_FAULTS: readonly GitErrorCode[] = [
  'CORRUPT_OBJECT',
  'CORRUPT_PACK',
  'CORRUPT_DELTA',
  'CORRUPT_ZLIB',
  'MISSING_OBJECT',
  'MISSING_BASE',
  'FSCK',
  'LIMIT_EXCEEDED',
  'UNSUPPORTED',
]

/**
 * Hands the pack that follows the commands to the repository. It is never held whole, and nobody sees its objects yet.
 */
export async function* unpack(
  session: ReceiveSession,
  request: PushRequest,
  reader: PktReader,
  channel: BandChannel,
): AsyncGenerator<Uint8Array, Unpacked, undefined> {
  const problem = describeHeaderProblem(await reader.peekBytes(PACK_HEADER_LENGTH))
  if (problem !== undefined) {
    await drain(reader)
    return { kind: 'refused', status: problem, error: UNPACKER_ERROR }
  }
  const { options, signal } = session
  const lines = new ProgressLines()
  const { maxInputSize, maxObjects, maxObjectBytes } = options
  const receiving = session.repository.receivePack(reader.rest(), {
    ...(signal === undefined ? {} : { signal }),
    ...(maxInputSize === undefined ? {} : { maxPackBytes: maxInputSize }),
    ...(maxObjects === undefined ? {} : { maxObjects }),
    ...(maxObjectBytes === undefined ? {} : { maxObjectBytes }),
    ...(options.fsck === false ? {} : { fsck: options.fsck ?? STRICT }),
    onFinding: createFindingTeller((text) => {
      channel.say(text)
    }),
    ...(request.quiet || channel.packetMax === 0
      ? {}
      : {
          onProgress: (event): void => {
            channel.say(lines.onEvent(event))
          },
        }),
  })
  try {
    // Until the request has been read a client over HTTP is busy sending, and signs of life serve nobody.
    const incoming = yield* channel.during(receiving, () => !reader.ended)
    channel.say(lines.finish())
    return { kind: 'received', incoming }
  } catch (error) {
    if (!isGitError(error) || !PACK_FAULTS.includes(error.code)) throw error
    // What an object breaks has been said when it was found.
    const message = error.code === 'FSCK' ? 'fsck error in packed object' : describePackFault(error)
    channel.say(`${lines.finish()}fatal: ${message}\n`)
    await drain(reader)
    return { kind: 'refused', ...reportOf(error, message, channel.packetMax > 0) }
  }
}

/** Tells of what is wrong with objects, up to a number: the messages of a hostile pack must not fill the memory. */
function createFindingTeller(say: (text: string) => void): (id: ObjectId, finding: FsckFinding) => void {
  let count = 0
  return (id, finding) => {
    const isError = isFsckError(finding)
    if (++count > MAX_FINDINGS && !isError) return
    say(`${isError ? 'error' : 'warning'}: object ${id}: ${finding.id}: ${finding.message}\n`)
    if (count === MAX_FINDINGS) say('warning: there are more warnings than are shown\n')
  }
}

function describePackFault(error: GitError): string {
  const { reason, digest } = error.details
  if (reason !== 'sha1-collision') return error.message
  return `SHA-1 appears to be part of a collision attack: ${String(digest)}`
}

/**
 * Beside messages of its own, git names the program that gave up; the report must say it all where there are no messages, and for
 * what git has no word.
 */
function reportOf(
  error: GitError,
  message: string,
  hasMessages: boolean,
): { readonly status: string; readonly error: string } {
  const { limit, reason } = error.details
  if (limit === 'maxObjects' || limit === 'maxObjectBytes') return { status: message, error: message }
  const isClear = !hasMessages || reason === 'sha1-collision' || reason === 'id-collision'
  const status = isClear ? (error.code === 'FSCK' ? error.message : message) : 'index-pack abnormal exit'
  return { status, error: UNPACKER_ERROR }
}

function describeHeaderProblem(header: Uint8Array): string | undefined {
  if (header.length < PACK_HEADER_LENGTH) return 'eof before pack header was fully read'
  if (decodeLatin1(header, 0, 4) !== 'PACK') return 'protocol error (pack signature mismatch detected)'
  const version = new DataView(header.buffer, header.byteOffset).getUint32(4)
  if (version !== 2 && version !== 3) return 'protocol error (pack version unsupported)'
  return undefined
}

async function drain(reader: PktReader): Promise<void> {
  let drained = 0
  for await (const chunk of reader.rest()) {
    drained += chunk.length
    if (drained > MAX_DRAINED_BYTES) return
  }
}
