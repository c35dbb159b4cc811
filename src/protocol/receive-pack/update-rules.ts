import { parseHex } from '../../bytes/hex.ts'
import type { ObjectId } from '../../object/object-id.ts'
import { COMMIT } from '../../object/object-type.ts'
import { hasObject, readObject } from '../../object/object-reader.ts'
import type { RefEdit, RefExpectation } from '../../refs/ref-edit.ts'
import { isRefName, isWellFormedRefName } from '../../refs/ref-name.ts'
import type { IncomingPack } from '../../repository/incoming-pack.ts'
import type { PushCommand } from './push-request.ts'
import type { ReceiveSession } from './receive-session.ts'

/** What a command comes to: an edit, nothing to do, or a refusal in git's words. */
export type RuledCommand =
  | { readonly kind: 'edit'; readonly edit: RefEdit }
  | { readonly kind: 'nothing' }
  | { readonly kind: 'refused'; readonly error: string }

/** What the rules look at beside the command. */
export interface RuleContext {
  readonly session: ReceiveSession
  readonly incoming: IncomingPack
  /** Text for the person who pushes. */
  readonly say: (text: string) => void
}

const BRANCHES = 'refs/heads/'

/** Applies the repository's rules to one command. `target` is the ref it changes, after symbolic refs. */
export async function ruleCommand(
  context: RuleContext,
  command: PushCommand,
  target: string,
): Promise<RuledCommand> {
  const { say } = context
  const { name, oldId, newId } = command
  const { zeroId } = context.session.repository.format
  if (!command.hasTextName || !isPushableName(name)) {
    say(`error: refusing to create funny ref '${name}' remotely\n`)
    return refused('funny refname')
  }
  if (newId === zeroId) return ruleDeletion(context, command, target)

  const fastForward = await checkFastForward(context, command)
  if (fastForward !== undefined) return refused(fastForward)
  if (target.startsWith(BRANCHES) && !(await isCommit(context, newId))) {
    say(
      `error: cannot update ref '${target}': trying to write non-commit object ${newId} to branch '${target}'\n`,
    )
    return refused('failed to update ref')
  }
  const expect: RefExpectation = oldId === zeroId ? { kind: 'absent' } : { kind: 'id', id: oldId }
  return { kind: 'edit', edit: { ...editOf(context, target), expect, target: { kind: 'direct', id: newId } } }
}

/** Git pushes to names of at least two levels below `refs/` only, so not to `HEAD` nor `refs/stash`. */
function isPushableName(name: string): boolean {
  return isRefName(name) && name.startsWith('refs/') && isWellFormedRefName(name.slice('refs/'.length))
}

async function ruleDeletion(
  context: RuleContext,
  command: PushCommand,
  target: string,
): Promise<RuledCommand> {
  const { session, say } = context
  const { repository, options } = session
  const { name, oldId } = command
  const { zeroId } = repository.format
  if (oldId !== zeroId) {
    if (options.denyDeletes === true && name.startsWith(BRANCHES)) {
      say(`error: denying ref deletion for ${name}\n`)
      return refused('deletion prohibited')
    }
    const head = await repository.readHead()
    if (head?.kind === 'symbolic' && head.target === target) {
      if (options.denyDeleteCurrent === 'warn') say('warning: deleting the current branch\n')
      else if (options.denyDeleteCurrent !== 'ignore') {
        say(`error: refusing to delete the current branch: ${name}\n`)
        return refused('deletion of the current branch prohibited')
      }
    }
  }
  const isKnown = oldId !== zeroId && (await hasObject(context.incoming.view, parseHex(oldId)))
  if (!isKnown) {
    const [stored] = await repository.storage.readRefs([target])
    if (stored === undefined) {
      say('warning: deleting a non-existent ref\n')
      return { kind: 'nothing' }
    }
    say('warning: allowing deletion of corrupt ref\n')
  }
  const expect: RefExpectation = oldId === zeroId ? { kind: 'any' } : { kind: 'id', id: oldId }
  return { kind: 'edit', edit: { ...editOf(context, target), expect, target: null } }
}

async function checkFastForward(context: RuleContext, command: PushCommand): Promise<string | undefined> {
  const { session, incoming, say } = context
  const { repository, options } = session
  const { name, oldId, newId } = command
  if (options.denyNonFastForwards !== true) return undefined
  if (oldId === repository.format.zeroId || !name.startsWith(BRANCHES)) return undefined
  if (!(await isCommit(context, oldId)) || !(await isCommit(context, newId))) {
    say(`error: bad sha1 objects for ${name}\n`)
    return 'bad ref'
  }
  if (await repository.isAncestor(incoming.view, oldId, newId)) return undefined
  say(`error: denying non-fast-forward ${name} (you should pull first)\n`)
  return 'non-fast-forward'
}

async function isCommit(context: RuleContext, id: ObjectId): Promise<boolean> {
  return (await readObject(context.incoming.view, parseHex(id)))?.type === COMMIT
}

function editOf(context: RuleContext, name: string): Pick<RefEdit, 'name' | 'reflog'> {
  const { options } = context.session
  const time = options.now?.() ?? Math.floor(Date.now() / 1000)
  const identity = options.identity ?? 'packstone <packstone@localhost>'
  return { name, reflog: { identity, time, timezone: 0, message: 'push' } }
}

function refused(error: string): RuledCommand {
  return { kind: 'refused', error }
}
