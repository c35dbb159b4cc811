import type { AdvertisedRef } from '../../repository/repository.ts'
import { encodeLines, endWithFlush } from '../pkt-line.ts'
import { protocolError } from '../protocol-error.ts'
import type { ProtocolLimits } from '../protocol-limits.ts'
import type { UploadPackOptions } from './upload-options.ts'
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
  /** Whether it is advertised. Default true. */
  readonly offer?: (options: UploadPackOptions) => boolean
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
    offer: ({ unborn = 'advertise' }) => unborn === 'advertise',
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

/** Every word that the `ls-refs` capability may have. */
export const LS_REFS_FEATURES: readonly string[] = /* @__PURE__ */ LS_REFS_ARGUMENTS.flatMap(({ feature }) =>
  feature === undefined ? [] : [feature],
)

/** The value of the `ls-refs` capability, `''` for none. */
export function listLsRefsFeatures(options: UploadPackOptions): string {
  return LS_REFS_ARGUMENTS.flatMap(({ feature, offer }) =>
    feature !== undefined && offer?.(options) !== false ? [feature] : [],
  ).join(' ')
}

/** The v2 command `ls-refs` (gitprotocol-v2): the refs under the prefixes asked for, HEAD first. */
export async function* lsRefs(
  session: UploadSession,
  lines: readonly string[],
): AsyncGenerator<Uint8Array, void, undefined> {
  const { repository, view, limits } = session
  const request = parseArguments(lines, limits)
  // So many prefixes that some were dropped: none of them may restrict the list then.
  const prefixes = request.prefixes.length < limits.maxRefPrefixes ? request.prefixes : []
  const hasPrefix = createPrefixTest(prefixes)
  const isListed = (name: string): boolean => hasPrefix(name) && !session.isHidden(name)

  const refs = await repository.listAdvertisedRefs(view, {
    peel: request.peel,
    ...(prefixes.length === 0 || prefixes.length > MAX_PASSED_PREFIXES ? {} : { prefixes }),
  })
  const unborn = await readUnbornHead(session, request)
  const listed = function* (): Generator<string, void, undefined> {
    if (unborn !== undefined && isListed('HEAD')) yield `unborn HEAD symref-target:${unborn}\n`
    for (const ref of refs) if (isListed(ref.name)) yield refLine(ref, request)
  }
  yield* endWithFlush(encodeLines(listed()))
}

/** Up to this many prefixes narrow down what is read; more are tested here, at a cost that does not grow with them. */
const MAX_PASSED_PREFIXES = 64

/** Tests names against prefixes with one lookup for each length that a prefix has. No prefix matches everything. */
function createPrefixTest(prefixes: readonly string[]): (name: string) => boolean {
  if (prefixes.length === 0) return () => true
  const known = new Set(prefixes)
  const lengths = [...new Set(prefixes.map(({ length }) => length))]
  return (name) => lengths.some((length) => length <= name.length && known.has(name.slice(0, length)))
}

/** The ref that HEAD names without leading to an object, if the client asks for that. */
async function readUnbornHead(session: UploadSession, request: LsRefsRequest): Promise<string | undefined> {
  if (!request.unborn || !request.symrefs || session.options.unborn === 'ignore') return undefined
  const head = await session.repository.readHead()
  if (head?.kind !== 'symbolic') return undefined
  return (await session.repository.resolveRef('HEAD')) === undefined ? head.target : undefined
}

function refLine(ref: AdvertisedRef, request: LsRefsRequest): string {
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
