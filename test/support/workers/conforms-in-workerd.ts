import { afterAll, beforeAll, expect, test } from 'vitest'
import { bundleWorker, importMiniflare, type Miniflare } from './miniflare.ts'

/** What a Worker that runs a conformance suite is bound to. */
export interface ConformanceBindings {
  readonly durableObjects?: { readonly CONFORMANCE: { readonly className: string; readonly useSQLite: true } }
  readonly r2Buckets?: readonly string[]
}

/** The Durable Object `Conformance` of the Worker, with its SQLite. */
export const CONFORMANCE_OBJECT = { CONFORMANCE: { className: 'Conformance', useSQLite: true } } as const

/**
 * Makes a test of each case of a conformance suite, which runs inside workerd: the Worker runs the case that the path of a request names,
 * and answers with what went wrong.
 *
 * @param cases the suite; only its names are of use here.
 */
export async function conformsInWorkerd(
  worker: string,
  bindings: ConformanceBindings,
  cases: readonly { readonly name: string }[],
): Promise<void> {
  const MiniflareClass = await importMiniflare()
  let miniflare: Miniflare | undefined

  beforeAll(async () => {
    const { durableObjects, r2Buckets } = bindings
    miniflare = new MiniflareClass({
      cf: false,
      modules: true,
      script: await bundleWorker(worker),
      compatibilityDate: '2026-04-01',
      ...(durableObjects === undefined ? {} : { durableObjects }),
      ...(r2Buckets === undefined ? {} : { r2Buckets: [...r2Buckets] }),
    })
  })

  afterAll(() => miniflare?.dispose())

  for (const { name } of cases) {
    test(name, async () => {
      const answer = await miniflare?.dispatchFetch(`http://localhost/${encodeURIComponent(name)}`)
      expect(await answer?.text()).toBe('')
    })
  }
}
