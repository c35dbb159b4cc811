import { encodeHex } from '../bytes/hex.ts'
import { GitError } from '../errors.ts'
import { peelPresent } from '../graph/peel.ts'
import { isObjectId, parseObjectId, type ObjectId } from '../object/object-id.ts'
import { hasObject } from '../object/object-reader.ts'
import { COMMIT } from '../object/object-type.ts'
import type { ObjectView } from '../odb/object-view.ts'
import { isWellFormedRefName } from '../refs/ref-name.ts'
import type { AdvertisedRef, Repository } from '../repository/repository.ts'
import type { PushedRef, PushRejection, PushUpdate } from './push-outcome.ts'

/** An update with its source looked up. */
interface ResolvedUpdate extends PushUpdate {
  readonly after: ObjectId | undefined
}

/**
 * Looks up what is to be pushed.
 *
 * @throws GitError `INVALID_ARGUMENT` for an empty or repeated update, `INVALID_REF_NAME`, `NOT_FOUND` for a ref that is not here,
 * `MISSING_OBJECT` for an object that is not here
 */
export async function resolveUpdates(
  repository: Repository,
  view: ObjectView,
  updates: readonly PushUpdate[],
): Promise<readonly ResolvedUpdate[]> {
  const names = new Set<string>()
  const resolved: ResolvedUpdate[] = []
  for (const update of updates) {
    const { name, source } = update
    if (!name.startsWith('refs/') || !isWellFormedRefName(name)) {
      throw new GitError('INVALID_REF_NAME', `'${name.slice(0, 200)}' is no full name of a ref`, {
        details: { ref: name },
      })
    }
    if (names.has(name)) {
      throw new GitError('INVALID_ARGUMENT', `${name} is updated twice in one push`, {
        details: { ref: name },
      })
    }
    names.add(name)
    resolved.push({
      ...update,
      after: source === null ? undefined : await resolveSource(repository, view, source),
    })
  }
  if (resolved.length === 0) throw new GitError('INVALID_ARGUMENT', 'a push needs at least one update')
  return resolved
}

async function resolveSource(repository: Repository, view: ObjectView, source: string): Promise<ObjectId> {
  if (isObjectId(source, repository.format)) {
    if (await hasObject(view, parseObjectId(source, view.format))) return source
    throw new GitError('MISSING_OBJECT', `object ${source} is not here, so it cannot be pushed`, {
      details: { id: source },
    })
  }
  const id = await repository.resolveRef(source)
  if (id !== undefined) return id
  throw new GitError('NOT_FOUND', `there is no ref '${source}' to push`, { details: { ref: source } })
}

export interface PushContext {
  readonly repository: Repository
  readonly view: ObjectView
  readonly refs: ReadonlyMap<string, AdvertisedRef>
  /** Whether the remote deletes refs. */
  readonly canDelete: boolean
}

/** Decides, by the rules of git-push, what becomes of an update if the remote agrees. */
export async function judgePush(context: PushContext, update: ResolvedUpdate): Promise<PushedRef> {
  const { name, after, expect, force = false } = update
  const before = context.refs.get(name)?.id
  const facts = { name, before, after }
  const refuse = (reason: Exclude<PushRejection['reason'], 'remote'>): PushedRef => ({
    kind: 'rejected',
    ...facts,
    rejection: { reason },
  })
  if (expect !== undefined && (expect ?? undefined) !== before) return refuse('stale')
  if (after === undefined) {
    if (before === undefined) return refuse('absent')
    return context.canDelete ? { kind: 'deleted', ...facts } : refuse('deletion-not-offered')
  }
  if (before === after) return { kind: 'unchanged', ...facts }
  if (before === undefined) return { kind: 'created', ...facts }
  const isForced = force || expect !== undefined
  if (name.startsWith('refs/tags/')) return isForced ? { kind: 'forced', ...facts } : refuse('tag-exists')
  const descent = await compare(context, before, after)
  if (descent === 'descends') return { kind: 'fast-forwarded', ...facts }
  if (isForced) return { kind: 'forced', ...facts }
  return refuse(descent === 'unknown' ? 'fetch-first' : 'non-fast-forward')
}

async function compare(
  { repository, view }: PushContext,
  before: ObjectId,
  after: ObjectId,
): Promise<'descends' | 'differs' | 'unknown'> {
  const old = await peelPresent(view, parseObjectId(before, view.format))
  if (old === undefined) return 'unknown'
  const now = await peelPresent(view, parseObjectId(after, view.format))
  if (old.type !== COMMIT || now?.type !== COMMIT) return 'differs'
  return (await repository.isAncestor(view, encodeHex(old.id), encodeHex(now.id))) ? 'descends' : 'differs'
}
