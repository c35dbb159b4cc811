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

/** Lists refs for clients. What a tag object names never changes, so it is looked up once. */
export class AdvertisedRefs {
  readonly #storage: RepositoryStorage
  readonly #peeled = new Map<ObjectId, ObjectId | null>()

  constructor(storage: RepositoryStorage) {
    this.#storage = storage
  }

  async list(view: ObjectView, options: ListAdvertisedRefsOptions = {}): Promise<readonly AdvertisedRef[]> {
    const { prefixes, peel = true } = options
    const wanted = (name: string): boolean =>
      prefixes === undefined || prefixes.some((prefix) => name.startsWith(prefix))
    const [heads, stored] = await Promise.all([
      this.#storage.readRefs(wanted('HEAD') ? ['HEAD'] : []),
      this.#storage.listRefs('refs/'),
    ])
    const refs = [...heads.filter((head) => head !== undefined), ...stored.filter(({ name }) => wanted(name))]
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
