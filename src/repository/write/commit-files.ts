import { GitError } from '../../errors.ts'
import { encodeUtf8 } from '../../bytes/text.ts'
import { parseCommitLinks } from '../../object/commit-links.ts'
import { encodeCommit } from '../../object/commit.ts'
import type { FsckOptions } from '../../object/fsck.ts'
import type { Identity } from '../../object/identity.ts'
import {
  encodeObjectId,
  hashObject,
  isObjectId,
  parseObjectId,
  type ObjectId,
} from '../../object/object-id.ts'
import { hasObject } from '../../object/object-reader.ts'
import { COMMIT } from '../../object/object-type.ts'
import type { ObjectView } from '../../odb/object-view.ts'
import { assertRefName } from '../../refs/ref-name.ts'
import type { RefEdit, ReflogEntry, RefOutcome } from '../../refs/ref-edit.ts'
import { readTyped } from '../read/read-typed.ts'
import type { Repository } from '../repository.ts'
import { editTree, type MadeObject } from './edit-tree.ts'
import { planFileChanges, type DirectoryEdit, type FileChange } from './file-changes.ts'
import { encodeMadePack } from './write-made.ts'

/** Who makes a commit. */
export interface CommitAuthor {
  readonly name: string
  readonly email: string
  /** Seconds since the epoch. Default: now. */
  readonly time?: number
  /** `+hhmm` or `-hhmm`. Default `+0000`. */
  readonly timezone?: string
}

export interface CommitFilesOptions {
  /** The branch to move: `main`, or `refs/heads/main`. It is made when it does not exist. */
  readonly branch: string
  readonly changes: readonly FileChange[]
  /** A line break is put at its end where there is none, as git does. */
  readonly message: string
  readonly author: CommitAuthor
  /** Default: the author. */
  readonly committer?: CommitAuthor
  /**
   * What the branch must be at that moment: the id of a commit, or `null` for a branch that does not exist yet. Absent: whatever it is;
   * the changes are then made to whatever comes in between, too.
   */
  readonly expectedHead?: ObjectId | null
  /** The commit to begin with where the branch does not exist yet. Absent: an empty tree and no parent. */
  readonly startPoint?: ObjectId
  /** Commit also when nothing changes. Default false. */
  readonly allowEmpty?: boolean
  /** The largest file that is taken, in bytes. */
  readonly maxFileBytes?: number
  /** The most that the commit may add to the repository, in bytes of its pack. */
  readonly maxPackBytes?: number
  /** How objects are checked by git's rules; `false` for not at all. Default: strictly. */
  readonly fsck?: FsckOptions | false
  /** Makes texts for the repository's outbox inside the atomic step, as `StorageCommit.events` does. */
  readonly events?: (edits: readonly RefEdit[], outcomes: readonly RefOutcome[]) => readonly string[]
  readonly signal?: AbortSignal
}

export type CommitFilesOutcome =
  | {
      readonly kind: 'committed'
      readonly commit: ObjectId
      readonly tree: ObjectId
      /** Full name of the branch. */
      readonly ref: string
      /** What the branch was before. */
      readonly before: ObjectId | null
    }
  /** The branch is not what was expected. */
  | { readonly kind: 'stale'; readonly found: ObjectId | null }
  /** The changes change nothing. */
  | { readonly kind: 'unchanged'; readonly head: ObjectId | null }
  /** A change is about a path, or a blob, that is not there. */
  | { readonly kind: 'not-found'; readonly path: string }
  /** The branch cannot exist beside another one. */
  | { readonly kind: 'name-conflict'; readonly conflictsWith: string }

/** How often a commit without `expectedHead` is made anew because somebody else was faster. */
const MAX_ATTEMPTS = 20

/**
 * Commits changes of files to a branch: makes blobs, trees and the commit, and moves the branch by compare-and-swap, in one atomic step
 * with the objects.
 *
 * @throws GitError `INVALID_ARGUMENT`, `INVALID_REF_NAME`, `INVALID_ID` for what no commit can have, `FSCK`, `LIMIT_EXCEEDED`,
 * `MISSING_OBJECT`; `LOCKED` when others keep being faster. Nothing is changed then.
 */
export async function commitFiles(
  repository: Repository,
  options: CommitFilesOptions,
): Promise<CommitFilesOutcome> {
  const { branch, expectedHead } = options
  const ref = branch.startsWith('refs/heads/') ? branch : `refs/heads/${branch}`
  assertRefName(ref)
  for (const id of [expectedHead, options.startPoint]) {
    if (id != null && !isObjectId(id, repository.format))
      throw new GitError('INVALID_ID', `'${id.slice(0, 80)}' is not the id of a commit`)
  }
  const plan = planFileChanges(options.changes, repository.format)
  assertFileSizes(plan, options.maxFileBytes)
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const outcome = await tryCommit(repository, ref, plan, options)
    if (outcome !== 'raced') return outcome
  }
  throw new GitError('LOCKED', `${ref} was moved by others each of ${MAX_ATTEMPTS} times; try again`)
}

async function tryCommit(
  repository: Repository,
  ref: string,
  plan: DirectoryEdit,
  options: CommitFilesOptions,
): Promise<CommitFilesOutcome | 'raced'> {
  const { expectedHead } = options
  const head = await readBranch(repository, ref)
  if (expectedHead !== undefined && expectedHead !== head) return { kind: 'stale', found: head }
  const parent = head ?? options.startPoint ?? null
  const view = await repository.openView()
  try {
    const base = parent === null ? undefined : await readTreeOf(view, parent)
    const edited = await editTree(view, base, plan)
    if (edited.kind === 'not-found') return edited
    const isSame = base === undefined ? plan.names.size === 0 : edited.tree === base
    if (isSame && options.allowEmpty !== true) return { kind: 'unchanged', head }
    const committer = options.committer ?? options.author
    const body = encodeCommit(
      {
        tree: edited.tree,
        parents: parent === null ? [] : [parent],
        author: identityOf(options.author),
        committer: identityOf(committer),
        extraHeaders: [],
        message: encodeUtf8(options.message.endsWith('\n') ? options.message : `${options.message}\n`),
      },
      view.format,
    )
    const commit = encodeObjectId(hashObject(COMMIT, body, view.format), 0, view.format)
    const objects = new Map<ObjectId, MadeObject>([
      [commit, { type: COMMIT, body }],
      ...(await filterAbsent(view, edited.made)),
    ])
    const made = { commit, tree: edited.tree, objects, committer }
    return await store(repository, view, ref, head, made, options)
  } finally {
    await view.close()
  }
}

interface MadeCommit {
  readonly commit: ObjectId
  readonly tree: ObjectId
  readonly objects: ReadonlyMap<ObjectId, MadeObject>
  readonly committer: CommitAuthor
}

/** Sends the objects the way of every push, and moves the branch. */
async function store(
  repository: Repository,
  view: ObjectView,
  ref: string,
  head: ObjectId | null,
  { commit, tree, objects, committer }: MadeCommit,
  options: CommitFilesOptions,
): Promise<CommitFilesOutcome | 'raced'> {
  const { fsck = { strict: true }, signal, events, maxFileBytes, maxPackBytes } = options
  const incoming = await repository.receivePack(encodeMadePack(view, objects), {
    ...(fsck === false ? {} : { fsck }),
    ...(signal === undefined ? {} : { signal }),
    ...(maxFileBytes === undefined ? {} : { maxObjectBytes: maxFileBytes }),
    ...(maxPackBytes === undefined ? {} : { maxPackBytes }),
  })
  try {
    const gap = await incoming.findMissing([commit])
    if (gap !== undefined) {
      throw new GitError('MISSING_OBJECT', `${gap.type} ${gap.missing}, which the commit needs, is missing`, {
        details: { id: gap.missing },
      })
    }
    const edits: readonly RefEdit[] = [
      {
        name: ref,
        expect: head === null ? { kind: 'absent' } : { kind: 'id', id: head },
        target: { kind: 'direct', id: commit },
        peeled: null,
        reflog: reflogOf(committer, options.message),
      },
    ]
    const [outcome] = await incoming.commit(edits, {
      atomic: true,
      ...(events === undefined
        ? {}
        : { events: (outcomes: readonly RefOutcome[]) => events(edits, outcomes) }),
    })
    if (outcome?.kind === 'applied') return { kind: 'committed', commit, tree, ref, before: head }
    const rejection = outcome?.rejection
    if (rejection?.reason === 'name-conflict')
      return { kind: 'name-conflict', conflictsWith: rejection.conflictsWith }
    if (options.expectedHead === undefined || rejection?.reason === 'locked') return 'raced'
    return { kind: 'stale', found: await readBranch(repository, ref) }
  } finally {
    await incoming.discard()
  }
}

/** The id that a branch holds, `null` when it does not exist. */
async function readBranch({ storage }: Repository, ref: string): Promise<ObjectId | null> {
  const [stored] = await storage.readRefs([ref])
  if (stored === undefined) return null
  if (stored.target.kind === 'direct') return stored.target.id
  throw new GitError('INVALID_ARGUMENT', `${ref} is a symbolic ref; name the branch ${stored.target.target}`)
}

async function readTreeOf(view: ObjectView, commit: ObjectId): Promise<ObjectId> {
  const read = await readTyped(view, parseObjectId(commit, view.format), COMMIT)
  if (read.kind === 'found')
    return encodeObjectId(parseCommitLinks(read.body, view.format).tree, 0, view.format)
  throw new GitError('MISSING_OBJECT', `there is no commit ${commit} to begin with`, {
    details: { id: commit, type: 'commit' },
  })
}

async function filterAbsent(
  view: ObjectView,
  made: ReadonlyMap<ObjectId, MadeObject>,
): Promise<readonly [ObjectId, MadeObject][]> {
  const absent: [ObjectId, MadeObject][] = []
  for (const one of made) if (!(await hasObject(view, parseObjectId(one[0], view.format)))) absent.push(one)
  return absent
}

function identityOf({ name, email, time, timezone = '+0000' }: CommitAuthor): Identity {
  if (name.trim() === '') throw new GitError('INVALID_ARGUMENT', 'the name of an author is empty')
  if (!/^[+-]\d{4}$/.test(timezone)) {
    throw new GitError('INVALID_ARGUMENT', `the timezone '${timezone}' is not of the form +hhmm`)
  }
  return { name: name.trim(), email: email.trim(), time: time ?? Math.floor(Date.now() / 1000), timezone }
}

function reflogOf(committer: CommitAuthor, message: string): ReflogEntry {
  const { name, email, time } = identityOf(committer)
  const subject = message.split('\n', 1)[0] ?? ''
  return { identity: `${name} <${email}>`, time: Number(time), timezone: 0, message: `commit: ${subject}` }
}

function assertFileSizes({ names }: DirectoryEdit, maxFileBytes = Infinity): void {
  for (const edit of names.values()) {
    if (edit.kind === 'directory') assertFileSizes(edit, maxFileBytes)
    else if (
      edit.kind === 'file' &&
      edit.content instanceof Uint8Array &&
      edit.content.length > maxFileBytes
    ) {
      throw new GitError('LIMIT_EXCEEDED', `'${edit.path}' is larger than ${maxFileBytes} bytes`, {
        details: { limit: 'maxFileBytes', path: edit.path },
      })
    }
  }
}
