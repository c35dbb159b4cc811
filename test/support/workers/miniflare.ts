import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'tsup'

/** What is used of miniflare, which runs Workers in the real workerd. */
export interface Miniflare {
  readonly ready: Promise<URL>
  dispatchFetch(url: string): Promise<{ text(): Promise<string> }>
  dispose(): Promise<void>
}

export type MiniflareClass = new (options: object) => Miniflare

/** The name of the module, unknown to the compiler: of its types, only the few above are wanted. */
const MINIFLARE: string = 'miniflare'

/** The class. Rejects where miniflare is not installed: what needs it is tested everywhere, or fails. */
export async function importMiniflare(): Promise<MiniflareClass> {
  return ((await import(MINIFLARE)) as { Miniflare: MiniflareClass }).Miniflare
}

/** Bundles a Worker's program into one module. */
export async function bundleWorker(path: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'packstone-worker-'))
  try {
    await build({
      entry: { worker: path },
      format: 'esm',
      platform: 'neutral',
      // Neutral bundles look at no field of package.json but `module` and `main`.
      noExternal: [/^(?!cloudflare:)/],
      external: [/^cloudflare:/],
      outDir: folder,
      outExtension: () => ({ js: '.mjs' }),
      config: false,
      silent: true,
    })
    return await readFile(join(folder, 'worker.mjs'), 'utf8')
  } finally {
    await rm(folder, { recursive: true })
  }
}
