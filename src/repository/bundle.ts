/*
 * A bundle (git's gitformat-bundle): `# v2 git bundle`, a line `<id> <ref>` for each ref, an empty line, and a pack. For other hashes than
 * SHA-1 it is `# v3 git bundle` with a capability `@object-format=<name>`.
 */
import { encodeUtf8 } from '../bytes/text.ts'
import { GitError } from '../errors.ts'
import type { ObjectView } from '../odb/object-view.ts'
import type { AdvertisedRef } from './advertised-refs.ts'
import { planPack, type PackPlan, type PackPlanOptions } from './outgoing-pack.ts'
import type { Repository } from './repository.ts'

export interface BundleOptions extends PackPlanOptions {
  /** Which refs the bundle has. Default: HEAD, branches and tags. */
  readonly includes?: (name: string) => boolean
}

/** A bundle that is ready to be written. */
export interface BundlePlan extends Omit<PackPlan, 'write'> {
  readonly refs: readonly AdvertisedRef[]
  /** The bundle's bytes. Use once, before the view is closed. */
  write(options?: PackPlanOptions): AsyncIterable<Uint8Array>
}

/**
 * Plans a bundle of refs with everything that they reach: a file that clones can begin with, from wherever it lies (`git clone --bundle-uri`,
 * and the setting `bundle.<id>.uri` of a server). Stored bytes are copied, so it is as small as the repository is well packed. The view must
 * stay open until the bundle is written.
 *
 * @throws GitError `INVALID_ARGUMENT` when there is no ref; `UNSUPPORTED` for a shallow repository; as {@link planPack}
 */
export async function planBundle(
  repository: Repository,
  view: ObjectView,
  options: BundleOptions = {},
): Promise<BundlePlan> {
  const { includes = isOrdinary, ...planning } = options
  if (view.shallow.size > 0) {
    throw new GitError(
      'UNSUPPORTED',
      `${repository.storage.location} is shallow: a bundle of it could not be cloned from`,
    )
  }
  const refs = (await repository.listAdvertisedRefs(view, { peel: false })).filter(({ name }) =>
    includes(name),
  )
  if (refs.length === 0) {
    throw new GitError(
      'INVALID_ARGUMENT',
      `refusing to make an empty bundle: ${repository.storage.location} has none of the refs it would be of`,
    )
  }
  const plan = await planPack(
    view,
    {
      wants: [...new Set(refs.map(({ id }) => id))],
      haves: [],
      clientShallow: [],
      shallow: [],
      unshallow: [],
      thin: false,
      ofsDelta: true,
      includeTags: [],
    },
    planning,
  )
  const { objectCount, deltaCount, reusedCount, reusedDeltaCount } = plan
  return {
    ...{ refs, objectCount, deltaCount, reusedCount, reusedDeltaCount },
    async *write(writing) {
      yield encodeUtf8(encodeBundleHeader(repository.format.name, refs))
      yield* plan.write(writing)
    },
  }
}

function isOrdinary(name: string): boolean {
  return name === 'HEAD' || name.startsWith('refs/heads/') || name.startsWith('refs/tags/')
}

function encodeBundleHeader(objectFormat: string, refs: readonly AdvertisedRef[]): string {
  const signature =
    objectFormat === 'sha1' ? '# v2 git bundle\n' : `# v3 git bundle\n@object-format=${objectFormat}\n`
  return `${signature}${refs.map(({ id, name }) => `${id} ${name}\n`).join('')}\n`
}
