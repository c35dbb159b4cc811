import { encodeUtf8 } from '../../bytes/text.ts'
import { encodeHex, parseHex } from '../../bytes/hex.ts'
import { peelPresent } from '../../graph/peel.ts'
import type { ObjectId } from '../../object/object-id.ts'
import { COMMIT } from '../../object/object-type.ts'
import { hasObject, readObject } from '../../object/object-reader.ts'
import type { RefEdit, RefExpectation } from '../../refs/ref-edit.ts'
import { isRefName, isWellFormedRefName } from '../../refs/ref-name.ts'
import { askUpdate } from './ask-hooks.ts'
import type { PushCommand } from './push-request.ts'
import type { ReceivedPush } from './receive-session.ts'

/** What a command comes to: an edit, nothing to do, or a refusal in git's words. */
export type RuledCommand =
  | { readonly kind: 'edit'; readonly edit: RefEdit }
  | { readonly kind: 'nothing' }
  | { readonly kind: 'refused'; readonly error: string }

const BRANCHES = 'refs/heads/'

/** Applies the repository's rules to one command, and asks the update hook. `target` is the ref it changes, after symbolic refs. */
export async function ruleCommand(
  push: ReceivedPush,
  command: PushCommand,
  target: string,
): Promise<RuledCommand> {
  const { session, say } = push
  const { name, oldId, newId } = command
  const { zeroId } = session.repository.format
  if (!command.hasTextName || !isPushableName(name)) {
    say(`error: refusing to create funny ref '${name}' remotely\n`)
    return refused('funny refname')
  }
  const denied =
    checkRefPolicies(push, command) ??
    (newId === zeroId ? await checkDeletion(push, command, target) : await checkFastForward(push, command)) ??
    (await askUpdate(push, command))
  if (denied !== undefined) return refused(denied)
  if (newId === zeroId) return ruleDeletion(push, command, target)

  const peeled = await peelPresent(push.view, parseHex(newId))
  if (target.startsWith(BRANCHES) && (peeled?.type !== COMMIT || peeled.tags.length > 0)) {
    say(
      `error: cannot update ref '${target}': trying to write non-commit object ${newId} to branch '${target}'\n`,
    )
    return refused('failed to update ref')
  }
  const expect: RefExpectation = oldId === zeroId ? { kind: 'absent' } : { kind: 'id', id: oldId }
  const edit: RefEdit = { ...editOf(push, target), expect, target: { kind: 'direct', id: newId } }
  if (peeled === undefined) return { kind: 'edit', edit }
  return { kind: 'edit', edit: { ...edit, peeled: peeled.tags.length > 0 ? encodeHex(peeled.id) : null } }
}

/** Git pushes to names of at least two levels below `refs/` only, so not to `HEAD` nor `refs/stash`. */
function isPushableName(name: string): boolean {
  return isRefName(name) && name.startsWith('refs/') && isWellFormedRefName(name.slice('refs/'.length))
}

/** The policies that need nothing but the names and ids. */
function checkRefPolicies({ session, say }: ReceivedPush, command: PushCommand): string | undefined {
  const { policies, options, repository } = session
  const { name, oldId, newId } = command
  const { zeroId } = repository.format
  const { maxRefNameBytes } = options
  if (policies.isProtected(name)) {
    say(`error: denying update of the protected ref ${name}\n`)
    return 'protected ref'
  }
  if (policies.isImmutable(name) && oldId !== zeroId) {
    say(`error: denying ${newId === zeroId ? 'deletion' : 'update'} of the existing tag ${name}\n`)
    return 'immutable tag'
  }
  if (maxRefNameBytes !== undefined && newId !== zeroId && encodeUtf8(name).length > maxRefNameBytes) {
    return `ref name exceeds the maximum of ${maxRefNameBytes} bytes`
  }
  return undefined
}

async function checkDeletion(
  push: ReceivedPush,
  command: PushCommand,
  target: string,
): Promise<string | undefined> {
  const { session, say } = push
  const { repository, options, policies } = session
  const { name, oldId } = command
  if (oldId === repository.format.zeroId) return undefined
  if (policies.deniesDeletion(name)) {
    say(`error: denying ref deletion for ${name}\n`)
    return 'deletion prohibited'
  }
  const head = await repository.readHead()
  if (head?.kind !== 'symbolic' || head.target !== target) return undefined
  if (options.denyDeleteCurrent === 'ignore') return undefined
  if (options.denyDeleteCurrent === 'warn') {
    say('warning: deleting the current branch\n')
    return undefined
  }
  say(`error: refusing to delete the current branch: ${name}\n`)
  return 'deletion of the current branch prohibited'
}

async function ruleDeletion(push: ReceivedPush, command: PushCommand, target: string): Promise<RuledCommand> {
  const { session, say, view } = push
  const { repository } = session
  const { oldId } = command
  const { zeroId } = repository.format
  const isKnown = oldId !== zeroId && (await hasObject(view, parseHex(oldId)))
  if (!isKnown) {
    const [stored] = await repository.storage.readRefs([target])
    if (stored === undefined) {
      say('warning: deleting a non-existent ref\n')
      return { kind: 'nothing' }
    }
    say('warning: allowing deletion of corrupt ref\n')
  }
  const expect: RefExpectation = oldId === zeroId ? { kind: 'any' } : { kind: 'id', id: oldId }
  return { kind: 'edit', edit: { ...editOf(push, target), expect, target: null } }
}

async function checkFastForward(push: ReceivedPush, command: PushCommand): Promise<string | undefined> {
  const { session, view, say } = push
  const { repository, policies } = session
  const { name, oldId, newId } = command
  if (oldId === repository.format.zeroId || !policies.deniesNonFastForward(name)) return undefined
  if (!(await isCommit(push, oldId)) || !(await isCommit(push, newId))) {
    say(`error: bad sha1 objects for ${name}\n`)
    return 'bad ref'
  }
  if (await repository.isAncestor(view, oldId, newId)) return undefined
  say(`error: denying non-fast-forward ${name} (you should pull first)\n`)
  return 'non-fast-forward'
}

async function isCommit({ view }: ReceivedPush, id: ObjectId): Promise<boolean> {
  return (await readObject(view, parseHex(id)))?.type === COMMIT
}

function editOf({ session }: ReceivedPush, name: string): Pick<RefEdit, 'name' | 'reflog'> {
  const { options } = session
  const time = options.now?.() ?? Math.floor(Date.now() / 1000)
  const identity = options.identity ?? 'packstone <packstone@localhost>'
  return { name, reflog: { identity, time, timezone: 0, message: 'push' } }
}

function refused(error: string): RuledCommand {
  return { kind: 'refused', error }
}
