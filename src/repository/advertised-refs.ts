import { parseObjectId, type ObjectId } from '../object/object-id.ts'
import { parseTagTarget } from '../object/tag-target.ts'
import { TAG } from '../object/object-type.ts'
import type { ObjectView } from '../odb/object-view.ts'
import type { Ref } from '../refs/ref.ts'
import type { RepositoryStorage } from '../storage/repository-storage.ts'
import { encodeHex } from '../bytes/hex.ts'
import { resolveRef } from './resolve-ref.ts'

/** A ref as clients see it. */
export interface AdvertisedRef {
  readonly name: string
  readonly id: ObjectId
  /** Only for annotated tags: the object that is finally named. */
  readonly peeled?: ObjectId
  /** Only for symbolic refs. */
  readonly symrefTarget?: string
}

export interface ListAdvertisedRefsOptions {
  /** Only refs whose names begin with one of these. */
  readonly prefixes?: readonly string[]
  /** Find out what tags name. Default true. */
  readonly peel?: boolean
}

/** Ids whose peeled value is remembered; beyond it all are forgotten. */
const MAX_PEELED = 200_000

/** The refs of a storage that gives out the same list again while nothing changes, and what was made of them. */
interface KnownRefs {
  readonly head: Ref | undefined
  readonly stored: readonly Ref[]
  peeled?: readonly AdvertisedRef[]
  unpeeled?: readonly AdvertisedRef[]
  /** Parts of the above, by their prefixes. */
  readonly parts: Map<string, readonly AdvertisedRef[]>
}

/** Parts of the list that are remembered. */
const MAX_PARTS = 16

/**
 * Lists refs for clients. What a tag object names never changes, so it is looked up once. While no ref changes the same list is given
 * out again where the storage does so too, so that others can remember what they made of it.
 */
export class AdvertisedRefs {
  readonly #storage: RepositoryStorage
  readonly #peeled = new Map<ObjectId, ObjectId | null>()
  #known: KnownRefs | undefined

  constructor(storage: RepositoryStorage) {
    this.#storage = storage
  }

  async list(view: ObjectView, options: ListAdvertisedRefsOptions = {}): Promise<readonly AdvertisedRef[]> {
    const { prefixes, peel = true } = options
    const isWanted = (name: string): boolean =>
      prefixes === undefined || prefixes.some((prefix) => name.startsWith(prefix))
    const [[head], stored] = await Promise.all([
      this.#storage.readRefs(['HEAD']),
      this.#storage.listRefs('refs/'),
    ])
    let known = this.#known
    if (known === undefined || known.stored !== stored || known.head !== head) {
      known = this.#known = { head, stored, parts: new Map() }
      if (prefixes !== undefined) return this.#advertise(view, head, stored, peel, isWanted)
    }
    const key = peel ? 'peeled' : 'unpeeled'
    const all = known[key] ?? (await this.#advertise(view, head, stored, peel, () => true))
    if (known[key] === undefined && isSelfContained(head, stored)) known[key] = all
    if (prefixes === undefined) return all
    const partKey = JSON.stringify([key, prefixes])
    const part = known.parts.get(partKey) ?? all.filter(({ name }) => isWanted(name))
    if (known[key] === all && known.parts.size < MAX_PARTS) known.parts.set(partKey, part)
    return part
  }

  async #advertise(
    view: ObjectView,
    head: Ref | undefined,
    stored: readonly Ref[],
    peel: boolean,
    isWanted: (name: string) => boolean,
  ): Promise<readonly AdvertisedRef[]> {
    const refs = stored.filter(({ name }) => isWanted(name))
    if (head !== undefined && isWanted('HEAD')) refs.unshift(head)
    const direct = new Map<string, ObjectId>()
    for (const { name, target } of stored) if (target.kind === 'direct') direct.set(name, target.id)
    const resolved: { readonly ref: Ref; readonly id: ObjectId }[] = []
    for (const ref of refs) {
      const { target } = ref
      const id =
        target.kind === 'direct'
          ? target.id
          : (direct.get(target.target) ?? (await resolveRef(this.#storage, target.target)))
      if (id !== undefined) resolved.push({ ref, id })
    }
    if (peel) await this.#peelAll(view, resolved)
    const advertised: AdvertisedRef[] = []
    for (const { ref, id } of resolved) {
      const { name, target } = ref
      const peeled = peel ? this.#peeled.get(id) : undefined
      advertised.push({
        name,
        id,
        ...(peeled === undefined || peeled === null ? {} : { peeled }),
        ...(target.kind === 'symbolic' ? { symrefTarget: target.target } : {}),
      })
    }
    return advertised
  }

  /** Finds out what each ref finally names. Branches are commits by git's rules and are not looked at. */
  async #peelAll(
    view: ObjectView,
    resolved: readonly { readonly ref: Ref; readonly id: ObjectId }[],
  ): Promise<void> {
    if (this.#peeled.size > MAX_PEELED) this.#peeled.clear()
    const unknown = new Map<ObjectId, ObjectId>()
    for (const { ref, id } of resolved) {
      if (this.#peeled.has(id)) continue
      const { name, target, peeled } = ref
      const branch = target.kind === 'direct' ? name : target.target
      if (peeled !== undefined) this.#peeled.set(id, peeled)
      else if (!branch.startsWith('refs/heads/')) unknown.set(id, id)
    }
    while (unknown.size > 0) {
      for (const [id, current] of unknown) {
        const object = view.tryRead(parseObjectId(current, view.format))
        if (object === undefined) continue
        if (object?.type === TAG) {
          unknown.set(id, encodeHex(parseTagTarget(object.body, view.format).id))
          continue
        }
        unknown.delete(id)
        this.#peeled.set(id, object === null || current === id ? null : current)
      }
      if (unknown.size > 0) await view.settle()
    }
  }
}

/** Whether every symbolic ref names a branch in the list, so that nothing else decides about what they lead to. */
function isSelfContained(head: Ref | undefined, stored: readonly Ref[]): boolean {
  let symbolic = 0
  const targets = new Set<string>()
  for (const ref of head === undefined ? stored : [head, ...stored]) {
    if (ref.target.kind !== 'symbolic') continue
    symbolic++
    targets.add(ref.target.target)
  }
  if (symbolic === 0) return true
  for (const { name, target } of stored) if (target.kind === 'direct') targets.delete(name)
  return targets.size === 0
}
