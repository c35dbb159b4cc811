import { pushContextOf } from './ask-hooks.ts'
import { hookCommandOf, isOpen, type CommandOutcome } from './push-outcome.ts'
import type { ReceivedPush } from './receive-session.ts'
import { isAbort } from '../protocol-error.ts'

type Matcher = (outcome: CommandOutcome) => boolean

/** Marks the open commands that a proc-receive hook takes over: those whose refs `receive.procReceiveRefs` names. */
export function markTakenOver(
  patterns: readonly string[] | undefined,
  zeroId: string,
  outcomes: readonly CommandOutcome[],
): void {
  if (patterns === undefined || patterns.length === 0) return
  const matchers = patterns.map((pattern) => createMatcher(pattern, zeroId))
  for (const outcome of outcomes) {
    outcome.isTakenOver = isOpen(outcome) && matchers.some((matches) => matches(outcome))
  }
}

/** Reads `[adm!]*:<prefix>` or `<prefix>`: which kinds of commands (add, delete, modify), below the prefix or (`!`) not. */
function createMatcher(pattern: string, zeroId: string): Matcher {
  const [, flags = '', rest = pattern] = /^([^:]*):(.*)$/s.exec(pattern) ?? []
  const prefix = rest.replace(/\/+$/, '')
  const hasKinds = /[adm]/.test(flags)
  return ({ command: { name, oldId, newId } }) => {
    const kind = oldId === zeroId ? 'a' : newId === zeroId ? 'd' : 'm'
    if (hasKinds && !flags.includes(kind)) return false
    const isBelow = name === prefix || name.startsWith(`${prefix}/`)
    return isBelow !== flags.includes('!')
  }
}

/** Lets the hook carry out the commands that were marked; those it lets fall through are unmarked. */
export async function runProcReceive(push: ReceivedPush, outcomes: readonly CommandOutcome[]): Promise<void> {
  const taken = outcomes.filter((outcome) => outcome.isTakenOver && isOpen(outcome))
  if (taken.length === 0) return
  if (await tryProcReceive(push, outcomes, taken)) return
  for (const outcome of push.request.atomic ? outcomes : taken) {
    if (outcome.reports.length === 0) outcome.error ??= 'fail to run proc-receive hook'
  }
}

async function tryProcReceive(
  push: ReceivedPush,
  outcomes: readonly CommandOutcome[],
  taken: readonly CommandOutcome[],
): Promise<boolean> {
  const { session, say } = push
  const run = session.options.hooks?.procReceive
  if (run === undefined) {
    say("error: cannot find hook 'proc-receive'\n")
    return false
  }
  try {
    const answers = await run(taken.map(hookCommandOf), pushContextOf(push))
    const unanswered = new Map(taken.map((outcome) => [outcome.command.name, outcome]))
    for (const answer of answers) {
      const outcome = unanswered.get(answer.name)
      if (outcome === undefined) {
        const kind = outcomes.some(({ command }) => command.name === answer.name) ? 'unexpected' : 'unknown'
        say(`error: proc-receive reported status on ${kind} ref: ${answer.name}\n`)
        continue
      }
      unanswered.delete(answer.name)
      if (answer.kind === 'refused') outcome.error = answer.reason === '' ? 'failed' : answer.reason
      else if (answer.kind === 'fall-through') outcome.isTakenOver = false
      else outcome.reports = answer.reports ?? []
    }
    for (const outcome of unanswered.values()) outcome.error = 'proc-receive failed to report status'
    return true
  } catch (error) {
    if (isAbort(error, session.signal)) throw error
    session.onFailure?.(error)
    say('error: the proc-receive hook failed\n')
    return false
  }
}
