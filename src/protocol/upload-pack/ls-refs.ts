import type { AdvertisedRef } from '../../repository/repository.ts'
import { encodePkt, FLUSH_PKT } from '../pkt-line.ts'
import { protocolError } from '../protocol-error.ts'
import type { ProtocolLimits } from '../protocol-limits.ts'
import type { UploadSession } from './upload-session.ts'

interface LsRefsRequest {
  peel: boolean
  symrefs: boolean
  unborn: boolean
  readonly prefixes: string[]
}

interface LsRefsArgument {
  readonly keyword: string
  readonly hasValue: boolean
  /** The word by which `ls-refs=…` advertises it; absent for what every server knows. */
  readonly feature?: string
  readonly take: (request: LsRefsRequest, value: string, limits: ProtocolLimits) => void
}

const LS_REFS_ARGUMENTS: readonly LsRefsArgument[] = [
  {
    keyword: 'peel',
    hasValue: false,
    take(request) {
      request.peel = true
    },
  },
  {
    keyword: 'symrefs',
    hasValue: false,
    take(request) {
      request.symrefs = true
    },
  },
  {
    keyword: 'unborn',
    hasValue: false,
    feature: 'unborn',
    take(request) {
      request.unborn = true
    },
  },
  {
    keyword: 'ref-prefix',
    hasValue: true,
    take(request, value, limits) {
      if (request.prefixes.length < limits.maxRefPrefixes) request.prefixes.push(value)
    },
  },
]

/** The value of the `ls-refs` capability. */
export const LS_REFS_FEATURES: readonly string[] = /* @__PURE__ */ LS_REFS_ARGUMENTS.flatMap(({ feature }) =>
  feature === undefined ? [] : [feature],
)

/** The v2 command `ls-refs` (gitprotocol-v2): the refs under the prefixes asked for, HEAD first. */
export async function* lsRefs(
  session: UploadSession,
  lines: readonly string[],
): AsyncGenerator<Uint8Array, void, undefined> {
  const request = parseArguments(lines, session.limits)
  // So many prefixes that some were dropped: none of them may restrict the list then.
  const prefixes = request.prefixes.length < session.limits.maxRefPrefixes ? request.prefixes : []
  const matches = (name: string): boolean =>
    (prefixes.length === 0 || prefixes.some((prefix) => name.startsWith(prefix))) && !session.isHidden(name)

  const refs = await session.repository.listAdvertisedRefs(session.view, {
    peel: request.peel,
    ...(prefixes.length === 0 ? {} : { prefixes }),
  })
  if (request.unborn && request.symrefs && matches('HEAD') && !refs.some(({ name }) => name === 'HEAD')) {
    const head = await session.repository.readHead()
    // HEAD may have been left out for its prefix only; it is unborn when it resolves to nothing.
    if (head?.kind === 'symbolic' && (await session.repository.resolveRef('HEAD')) === undefined) {
      yield encodePkt(`unborn HEAD symref-target:${head.target}\n`)
    }
  }
  for (const ref of refs) {
    if (matches(ref.name)) yield encodePkt(encodeRefLine(ref, request))
  }
  yield FLUSH_PKT
}

function encodeRefLine(ref: AdvertisedRef, request: LsRefsRequest): string {
  const symref = request.symrefs && ref.symrefTarget !== undefined ? ` symref-target:${ref.symrefTarget}` : ''
  const peeled = request.peel && ref.peeled !== undefined ? ` peeled:${ref.peeled}` : ''
  return `${ref.id} ${ref.name}${symref}${peeled}\n`
}

function parseArguments(lines: readonly string[], limits: ProtocolLimits): LsRefsRequest {
  const request: LsRefsRequest = { peel: false, symrefs: false, unborn: false, prefixes: [] }
  for (const line of lines) {
    const blank = line.indexOf(' ')
    const keyword = blank < 0 ? line : line.slice(0, blank)
    const row = LS_REFS_ARGUMENTS.find((candidate) => candidate.keyword === keyword)
    if (row === undefined || row.hasValue !== blank >= 0) throw protocolError(`unexpected line: '${line}'`)
    row.take(request, line.slice(keyword.length + 1), limits)
  }
  return request
}
