import { encodeHex } from '../bytes/hex.ts'
import { peelPresent } from '../graph/peel.ts'
import { parseObjectId, type ObjectId } from '../object/object-id.ts'
import { COMMIT } from '../object/object-type.ts'
import type { ObjectView } from '../odb/object-view.ts'
import type { RefEdit, RefOutcome } from '../refs/ref-edit.ts'
import type { RefTarget } from '../refs/ref.ts'
import type { Repository } from '../repository/repository.ts'
import type { FetchedRef, FetchRejection } from './fetch-outcome.ts'
import type { LocalRefs } from './local-refs.ts'
import { isStorable, type RefMapping } from './refspec.ts'

/** A fetched ref before it is written: its outcome if all goes well, and the edit that makes it so. */
export interface JudgedRef {
  readonly outcome: FetchedRef
  readonly edit?: RefEdit
}

/** What a ref is judged by. */
export interface JudgeContext {
  readonly repository: Repository
  /** What is here after the fetch, with the boundary that it then has. */
  readonly view: ObjectView
  readonly local: LocalRefs
  /** Tips that would need a boundary that is not to be stored. */
  readonly cut: ReadonlySet<ObjectId>
  /** Who fetches, and when, for reflogs. */
  readonly reflog: { readonly identity: string; readonly time: number; readonly message: string }
}

type Facts = Pick<Extract<FetchedRef, { kind: 'rejected' }>, 'name' | 'remote' | 'before' | 'after'>

/** Decides what becomes of a fetched ref, by the rules of git-fetch. Nothing is written. */
export async function judgeFetched(context: JudgeContext, mapping: RefMapping): Promise<JudgedRef> {
  const { local: name, id: after, remote } = mapping
  const { local, view, cut } = context
  if (name === undefined) {
    if (cut.has(after)) {
      const facts = { name: remote ?? after, remote, before: undefined, after }
      return { outcome: rejected(facts, { reason: 'shallow-update' }) }
    }
    return { outcome: { kind: 'fetched', name, remote, before: undefined, after } }
  }
  const target = local.targets.get(name)
  const before = target?.kind === 'direct' ? target.id : undefined
  const facts = { name, remote, before, after }
  const refuse = (rejection: FetchRejection): JudgedRef => ({ outcome: rejected(facts, rejection) })

  if (!isStorable(name)) return refuse({ reason: 'invalid-name' })
  if (target?.kind === 'symbolic') return refuse({ reason: 'symbolic', target: target.target })
  if (cut.has(after)) return refuse({ reason: 'shallow-update' })
  if (before === after) return { outcome: { kind: 'unchanged', ...facts } }
  const peeled = await peelPresent(view, parseObjectId(after, view.format))
  const isCommit = peeled?.type === COMMIT && peeled.tags.length === 0
  if (name.startsWith('refs/heads/') && !isCommit) return refuse({ reason: 'not-a-commit' })

  const accept = (kind: 'created' | 'fast-forwarded' | 'forced', message: string): JudgedRef => ({
    outcome: { kind, ...facts },
    edit: {
      name,
      expect: before === undefined ? { kind: 'absent' } : { kind: 'id', id: before },
      target: { kind: 'direct', id: after },
      ...(peeled === undefined ? {} : { peeled: peeled.tags.length === 0 ? null : encodeHex(peeled.id) }),
      reflog: { ...context.reflog, timezone: 0, message: `${context.reflog.message}: ${message}` },
    },
  })
  const isTag = name.startsWith('refs/tags/')
  if (before === undefined)
    return accept('created', isTag ? 'storing tag' : isCommit ? 'storing head' : 'storing ref')
  if (isTag) return mapping.force ? accept('forced', 'updating tag') : refuse({ reason: 'tag-exists' })
  if (await isFastForward(context, before, peeled?.type === COMMIT ? encodeHex(peeled.id) : undefined)) {
    return accept('fast-forwarded', 'fast-forward')
  }
  return mapping.force ? accept('forced', 'forced-update') : refuse({ reason: 'non-fast-forward' })
}

/** Whether the new commit descends from what the ref finally names now. */
async function isFastForward(
  { repository, view }: JudgeContext,
  before: ObjectId,
  after: ObjectId | undefined,
): Promise<boolean> {
  if (after === undefined) return false
  const old = await peelPresent(view, parseObjectId(before, view.format))
  return old?.type === COMMIT && repository.isAncestor(view, encodeHex(old.id), after)
}

/** The removal of a ref whose source is gone. */
export function judgePruned(name: string, target: RefTarget): JudgedRef | undefined {
  if (target.kind === 'symbolic') return undefined
  return {
    outcome: { kind: 'pruned', name, remote: undefined, before: target.id, after: undefined },
    edit: { name, expect: { kind: 'id', id: target.id }, target: null },
  }
}

/** The outcome after the storage has had its say. */
export function settleOutcome({ outcome }: JudgedRef, written: RefOutcome | undefined): FetchedRef {
  if (written === undefined || written.kind === 'applied' || outcome.kind === 'rejected') return outcome
  return asRejected(outcome, written.rejection)
}

/** The outcome of a ref that an atomic fetch leaves as it is because of another one. */
export function withdrawOutcome({ outcome, edit }: JudgedRef): FetchedRef {
  return edit === undefined ? outcome : asRejected(outcome, { reason: 'atomic' })
}

function asRejected(outcome: FetchedRef, rejection: FetchRejection): FetchedRef {
  const { name, remote, before, after } = outcome
  return rejected({ name: name ?? '', remote, before, after }, rejection)
}

function rejected(facts: Facts, rejection: FetchRejection): FetchedRef {
  return { kind: 'rejected', ...facts, rejection }
}
