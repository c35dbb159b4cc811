import { builtinModules } from 'node:module'
import { resolve } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import type { StandaloneJob } from '../job.ts'
import type { Row } from '../row.ts'

/** What is bundled, whole: an engine with a client and a server. */
const PROGRAMS: readonly {
  readonly who: string
  readonly what: string
  readonly modules: readonly string[]
}[] = [
  {
    who: 'isomorphic-git',
    what: 'engine and client; it has no server',
    modules: ['isomorphic-git', 'isomorphic-git/http/web'],
  },
  { who: 'just-git', what: 'engine, commands, client and server', modules: ['just-git', 'just-git/server'] },
  {
    who: 'packstone',
    what: 'engine and client, portable codecs, storage in memory',
    modules: ['index', 'client', 'codec/portable', 'storage/memory'].map((entry) =>
      resolve('dist', `${entry}.js`),
    ),
  },
  {
    who: 'packstone',
    what: 'engine, client and server, portable codecs, storage in memory',
    modules: ['index', 'client', 'http', 'codec/portable', 'storage/memory'].map((entry) =>
      resolve('dist', `${entry}.js`),
    ),
  },
]

/** How large it all is where it is shipped as one file. */
export const sizeJob: StandaloneJob = {
  kind: 'standalone',
  name: 'size',
  describe: 'bytes of a bundle of everything, minified and compressed',
  run: runSize,
}

async function runSize(): Promise<Row[]> {
  const sizes: { readonly who: string; readonly conditions: string; readonly bytes: number }[] = []
  for (const { who, what, modules } of PROGRAMS) {
    sizes.push({ who, conditions: `${what}, minified, gzip`, bytes: await measureBundle(modules) })
  }
  const [first] = sizes
  return sizes.map(({ who, conditions, bytes }, at): Row => {
    const row = { job: 'size', corpus: '', who, conditions, bytes, rounds: 1 }
    if (first === undefined || at === 0) return { ...row, figures: [] }
    return { ...row, against: first.who, figures: [{ metric: 'bytes', value: bytes / first.bytes }] }
  })
}

async function measureBundle(modules: readonly string[]): Promise<number> {
  const { outputFiles } = await build({
    stdin: {
      contents: modules
        .map((module, at) => `export * as part${at} from ${JSON.stringify(module)}`)
        .join('\n'),
      resolveDir: resolve('.'),
    },
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    platform: 'neutral',
    mainFields: ['module', 'main'],
    external: [...builtinModules, 'node:*'],
    logLevel: 'error',
  })
  return gzipSync(outputFiles[0]?.contents ?? '', { level: 9 }).length
}
