import { resolve } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build, type BuildResult } from 'esbuild'
import { expect, test } from 'vitest'

const root = resolve(import.meta.dirname, '../..')

/** Bundles a program with all that it imports, minified, as a Worker is. */
function bundle(program: string): Promise<BuildResult<{ write: false; metafile: true }>> {
  return build({
    stdin: { contents: program, resolveDir: root, loader: 'ts' },
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    format: 'esm',
    platform: 'neutral',
    mainFields: ['module', 'main'],
    external: ['cloudflare:workers', 'node:*'],
    logLevel: 'error',
  })
}

/** What a program weighs that imports the built package: minified and compressed, as it is uploaded, in units of 1000 bytes. */
async function kilobytes(program: string): Promise<number> {
  const { outputFiles } = await bundle(program)
  return gzipSync(outputFiles[0]?.contents ?? '', { level: 9 }).length / 1000
}

/** What answers Git clients from Durable Objects and R2: the engine, the Git handler, the codecs and the storage. */
function serverOf(engine: readonly string[]): string {
  return `
    import { ${engine.join(', ')} } from 'packstone'
    import { createGitHandler } from 'packstone/http'
    import { createSqliteR2Storage } from 'packstone/storage/sqlite-r2'
    import { createDurableObjectDatabase } from 'packstone/storage/sqlite/durable-object'
    import { createPortableCodecs } from 'packstone/codec/portable'
    console.log(${engine.join(', ')}, createGitHandler, createSqliteR2Storage, createDurableObjectDatabase, createPortableCodecs)`
}

test.each([
  ['that does without what only makes it faster or answers smaller', ['openLeanRepository'], 100],
  ['that searches deltas for fetches', ['openLeanRepository', 'searchFetchDeltas'], 108],
  ['with all of the engine that serving takes', ['openRepository'], 112.5],
])('a Git server on Durable Objects %s (%j) stays within %s kB', async (_what, engine, budget) => {
  expect(await kilobytes(serverOf(engine))).toBeLessThan(budget)
})

test('the ready Worker, hub and all, stays within 201 kB', async () => {
  expect(await kilobytes(`export * from 'packstone/hosts/workers'`)).toBeLessThan(201)
})

test('the ready Worker has nothing of what it never reaches', async () => {
  const { metafile } = await bundle(`export * from './src/hosts/workers/index.ts'`)
  const inputs = Object.values(metafile.outputs).flatMap((output) => Object.entries(output.inputs))
  const files = inputs.filter(([, { bytesInOutput }]) => bytesInOutput > 0).map(([path]) => path)
  expect(files.length).toBeGreaterThan(300)
  const unreached = [
    /node_modules\/(pako|sha1-uint8array)\//,
    /client\/push/,
    /codec\/(node|pako)\//,
    /graph\/commit-graph\//,
    /pack\/(bitmap|multi-pack-index)\//,
    /pack\/(delta-search\/search-helpers|indexer\/index-together)/,
    /storage\/(fs|memory|s3)\//,
  ]
  expect(files.filter((path) => unreached.some((pattern) => pattern.test(path)))).toEqual([])
})
