import { resolve } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { expect, test } from 'vitest'

const src = resolve(import.meta.dirname, '../../src')

interface Bundle {
  /** Minified and compressed, as a Worker is uploaded. */
  readonly kilobytes: number
  /** The files that it has code of. */
  readonly files: readonly string[]
}

/** Bundles a program with all that it imports. */
async function bundle(program: string): Promise<Bundle> {
  const { outputFiles, metafile } = await build({
    stdin: { contents: program, resolveDir: src, loader: 'ts' },
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    format: 'esm',
    platform: 'neutral',
    mainFields: ['module', 'main'],
    external: ['cloudflare:workers'],
  })
  const inputs = Object.values(metafile.outputs).flatMap((output) => Object.entries(output.inputs))
  return {
    kilobytes: gzipSync(outputFiles[0]?.contents ?? '', { level: 9 }).length / 1000,
    files: inputs.filter(([, { bytesInOutput }]) => bytesInOutput > 0).map(([path]) => path),
  }
}

test('the engine, the Git handler and the storage of Durable Objects stay within 114 kB', async () => {
  const { kilobytes } = await bundle(`
    import { openRepository } from './repository/repository.ts'
    import { createGitHandler } from './http/git-handler.ts'
    import { createPortableCodecs } from './codec/portable/index.ts'
    import { createSqliteR2Storage } from './storage/sqlite-r2/index.ts'
    import { createDurableObjectDatabase } from './storage/sqlite/drivers/durable-object.ts'
    console.log(openRepository, createGitHandler, createPortableCodecs, createSqliteR2Storage, createDurableObjectDatabase)
  `)
  expect(kilobytes).toBeLessThan(114)
})

test('the ready Worker, hub and all, stays within 204 kB and has nothing of what it never reaches', async () => {
  const { kilobytes, files } = await bundle(`export * from './hosts/workers/index.ts'`)
  expect(kilobytes).toBeLessThan(204)
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
