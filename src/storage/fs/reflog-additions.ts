import { hexLengthOf, type ObjectFormatName } from '../../object/object-format.ts'
import type { ObjectId } from '../../object/object-id.ts'
import type { RefEdit } from '../../refs/ref-edit.ts'
import type { RefTarget } from '../../refs/ref.ts'
import type { GitDirectory } from './git-directory.ts'
import type { RefChange } from './ref-change.ts'
import type { RefReader } from './ref-reader.ts'
import { isLogged, type ReflogAddition } from './reflog-files.ts'
import type { RepositorySettings } from './repository-settings.ts'

/** How many symbolic refs are followed one after the other; git has the same limit. */
const MAX_SYMBOLIC_DEPTH = 5

/**
 * The branch whose edit is logged for `HEAD` too, because `HEAD` names it and has a log. `HEAD` must be locked for that.
 */
export async function findBranchLoggedByHead(
  directory: GitDirectory,
  settings: RepositorySettings,
  reader: RefReader,
  edits: readonly RefEdit[],
): Promise<string | undefined> {
  if (!edits.some((edit) => edit.reflog !== undefined)) return undefined
  if (edits.some((edit) => edit.name === 'HEAD')) return undefined
  const head = (await reader.read('HEAD'))?.target
  if (head?.kind !== 'symbolic') return undefined
  const isEdited = edits.some((edit) => edit.name === head.target && edit.reflog !== undefined)
  return isEdited && (await isLogged(directory, settings, 'HEAD')) ? head.target : undefined
}

/** The lines that changes add to reflogs. A deleted ref loses its log instead; `HEAD` keeps its own. */
export async function reflogAdditions(
  directory: GitDirectory,
  settings: RepositorySettings,
  reader: RefReader,
  changes: readonly RefChange[],
  options: { readonly objectFormat: ObjectFormatName; readonly branchLoggedByHead: string | undefined },
): Promise<ReflogAddition[]> {
  const additions: ReflogAddition[] = []
  const zeroId = '0'.repeat(hexLengthOf(options.objectFormat))
  const resolve = async (target: RefTarget | null): Promise<ObjectId> =>
    (await resolveTarget(reader, target)) ?? zeroId
  for (const { edit, before } of changes) {
    const { name, target, reflog: entry } = edit
    if (entry === undefined) continue
    const byHead = name === options.branchLoggedByHead
    const own = target !== null && (await isLogged(directory, settings, name))
    if (!own && !byHead) continue
    const ids = { before: await resolve(before), after: await resolve(target), entry }
    if (own) additions.push({ name, ...ids })
    if (byHead) additions.push({ name: 'HEAD', ...ids })
  }
  return additions
}

/** The id that a ref's value finally stands for; undefined where it leads nowhere. */
async function resolveTarget(reader: RefReader, target: RefTarget | null): Promise<ObjectId | undefined> {
  let current = target ?? undefined
  for (let depth = 0; current?.kind === 'symbolic' && depth < MAX_SYMBOLIC_DEPTH; depth++) {
    current = (await reader.read(current.target))?.target
  }
  return current?.kind === 'direct' ? current.id : undefined
}
