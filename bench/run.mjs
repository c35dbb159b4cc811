#!/usr/bin/env node
// Builds the benchmarks, which are TypeScript like everything else, and runs them: npm run bench -- --help
import { resolve } from 'node:path'
import process from 'node:process'
import { pathToFileURL } from 'node:url'
import { build } from 'tsup'

const outDir = resolve('node_modules/.cache/packstone-bench')
await build({
  config: false,
  entry: { main: 'bench/main.ts' },
  outDir,
  format: 'esm',
  target: 'node20',
  platform: 'node',
  silent: true,
  clean: true,
  outExtension: () => ({ js: '.mjs' }),
})
const { main } = await import(pathToFileURL(resolve(outDir, 'main.mjs')).href)
process.exitCode = await main(process.argv.slice(2))
