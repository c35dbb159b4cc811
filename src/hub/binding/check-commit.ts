import type { CommitChanges } from '../content/commit-changes.ts'
import { checkBoolean, checkOptions, checkString, invalid } from './check-arguments.ts'

/** What a change may say besides its path. */
const CHANGE_FIELDS = ['content', 'blob', 'mode', 'delete'] as const

/**
 * Checks the shape of a commit that came from a caller: what it means is checked when it is made.
 *
 * @throws ArtifactsError `INVALID_INPUT`
 */
export function checkCommit(value: CommitChanges): CommitChanges {
  const { branch, changes, message, author, committer, startPoint, allowEmpty, expectedHead } = checkOptions(
    value,
    'commit',
  )
  checkString(branch, 'branch')
  checkString(startPoint, 'startPoint')
  checkBoolean(allowEmpty, 'allowEmpty')
  if (expectedHead !== null) checkString(expectedHead, 'expectedHead')
  if (typeof message !== 'string') throw invalid('message', 'must be a string')
  checkPerson(author, 'author')
  if (committer !== undefined) checkPerson(committer, 'committer')
  if (!Array.isArray(changes)) throw invalid('changes', 'must be an array')
  for (const [at, change] of changes.entries()) checkChange(change, `changes[${at}]`)
  return value
}

function checkPerson(value: unknown, what: string): void {
  const { name, email, time, timezone } = checkOptions(value, what)
  if (typeof name !== 'string' || typeof email !== 'string')
    throw invalid(what, 'must have a name and an email')
  if (time !== undefined && !Number.isSafeInteger(time))
    throw invalid(`${what}.time`, 'must be in whole seconds')
  checkString(timezone, `${what}.timezone`)
}

function checkChange(value: unknown, what: string): void {
  const change = checkOptions(value, what)
  if (typeof change['path'] !== 'string') throw invalid(`${what}.path`, 'must be a string')
  if (!CHANGE_FIELDS.some((field) => field in change))
    throw invalid(what, 'must have content, blob, mode or delete')
  const { content, blob, mode } = change
  if ('content' in change && typeof content !== 'string' && !(content instanceof Uint8Array))
    throw invalid(`${what}.content`, 'must be a string or a Uint8Array')
  if ('blob' in change && typeof blob !== 'string') throw invalid(`${what}.blob`, 'must be a string')
  checkString(mode, `${what}.mode`)
}
