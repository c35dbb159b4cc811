import { GitError } from '../errors.ts'
import { hexLengthOf, type ObjectFormatName } from '../object/object-format.ts'
import { assertRefName } from '../refs/ref-name.ts'
import { createRefTable, type RefTable } from '../refs/ref-table.ts'
import { assertRefEdits, judgeRefEdits } from '../refs/ref-transaction.ts'
import { normalizeShallowList } from './shallow-list.ts'
import type { ForkRepositoryOptions, SharedPack } from './storage.ts'

/** What a fork begins with, checked. */
export interface CheckedFork {
  /** All refs, `HEAD` among them. */
  readonly refs: RefTable
  readonly shallow: readonly string[]
  readonly packs: readonly SharedPack[]
  /** Raw ids side by side. */
  readonly loose: Uint8Array
}

/**
 * Checks what a fork is asked to begin with, before anything is done.
 *
 * @throws GitError `INVALID_ARGUMENT`, `INVALID_REF_NAME`, `INVALID_ID`
 */
export function checkForkOptions(
  options: ForkRepositoryOptions,
  objectFormat: ObjectFormatName,
): CheckedFork {
  const hexLength = hexLengthOf(objectFormat)
  const { head, refs, packs, loose = new Uint8Array(0) } = options
  assertRefName(head)
  const edits = refs.map((ref) => ({ ...ref, expect: { kind: 'absent' } }) as const)
  assertRefEdits(edits, hexLength)
  const refused = judgeRefEdits(edits, createRefTable(), { atomic: true }).find(
    (outcome) => outcome.kind === 'rejected' && outcome.rejection.reason !== 'atomic',
  )
  if (refused !== undefined || refs.some(({ name }) => name === 'HEAD')) {
    throw new GitError(
      'INVALID_ARGUMENT',
      `a fork cannot begin with the ref ${refused?.name ?? 'HEAD'}: expected refs other than HEAD whose names do not exclude each other`,
    )
  }
  if (new Set(packs.map(({ name }) => name)).size !== packs.length) {
    throw new GitError('INVALID_ARGUMENT', 'a fork was asked to share a pack twice; expected each once')
  }
  if (loose.length % (hexLength / 2) !== 0) {
    throw new GitError(
      'INVALID_ARGUMENT',
      `loose objects to share are not whole ids of ${hexLength / 2} bytes`,
    )
  }
  return {
    refs: createRefTable([...refs, { name: 'HEAD', target: { kind: 'symbolic', target: head } }]),
    shallow: normalizeShallowList(options.shallow, hexLength),
    packs,
    loose,
  }
}

/** The error for a pack or loose object that the source of a fork does not have any more. */
export function goneFromSource(location: string, what: string): GitError {
  return new GitError(
    'CONFLICT',
    `${location} has no ${what} any more; list its packs again and repeat the fork`,
    {
      details: { missing: what },
    },
  )
}

/** For stores that keep all objects in packs. */
export function assertNoLoose(loose: Uint8Array, location: string): void {
  if (loose.length === 0) return
  throw new GitError('INVALID_ARGUMENT', `${location} has no loose objects that a fork could share`)
}

/** The error for a fork of what is not there. */
export function noSource(location: string, key: string): GitError {
  return new GitError('NOT_FOUND', `${location} has no repository ${key} to fork`, { details: { key } })
}
