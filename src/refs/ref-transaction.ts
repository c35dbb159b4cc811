import { GitError } from '../errors.ts'
import type { RefEdit, RefExpectation, RefOutcome, RefRejection } from './ref-edit.ts'
import { assertRefName } from './ref-name.ts'
import type { Ref, RefTarget } from './ref.ts'

/** The stored refs at one moment, as far as a transaction asks about them. */
export interface RefSnapshot {
  find(name: string): Pick<Ref, 'target'> | undefined
  /** The names that begin with `directory`, which ends in a slash, in any order. Usually only the first is taken. */
  names(directory: string): Iterable<string>
}

export interface RefTransactionOptions {
  /** All edits or none. Otherwise each edit stands alone, in order, and sees what the ones before it did. */
  readonly atomic: boolean
  /** Names whose lock somebody else holds. */
  readonly locked?: ReadonlySet<string>
}

/**
 * Decides what happens to each edit, changing nothing: the one rule book of all adapters.
 *
 * An edit of a ref that does not exist needs its name to be free of directory/file conflicts, also when it deletes.
 * In an atomic transaction the other edits' names occupy their place too, whatever they do, so that a ref cannot
 * make room for another in the same transaction: git has the same rule (git-update-ref `--stdin`).
 *
 * @param edits as accepted by {@link assertRefEdits}.
 */
export function judgeRefEdits(
  edits: readonly RefEdit[],
  snapshot: RefSnapshot,
  options: RefTransactionOptions,
): RefOutcome[] {
  return options.atomic
    ? judgeTogether(edits, snapshot, options.locked)
    : judgeOneByOne(edits, snapshot, options.locked)
}

function judgeTogether(
  edits: readonly RefEdit[],
  snapshot: RefSnapshot,
  locked: ReadonlySet<string> | undefined,
): RefOutcome[] {
  const names = new Set(edits.map((edit) => edit.name))
  const directories = new Map<string, string>()
  for (const name of names) occupyDirectories(directories, name)
  const space: NameSpace = {
    has: (name) => names.has(name) || snapshot.find(name) !== undefined,
    firstIn: (directory) => first(snapshot.names(directory)) ?? directories.get(directory),
  }
  const outcomes = edits.map((edit) => judge(edit, snapshot.find(edit.name)?.target, space, locked))
  if (outcomes.every((outcome) => outcome.kind === 'applied')) return outcomes
  return outcomes.map((outcome) =>
    outcome.kind === 'rejected' ? outcome : rejected(outcome.name, { reason: 'atomic' }),
  )
}

function judgeOneByOne(
  edits: readonly RefEdit[],
  snapshot: RefSnapshot,
  locked: ReadonlySet<string> | undefined,
): RefOutcome[] {
  const changed = new Map<string, RefTarget | null>()
  const directories = new Map<string, string>()
  const space: NameSpace = {
    has(name) {
      const change = changed.get(name)
      return change === undefined ? snapshot.find(name) !== undefined : change !== null
    },
    firstIn(directory) {
      for (const name of snapshot.names(directory)) if (changed.get(name) !== null) return name
      return directories.get(directory)
    },
  }
  return edits.map((edit) => {
    const outcome = judge(edit, snapshot.find(edit.name)?.target, space, locked)
    if (outcome.kind === 'applied') {
      changed.set(edit.name, edit.target)
      if (edit.target !== null) occupyDirectories(directories, edit.name)
    }
    return outcome
  })
}

/** The names that are taken, seen by one edit. */
interface NameSpace {
  has(name: string): boolean
  /** A taken name that begins with `directory`, which ends in a slash. */
  firstIn(directory: string): string | undefined
}

function judge(
  edit: RefEdit,
  found: RefTarget | undefined,
  space: NameSpace,
  locked: ReadonlySet<string> | undefined,
): RefOutcome {
  const { name } = edit
  if (locked?.has(name)) return rejected(name, { reason: 'locked' })
  if (!meetsExpectation(found, edit.expect)) return rejected(name, { reason: 'stale', found: found ?? null })
  if (found === undefined) {
    const conflictsWith = findConflict(name, space)
    if (conflictsWith !== undefined) return rejected(name, { reason: 'name-conflict', conflictsWith })
  }
  return { kind: 'applied', name, before: found ?? null }
}

/** Tells whether a ref's stored value is what an edit expects. */
export function meetsExpectation(found: RefTarget | undefined, expect: RefExpectation): boolean {
  switch (expect.kind) {
    case 'any':
      return true
    case 'absent':
      return found === undefined
    case 'exists':
      return found !== undefined
    case 'id':
      return found?.kind === 'direct' && found.id === expect.id
    case 'symbolic':
      return found?.kind === 'symbolic' && found.target === expect.target
  }
}

function findConflict(name: string, space: NameSpace): string | undefined {
  for (let slash = name.indexOf('/'); slash >= 0; slash = name.indexOf('/', slash + 1)) {
    const parent = name.slice(0, slash)
    if (space.has(parent)) return parent
  }
  return space.firstIn(`${name}/`)
}

/** Notes every directory that a ref of this name lives in, with the first name that was found there. */
function occupyDirectories(directories: Map<string, string>, name: string): void {
  for (let slash = name.indexOf('/'); slash >= 0; slash = name.indexOf('/', slash + 1)) {
    const directory = name.slice(0, slash + 1)
    if (!directories.has(directory)) directories.set(directory, name)
  }
}

function first(names: Iterable<string>): string | undefined {
  for (const name of names) return name
  return undefined
}

function rejected(name: string, rejection: RefRejection): RefOutcome {
  return { kind: 'rejected', name, rejection }
}

/**
 * Checks the form of a transaction before anything is looked up.
 *
 * @param hexLength digits in an id of the repository.
 * @throws GitError `INVALID_REF_NAME`; `INVALID_ID`; `INVALID_ARGUMENT` for two edits of one ref, for the zero id,
 *   and for deleting `HEAD`, without which a directory is no repository.
 */
export function assertRefEdits(edits: readonly RefEdit[], hexLength: number): void {
  const names = new Set<string>()
  for (const { name, expect, target, peeled } of edits) {
    assertRefName(name)
    if (names.has(name)) throw misuse(name, `is edited twice in one transaction; merge the edits into one`)
    names.add(name)
    if (expect.kind === 'id') assertId(name, expect.id, hexLength, `expect { kind: 'absent' }`)
    if (expect.kind === 'symbolic') assertRefName(expect.target)
    if (target === null) {
      if (name === 'HEAD') throw misuse(name, 'cannot be deleted; point it at another branch')
    } else if (target.kind === 'symbolic') {
      assertRefName(target.target)
    } else {
      assertId(name, target.id, hexLength, 'a target of null to delete it')
      if (peeled != null) assertId(name, peeled, hexLength, 'a peeled value of null where there is no tag')
    }
  }
}

function assertId(name: string, id: string, hexLength: number, insteadOfZero: string): void {
  if (id.length !== hexLength || !/^[0-9a-f]+$/.test(id)) {
    throw new GitError(
      'INVALID_ID',
      `edit of ref ${name}: '${id.slice(0, 80)}' is not an object id; expected ${hexLength} lowercase hexadecimal digits`,
      { details: { ref: name } },
    )
  }
  if (/^0+$/.test(id)) throw misuse(name, `cannot hold the zero id; use ${insteadOfZero}`)
}

function misuse(name: string, problem: string): GitError {
  return new GitError('INVALID_ARGUMENT', `ref ${name} ${problem}`, { details: { ref: name } })
}
