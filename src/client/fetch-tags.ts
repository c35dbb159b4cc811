import { hasObject } from '../object/object-reader.ts'
import { parseObjectId, type ObjectId } from '../object/object-id.ts'
import type { ObjectView } from '../odb/object-view.ts'
import type { AdvertisedRef } from '../repository/repository.ts'
import type { LocalRefs } from './local-refs.ts'
import { isStorable, type RefMapping } from './refspec.ts'

/** Tags of the remote that are not here and that no refspec names: those to follow when what they name arrives. */
export function listUnknownTags(
  refs: readonly AdvertisedRef[],
  local: LocalRefs,
  mappings: readonly RefMapping[],
): readonly AdvertisedRef[] {
  const mapped = new Set(mappings.map((mapping) => mapping.local))
  return refs.filter(
    ({ name }) =>
      name.startsWith('refs/tags/') && isStorable(name) && !local.targets.has(name) && !mapped.has(name),
  )
}

/** The tags whose finally named object is here, or is going to be fetched. */
export async function followTags(
  view: ObjectView,
  tags: readonly AdvertisedRef[],
  fetched: ReadonlySet<ObjectId>,
): Promise<readonly AdvertisedRef[]> {
  const followed: AdvertisedRef[] = []
  for (const tag of tags) {
    const named = tag.peeled ?? tag.id
    if (fetched.has(named) || (await isHere(view, named))) followed.push(tag)
  }
  return followed
}

/** The tags that are here themselves. */
export async function presentTags(
  view: ObjectView,
  tags: readonly AdvertisedRef[],
): Promise<readonly AdvertisedRef[]> {
  const present: AdvertisedRef[] = []
  for (const tag of tags) if (await isHere(view, tag.id)) present.push(tag)
  return present
}

/** Where followed tags go: to the name that they have. */
export function mapTags(tags: readonly AdvertisedRef[]): RefMapping[] {
  return tags.map(({ name, id }) => ({ remote: name, id, local: name, force: false }))
}

function isHere(view: ObjectView, id: ObjectId): Promise<boolean> {
  return hasObject(view, parseObjectId(id, view.format))
}
