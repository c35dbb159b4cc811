import { resolve } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { expect, test } from 'vitest'

const src = resolve(import.meta.dirname, '../../src')

/** Kilobytes of a program, with all it imports, minified and compressed as a Worker is uploaded. */
async function measureBundle(program: string): Promise<number> {
  const { outputFiles } = await build({
    stdin: { contents: program, resolveDir: src, loader: 'ts' },
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    platform: 'neutral',
    mainFields: ['module', 'main'],
    external: ['cloudflare:workers'],
  })
  return gzipSync(outputFiles[0]?.contents ?? '', { level: 9 }).length / 1000
}

test('the engine, the Git handler and the storage of Durable Objects stay within 115 kB', async () => {
  const program = `
    import { openRepository } from './repository/repository.ts'
    import { createGitHandler } from './http/git-handler.ts'
    import { createPortableCodecs } from './codec/portable/index.ts'
    import { createSqliteR2Storage } from './storage/sqlite-r2/index.ts'
    import { createDurableObjectDatabase } from './storage/sqlite/drivers/durable-object.ts'
    console.log(openRepository, createGitHandler, createPortableCodecs, createSqliteR2Storage, createDurableObjectDatabase)
  `
  expect(await measureBundle(program)).toBeLessThan(115)
})

test('the ready Worker, hub and all, stays within 215 kB', async () => {
  expect(await measureBundle(`export * from './hosts/workers/index.ts'`)).toBeLessThan(215)
})
