import { GitError } from '../../errors.ts'
import { hexLengthOf, type ObjectFormatName } from '../../object/object-format.ts'
import { appliedChanges } from '../../refs/applied-changes.ts'
import { assertRefEdits, judgeRefEdits } from '../../refs/ref-transaction.ts'
import { assertEventTexts } from '../event-texts.ts'
import { assertPackName } from '../pack-name.ts'
import type { NewPack, StorageCommit, StorageCommitResult } from '../repository-storage.ts'
import { assertShallowChange, changeShallowList } from '../shallow-list.ts'
import type { StagedFile } from '../stored-file.ts'
import type { Bucket } from './bucket.ts'
import { BucketStagedFile } from './bucket-upload.ts'
import type { DroppedFile, Manifest, ManifestPack } from './manifest.ts'
import type { Change } from './manifest-changes.ts'

/** A commit that was checked, as a change that can be made on any state. */
export interface CommitChange {
  readonly change: Change<StorageCommitResult>
  /** The files of the packs to add. */
  readonly staged: readonly BucketStagedFile[]
}

/**
 * Checks a commit, as far as that does not depend on what is stored.
 *
 * @throws GitError `INVALID_ARGUMENT`, `INVALID_REF_NAME`, `INVALID_ID`, `STORAGE` for files that were staged too long ago
 */
export function prepareCommit(
  bucket: Bucket,
  objectFormat: ObjectFormatName,
  step: StorageCommit,
): CommitChange {
  const { addPacks = [], dropPacks = [], refs: edits = [], atomic = false } = step
  const hexLength = hexLengthOf(objectFormat)
  assertRefEdits(edits, hexLength)
  const { shallow } = step
  if (shallow !== undefined) assertShallowChange(shallow, hexLength)
  const added = addPacks.map((pack) => describeNewPack(bucket, pack))
  return {
    staged: addPacks.flatMap(({ pack, index }) => [stagedFile(pack), stagedFile(index)]),
    change: (state) => {
      const outcomes = judgeRefEdits(edits, state.refs, { atomic })
      if (edits.length > 0 && outcomes.every(({ kind }) => kind === 'rejected')) {
        return { state, result: { refs: outcomes, packsCommitted: false } }
      }
      const result = { refs: outcomes, packsCommitted: true }
      const changes = appliedChanges(edits, outcomes)
      const texts = assertEventTexts(step.events?.(outcomes) ?? [])
      const isNothing = [changes.size, added.length, dropPacks.length, texts.length].every(
        (size) => size === 0,
      )
      if (isNothing && shallow === undefined) return { state, result }
      const { manifest } = state
      return {
        state: {
          manifest: {
            ...manifest,
            ...changePacks(manifest, added, dropPacks, step.dropOnlyBefore),
            events: appendEvents(manifest.events, texts),
          },
          refs: state.refs.edit(changes),
          shallow: shallow === undefined ? state.shallow : changeShallowList(state.shallow, shallow),
        },
        result,
      }
    },
  }
}

/** The files belong to the store from now on. */
export function giveAwayFiles(staged: readonly BucketStagedFile[]): void {
  for (const file of staged) file.giveAway()
}

function changePacks(
  manifest: Manifest,
  added: readonly ManifestPack[],
  dropPacks: readonly string[],
  dropOnlyBefore = Infinity,
): Pick<Manifest, 'packs' | 'dropped'> {
  const now = Date.now()
  const packs = new Map(manifest.packs.map((pack) => [pack.name, pack]))
  const dropped: DroppedFile[] = [...manifest.dropped]
  const dropFile = (file: string | undefined): void => {
    if (file !== undefined) dropped.push([file, now])
  }
  for (const pack of added) {
    const old = packs.get(pack.name)
    dropFile(old?.mask)
    packs.set(pack.name, addedPack(pack, old, now))
  }
  const kept = new Set(added.map(({ name }) => name))
  for (const name of dropPacks) {
    const pack = kept.has(name) ? undefined : packs.get(name)
    if (pack === undefined || pack.modified >= dropOnlyBefore) continue
    for (const file of [pack.pack, pack.idx, pack.mask]) dropFile(file)
    packs.delete(name)
  }
  return { packs: [...packs.values()], dropped }
}

/** A pack that is added, maybe once more: all of its objects are visible then, and it is as young as if it were new. */
function addedPack(added: ManifestPack, old: ManifestPack | undefined, modified: number): ManifestPack {
  const { name, pack, idx, packSize, indexSize } = old ?? added
  const promisor = added.promisor ?? old?.promisor
  return { name, pack, idx, packSize, indexSize, modified, ...(promisor === undefined ? {} : { promisor }) }
}

function appendEvents(events: Manifest['events'], texts: readonly string[]): Manifest['events'] {
  if (texts.length === 0) return events
  const numbered = texts.map((text, at) => ({ sequence: events.last + 1 + at, text }))
  return { ...events, last: events.last + texts.length, inline: [...events.inline, ...numbered] }
}

function describeNewPack(bucket: Bucket, { name, pack, index, promisor }: NewPack): ManifestPack {
  assertPackName(name)
  return {
    name,
    pack: stagedName(bucket, pack),
    idx: stagedName(bucket, index),
    packSize: pack.size,
    indexSize: index.size,
    modified: 0,
    ...(promisor === undefined ? {} : { promisor }),
  }
}

function stagedName(bucket: Bucket, file: StagedFile): string {
  const name = stagedFile(file).nameIn(bucket)
  if (name !== undefined) return name
  throw notStaged()
}

function stagedFile(file: StagedFile): BucketStagedFile {
  if (file instanceof BucketStagedFile) return file
  throw notStaged()
}

function notStaged(): GitError {
  return new GitError(
    'INVALID_ARGUMENT',
    'a pack to commit must be a file staged by this storage, neither discarded nor committed before',
  )
}
