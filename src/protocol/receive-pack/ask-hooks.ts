import { isAbort } from '../protocol-error.ts'
import { hookCommandOf, isOpen, refuseOpen, type CommandOutcome } from './push-outcome.ts'
import type { HookCommand, HookVerdict, PushContext } from './receive-hooks.ts'
import type { ReceivedPush, ReceiveSession } from './receive-session.ts'

const ACCEPT: HookVerdict = { kind: 'accept' }

/** What hooks are given before refs move. */
export function pushContextOf({ session, request, incoming, view, say }: ReceivedPush): PushContext {
  return {
    repository: session.repository,
    view,
    pack: incoming.pack,
    pushOptions: request.pushOptions,
    isAtomic: request.atomic,
    signal: session.signal,
    say,
  }
}

/** Asks pre-receive about the whole push; false when it is refused. */
export async function askPreReceive(
  push: ReceivedPush,
  outcomes: readonly CommandOutcome[],
): Promise<boolean> {
  const ask = push.session.options.hooks?.preReceive
  if (ask === undefined) return true
  const verdict = await judge(push, 'pre-receive', () =>
    ask(outcomes.map(hookCommandOf), pushContextOf(push)),
  )
  if (verdict.kind === 'accept') return true
  refuseOpen(outcomes, verdict.reason ?? 'pre-receive hook declined')
  return false
}

/** Asks the update hook about one command: `undefined` when it may go on, and the reason otherwise. */
export async function askUpdate(push: ReceivedPush, command: HookCommand): Promise<string | undefined> {
  const ask = push.session.options.hooks?.update
  if (ask === undefined) return undefined
  const { name, oldId, newId } = command
  const verdict = await judge(push, 'update', () => ask({ name, oldId, newId }, pushContextOf(push)))
  if (verdict.kind === 'accept') return undefined
  push.say(`error: hook declined to update ${name}\n`)
  return verdict.reason ?? 'hook declined'
}

/** Tells the reference-transaction hook of a step; false when it declines. */
export async function askReferenceTransaction(
  push: ReceivedPush,
  state: 'prepared' | 'committed' | 'aborted',
  updates: readonly HookCommand[],
): Promise<boolean> {
  const ask = push.session.options.hooks?.referenceTransaction
  if (ask === undefined) return true
  const verdict = await judge(push, 'reference-transaction', () => ask(state, updates, pushContextOf(push)))
  return verdict.kind === 'accept'
}

/** Tells post-receive of what was done. Whatever happens in it, the push is over. */
export async function tellPostReceive(
  push: ReceivedPush,
  outcomes: readonly CommandOutcome[],
): Promise<void> {
  const { session } = push
  const tell = session.options.hooks?.postReceive
  const done = outcomes.filter((outcome) => isOpen(outcome) && !outcome.isVoid).flatMap(listChanges)
  if (tell === undefined || done.length === 0) return
  await judge(push, 'post-receive', async () => {
    const view = await session.repository.openView()
    try {
      await tell(done, { ...pushContextOf(push), view, pack: undefined })
    } finally {
      await view.close()
    }
    return ACCEPT
  })
}

/** What a command came to: itself, or what a proc-receive hook says it changed. */
function listChanges(outcome: CommandOutcome): readonly HookCommand[] {
  const { name, oldId, newId } = outcome.command
  if (outcome.reports.length === 0) return [{ name, oldId, newId }]
  return outcome.reports.map((report) => ({
    name: report.refName ?? name,
    oldId: report.oldId ?? oldId,
    newId: report.newId ?? newId,
  }))
}

/** A hook that fails has not accepted. The operator is told why, the person who pushes is told that. */
async function judge(
  push: { readonly session: ReceiveSession; readonly say: (text: string) => void },
  hook: string,
  ask: () => Promise<HookVerdict>,
): Promise<HookVerdict> {
  try {
    return await ask()
  } catch (error) {
    if (isAbort(error, push.session.signal)) throw error
    push.session.onFailure?.(error)
    push.say(`error: the ${hook} hook failed\n`)
    return { kind: 'decline' }
  }
}
