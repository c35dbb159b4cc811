import { INFINITE_DEPTH } from '../../graph/deepen.ts'
import type { ObjectFilter } from '../../graph/object-filter.ts'
import type { ObjectFormat } from '../../object/object-format.ts'
import type { ObjectId } from '../../object/object-id.ts'
import { protocolError, assertWithin } from '../protocol-error.ts'
import type { ProtocolLimits } from '../protocol-limits.ts'
import { parseWireId } from '../wire-id.ts'

/** What a client asks for, gathered line by line. Ids are as sent: nothing is known yet of their existence. */
export interface FetchRequest {
  readonly format: ObjectFormat
  readonly limits: ProtocolLimits
  readonly wants: Set<ObjectId>
  readonly haves: ObjectId[]
  /** The boundary of the client's history. */
  readonly clientShallow: Set<ObjectId>
  depth: number | undefined
  relative: boolean
  since: number | undefined
  /** Names as sent. */
  readonly not: string[]
  filter: ObjectFilter | undefined
  /** Refs asked for by name, as sent. */
  readonly wantedRefs: string[]
  /** No pack before the client says `done`, however much is known to be common. */
  waitForDone: boolean
  /** Everything is sent on side-bands, not only the pack. */
  sidebandAll: boolean
  /** Schemes of addresses from which the client takes packs; absent when it takes none. */
  uriProtocols: readonly string[] | undefined
  thin: boolean
  ofsDelta: boolean
  noProgress: boolean
  includeTag: boolean
  done: boolean
}

/** A request in which nothing has been asked for yet. */
export function createFetchRequest(format: ObjectFormat, limits: ProtocolLimits): FetchRequest {
  return {
    format,
    limits,
    wants: new Set(),
    haves: [],
    clientShallow: new Set(),
    depth: undefined,
    relative: false,
    since: undefined,
    not: [],
    filter: undefined,
    wantedRefs: [],
    waitForDone: false,
    sidebandAll: false,
    uriProtocols: undefined,
    thin: false,
    ofsDelta: false,
    noProgress: false,
    includeTag: false,
    done: false,
  }
}

/** Whether the client asks to move the boundary of its history. */
export function asksToDeepen(request: FetchRequest): boolean {
  return request.depth !== undefined || request.since !== undefined || request.not.length > 0
}

/** One kind of line: its first word and what it does. `value` is what follows the first blank; `line` is for messages. */
export interface FetchLine {
  readonly keyword: string
  /** Whether a value belongs to it. */
  readonly hasValue: boolean
  readonly take: (request: FetchRequest, value: string, line: string) => void
}

/** The lines about the boundary of the client's history, the same in all versions. */
export const DEPTH_LINES: readonly FetchLine[] = [
  { keyword: 'shallow', hasValue: true, take: takeShallow },
  { keyword: 'deepen', hasValue: true, take: takeDeepen },
  { keyword: 'deepen-since', hasValue: true, take: takeDeepenSince },
  { keyword: 'deepen-not', hasValue: true, take: takeDeepenNot },
]

function takeShallow(request: FetchRequest, value: string, line: string): void {
  const id = parseWireId(value, request.format)
  if (id === undefined) throw protocolError(`invalid shallow line: ${line}`)
  request.clientShallow.add(id)
  assertWithin(request.limits, 'maxShallows', request.clientShallow.size)
}

function takeDeepen(request: FetchRequest, value: string, line: string): void {
  const depth = parseNumber(value)
  if (depth === undefined || depth < 1 || depth > INFINITE_DEPTH)
    throw protocolError(`Invalid deepen: ${line}`)
  request.depth = depth
}

function takeDeepenSince(request: FetchRequest, value: string, line: string): void {
  const since = parseNumber(value)
  if (since === undefined) throw protocolError(`Invalid deepen-since: ${line}`)
  request.since = since
}

function takeDeepenNot(request: FetchRequest, value: string): void {
  request.not.push(value)
  assertWithin(request.limits, 'maxShallows', request.not.length)
}

/** Gives a line to its row of the table; false when there is none. */
export function takeLine(table: readonly FetchLine[], request: FetchRequest, line: string): boolean {
  const blank = line.indexOf(' ')
  const keyword = blank < 0 ? line : line.slice(0, blank)
  const row = table.find((candidate) => candidate.keyword === keyword)
  if (row === undefined || row.hasValue !== blank >= 0) return false
  row.take(request, line.slice(keyword.length + 1), line)
  return true
}

/** Adds an id the client asks for. */
export function addWant(request: FetchRequest, id: ObjectId): void {
  request.wants.add(id)
  assertWithin(request.limits, 'maxWants', request.wants.size)
}

/** Adds the name of a `want-ref` line. */
export function addWantedRef(request: FetchRequest, name: string): void {
  request.wantedRefs.push(name)
  assertWithin(request.limits, 'maxWants', request.wantedRefs.length)
  assertWithin(request.limits, 'maxRefNameLength', name.length)
}

/** Adds the id of a `have` line. */
export function addHave(request: FetchRequest, value: string): void {
  const id = parseWireId(value, request.format)
  if (id === undefined) throw protocolError(`git upload-pack: expected SHA1 object, got '${value}'`)
  request.haves.push(id)
  assertWithin(request.limits, 'maxHaves', request.haves.length)
}

function parseNumber(text: string): number | undefined {
  return /^[0-9]{1,15}$/.test(text) ? Number(text) : undefined
}
