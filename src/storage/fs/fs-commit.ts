import { hexLengthOf } from '../../object/object-format.ts'
import type { RefOutcome } from '../../refs/ref-edit.ts'
import { assertRefEdits } from '../../refs/ref-transaction.ts'
import type { StorageCommit, StorageCommitResult } from '../repository-storage.ts'
import { assertShallowChange } from '../shallow-list.ts'
import { editsInWaves } from './edit-waves.ts'
import { prepareRefs, type RefTransactionPlace } from './fs-ref-transaction.ts'
import { announceEvents, tellEvents } from './outbox.ts'
import { assertNewPacks, dropPackFiles, placePacks, type PlacedPacks } from './pack-commit.ts'
import { changesOf } from './ref-change.ts'
import { prepareShallowFile } from './shallow-file.ts'

/**
 * The one atomic step on a bare repository: lock and judge the refs, make the packs visible, replace the shallow list, write down the
 * events, move the refs, drop packs.
 *
 * Stopped at any instant it leaves no ref that names an object whose pack is not in place. What it may leave are locks,
 * a `.keep` beside a pack, and a pack that nothing names, as git itself would.
 */
export async function commitToDirectory(
  place: RefTransactionPlace,
  {
    addPacks = [],
    dropPacks = [],
    dropOnlyBefore,
    refs: edits = [],
    atomic = false,
    shallow,
    events,
  }: StorageCommit,
): Promise<StorageCommitResult> {
  const { directory } = place
  const hexLength = hexLengthOf(place.objectFormat)
  assertRefEdits(edits, hexLength)
  const packs = assertNewPacks(directory, addPacks)
  if (shallow !== undefined) assertShallowChange(shallow, hexLength)
  const shallowFile =
    shallow && (await prepareShallowFile(directory, shallow, { hexLength, turns: place.turns }))
  const outcomes = new Map<string, RefOutcome>()
  let placed: PlacedPacks | undefined
  const placeObjects = async (): Promise<PlacedPacks> => {
    const now = await placePacks(directory, packs)
    placed = now
    await shallowFile?.apply()
    return now
  }
  try {
    for (const wave of atomic ? [edits] : editsInWaves(edits)) {
      if (wave.length === 0) continue
      const prepared = await prepareRefs(place, wave, { atomic, inOneStep: atomic || events !== undefined })
      try {
        let wavesOutcomes = prepared.outcomes
        if (wavesOutcomes.some((outcome) => outcome.kind === 'applied')) {
          placed ??= await placeObjects()
          const changes = changesOf(wave, wavesOutcomes)
          const announced = events && (await announceEvents(directory, events, wavesOutcomes, changes))
          wavesOutcomes = await prepared.apply()
          await announced?.settle(wavesOutcomes)
        }
        for (const outcome of wavesOutcomes) outcomes.set(outcome.name, outcome)
      } finally {
        await prepared.release()
      }
    }
    if (edits.length === 0) {
      placed = await placeObjects()
      if (events !== undefined) await tellEvents(directory, events)
    }
    if (placed !== undefined) {
      await dropPackFiles(directory, dropPacks, dropOnlyBefore)
      await placed.finish()
    }
  } catch (error) {
    await placed?.abandon()
    throw error
  } finally {
    await shallowFile?.release()
  }
  return {
    refs: edits.map(({ name }) => outcomes.get(name)).filter((outcome) => outcome !== undefined),
    packsCommitted: placed !== undefined,
  }
}
