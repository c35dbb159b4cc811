#!/usr/bin/env node
// Builds the benchmarks, which are TypeScript like everything else, and runs them: npm run bench -- --help
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import process from 'node:process'
import { pathToFileURL } from 'node:url'
import { build } from 'tsup'

const programs = ['git-server', 'portable-server', 'inside', 'report-memory']
// Inside node_modules, so that what is not bundled is found; a folder of its own, because two runs may go on at once.
const cache = resolve('node_modules/.cache')
await mkdir(cache, { recursive: true })
const outDir = await mkdtemp(join(cache, 'packstone-bench-'))
try {
  await build({
    config: false,
    entry: {
      main: 'bench/main.ts',
      ...Object.fromEntries(programs.map((name) => [name, `bench/programs/${name}.ts`])),
    },
    outDir,
    format: 'esm',
    target: 'node20',
    platform: 'node',
    splitting: true,
    external: [
      '@photostructure/sqlite',
      'isomorphic-git',
      'just-git',
      'just-git/server',
      'tsup',
      'esbuild',
      'miniflare',
    ],
    silent: true,
    outExtension: () => ({ js: '.mjs' }),
  })
  const { main } = await import(pathToFileURL(resolve(outDir, 'main.mjs')).href)
  process.exitCode = await main(process.argv.slice(2))
} finally {
  await rm(outDir, { recursive: true, force: true })
}
