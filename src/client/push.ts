import { concatBytes } from '../bytes/concat.ts'
import { GitError } from '../errors.ts'
import { parseObjectId, type ObjectId } from '../object/object-id.ts'
import { hasObject } from '../object/object-reader.ts'
import type { ObjectView } from '../odb/object-view.ts'
import type { ProgressListener } from '../pack/progress.ts'
import { encodePkt, FLUSH_PKT } from '../protocol/pkt-line.ts'
import { PktReader } from '../protocol/pkt-reader.ts'
import { planPack } from '../repository/outgoing-pack.ts'
import type { Repository } from '../repository/repository.ts'
import { readBands } from './band-reader.ts'
import type { OperationOptions } from './client-options.ts'
import type { Remote } from './connection.ts'
import { assertSameFormat, discover, type Discovery } from './discover.ts'
import { unoffered } from './fetch-request.ts'
import { judgePush, resolveUpdates } from './judge-push.ts'
import { runOperation, type Operation } from './operation.ts'
import type { PushedRef, PushUpdate } from './push-outcome.ts'
import { readPushReport, type PushReport } from './push-report.ts'
import { postPush } from './push-body.ts'

export interface PushOptions extends OperationOptions {
  readonly updates: readonly PushUpdate[]
  /** All or nothing: `UNSUPPORTED` when the remote does not offer that. Default false. */
  readonly atomic?: boolean
  /** Words for the remote's hooks: `UNSUPPORTED` when the remote does not take any. */
  readonly pushOptions?: readonly string[]
  /** Send deltas on objects that the remote has. Default true. */
  readonly thin?: boolean
  readonly onProgress?: ProgressListener
}

export interface PushResult {
  /** One outcome for each update, in order. A refusal is an outcome, too. */
  readonly refs: readonly PushedRef[]
  /** Why the remote did not take the pack, where it says so; every update is rejected then. */
  readonly unpackError?: string
}

type OpenRef = Exclude<PushedRef, { kind: 'rejected' }>

/** Pushes from a repository: discovery, the rules of git-push, the pack, and what the remote says to it. */
export function pushFrom(remote: Remote, repository: Repository, options: PushOptions): Promise<PushResult> {
  return runOperation(remote, options, async (operation) => {
    const view = await repository.openView()
    try {
      const updates = await resolveUpdates(repository, view, options.updates)
      const discovery = await discover(operation.connection, 'git-receive-pack')
      assertOffered(discovery, repository, options)
      const refs = new Map((discovery.refs?.refs ?? []).map((ref) => [ref.name, ref]))
      const canDelete = discovery.capabilities.has('delete-refs')
      const judged: PushedRef[] = []
      for (const update of updates)
        judged.push(await judgePush({ repository, view, refs, canDelete }, update))
      if (options.atomic === true && judged.some(({ kind }) => kind === 'rejected')) {
        return { refs: judged.map((ref) => (ref.kind === 'unchanged' ? ref : withdrawn(ref))) }
      }
      const commands = judged.filter(
        (ref): ref is OpenRef => ref.kind !== 'rejected' && ref.kind !== 'unchanged',
      )
      if (commands.length === 0) return { refs: judged }
      const report = await send(operation, { discovery, repository, view, commands }, options)
      return {
        refs: judged.map((ref) => settle(ref, report)),
        ...(report.unpackError === undefined ? {} : { unpackError: report.unpackError }),
      }
    } finally {
      await view.close()
    }
  })
}

function assertOffered(discovery: Discovery, repository: Repository, options: PushOptions): void {
  const { capabilities } = discovery
  assertSameFormat(discovery, repository)
  if (!capabilities.has('report-status') && !capabilities.has('report-status-v2')) {
    throw unoffered('reports of what became of a push')
  }
  if (options.atomic === true && !capabilities.has('atomic')) throw unoffered('atomic pushes')
  const words = options.pushOptions ?? []
  if (words.length > 0 && !capabilities.has('push-options')) throw unoffered('push options')
  if (words.some((word) => /[\n\0]/.test(word))) {
    throw new GitError('INVALID_ARGUMENT', 'a push option has a line break or a NUL, which cannot be sent')
  }
}

interface PushPlan {
  readonly discovery: Discovery
  readonly repository: Repository
  readonly view: ObjectView
  readonly commands: readonly OpenRef[]
}

async function send(operation: Operation, plan: PushPlan, options: PushOptions): Promise<PushReport> {
  const { connection, messages } = operation
  const { discovery, repository, commands } = plan
  const words = chooseCapabilities(operation, discovery, options)
  const { zeroId } = repository.format
  const head: Uint8Array[] = []
  for (const id of await repository.storage.readShallow()) head.push(encodePkt(`shallow ${id}\n`))
  commands.forEach(({ name, before = zeroId, after = zeroId }, at) => {
    const capabilities = at === 0 ? `\0 ${words.join(' ')}` : ''
    head.push(encodePkt(`${before} ${after} ${name}${capabilities}`))
  })
  head.push(FLUSH_PKT)
  if (words.includes('push-options')) {
    for (const word of options.pushOptions ?? []) head.push(encodePkt(word))
    head.push(FLUSH_PKT)
  }
  const answer = await postPush(
    connection,
    concatBytes(head),
    await planPushPack(plan, connection.signal, options),
  )
  const reader = new PktReader(answer)
  try {
    return await readPushReport(words.includes('side-band-64k') ? readBands(reader, messages) : reader.rest())
  } finally {
    await answer.return()
  }
}

function chooseCapabilities(
  { connection, messages }: Operation,
  { capabilities, objectFormat }: Discovery,
  options: PushOptions,
): readonly string[] {
  const isOffered = (name: string): boolean => capabilities.has(name)
  return [
    isOffered('report-status-v2') ? 'report-status-v2' : 'report-status',
    ...(isOffered('side-band-64k') ? ['side-band-64k'] : []),
    ...(isOffered('quiet') && !messages.isHeard ? ['quiet'] : []),
    ...(options.atomic === true ? ['atomic'] : []),
    ...((options.pushOptions?.length ?? 0) > 0 ? ['push-options'] : []),
    ...(isOffered('object-format') ? [`object-format=${objectFormat}`] : []),
    ...(isOffered('agent') ? [`agent=${connection.remote.agent}`] : []),
  ]
}

/** The pack of a push; `undefined` when only refs are deleted. */
async function planPushPack(
  { discovery, view, commands }: PushPlan,
  signal: AbortSignal | undefined,
  options: PushOptions,
): Promise<AsyncIterable<Uint8Array> | undefined> {
  const wants = commands.flatMap(({ after }) => (after === undefined ? [] : [after]))
  if (wants.length === 0) return undefined
  const { capabilities } = discovery
  const plan = await planPack(
    view,
    {
      wants: [...new Set(wants)],
      haves: await knownOf(view, discovery),
      clientShallow: discovery.shallow,
      shallow: [],
      unshallow: [],
      thin: options.thin !== false && !capabilities.has('no-thin'),
      ofsDelta: capabilities.has('ofs-delta'),
      includeTags: [],
    },
    {
      ...(signal === undefined ? {} : { signal }),
      ...(options.onProgress === undefined ? {} : { onProgress: options.onProgress }),
    },
  )
  return plan.write()
}

/** What the remote has and this repository has too. */
async function knownOf(view: ObjectView, { refs, haves }: Discovery): Promise<readonly ObjectId[]> {
  const known: ObjectId[] = []
  for (const id of new Set([...(refs?.refs ?? []).map((ref) => ref.id), ...haves])) {
    if (await hasObject(view, parseObjectId(id, view.format))) known.push(id)
  }
  return known
}

function withdrawn(ref: PushedRef): PushedRef {
  if (ref.kind === 'rejected') return ref
  const { name, before, after } = ref
  return { kind: 'rejected', name, before, after, rejection: { reason: 'atomic' } }
}

/** The outcome after the remote has had its say. */
function settle(ref: PushedRef, { refs }: PushReport): PushedRef {
  if (ref.kind === 'rejected' || ref.kind === 'unchanged') return ref
  const { name, before, after } = ref
  const report = refs.get(name)
  if (report === undefined) {
    return { kind: 'rejected', name, before, after, rejection: { reason: 'unreported' } }
  }
  if (report.kind === 'refused') {
    return { kind: 'rejected', name, before, after, rejection: { reason: 'remote', message: report.message } }
  }
  return report.changes.length === 0 ? ref : { ...ref, remoteChanges: report.changes }
}
