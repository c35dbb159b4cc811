import { readFile } from 'node:fs/promises'
import { builtinModules } from 'node:module'
import { join, resolve } from 'node:path'
import { build } from 'esbuild'
import { describe, expect, test } from 'vitest'
import tsup from '../../tsup.config.ts'

const root = resolve(import.meta.dirname, '../..')

/** Entry points that are made for one runtime, and what of it they may import; all others run anywhere. */
const MADE_FOR: Readonly<Record<string, RegExp>> = {
  cli: /^node:/,
  'codec/node': /^node:/,
  'hosts/node': /^node:/,
  'hosts/workers': /^cloudflare:/,
  'hub/entrypoint': /^cloudflare:/,
  'storage/fs': /^node:/,
  'storage/sqlite/node': /^node:/,
  threads: /^node:/,
  'threads-worker': /^node:/,
}

/** Programs that another entry point starts: nobody imports them. */
const STARTED = ['threads-worker']

interface Manifest {
  readonly exports: Readonly<Record<string, string | { readonly import: string; readonly types: string }>>
  readonly bin: Readonly<Record<string, string>>
  readonly dependencies: Readonly<Record<string, string>>
  readonly optionalDependencies: Readonly<Record<string, string>>
}

async function readManifest(): Promise<Manifest> {
  return JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as Manifest
}

function readEntries(): ReadonlyMap<string, string> {
  const configs: readonly object[] = Array.isArray(tsup) ? tsup : [tsup]
  const entries = configs.flatMap((config) =>
    'entry' in config ? Object.entries(config.entry as Readonly<Record<string, string>>) : [],
  )
  if (entries.length === 0) throw new Error('tsup.config.ts lists no entry points')
  return new Map(entries)
}

/** What the bundle of an entry point, dependencies included, imports from outside. */
async function findOutsideImports(source: string, external: readonly string[]): Promise<readonly string[]> {
  const { metafile } = await build({
    entryPoints: [join(root, source)],
    bundle: true,
    write: false,
    metafile: true,
    format: 'esm',
    platform: 'neutral',
    mainFields: ['module', 'main'],
    external: [...builtinModules, 'node:*', 'bun:*', 'cloudflare:*', ...external],
    logLevel: 'silent',
    outdir: '/nowhere',
  })
  const imports = Object.values(metafile.outputs).flatMap((output) => output.imports)
  return [...new Set(imports.filter((found) => found.external).map((found) => found.path))].sort()
}

describe('an entry point', () => {
  const entries = readEntries()

  test.each([...entries])('%s imports nothing of another runtime', async (name, source) => {
    const { optionalDependencies } = await readManifest()
    const own = MADE_FOR[name]
    const loose = Object.keys(optionalDependencies)
    // Commander and the progress bar are written for Node's older way of naming its modules.
    const external = name === 'cli' ? [...loose, 'commander', 'cli-progress'] : loose
    const outside = await findOutsideImports(source, external)
    const foreign = outside.filter((path) => !external.includes(path) && own?.test(path) !== true)
    expect(foreign).toEqual([])
  })

  test('is built exactly when the package exports it or runs it', async () => {
    const manifest = await readManifest()
    const exported = Object.values(manifest.exports)
      .map((target) => (typeof target === 'string' ? target : target.import))
      .concat(Object.values(manifest.bin))
      .filter((path) => path.endsWith('.js'))
      .map((path) => path.replace(/^\.?\/?dist\//, '').replace(/\.js$/, ''))
      .concat(STARTED)
    expect([...entries.keys()].sort()).toEqual(exported.sort())
  })

  test('has a row in the table of the README', async () => {
    const [manifest, readme] = await Promise.all([readManifest(), readFile(join(root, 'README.md'), 'utf8')])
    const missing = Object.keys(manifest.exports)
      .filter((path) => path !== './package.json')
      .map((path) => `\`packstone${path.slice(1)}\``)
      .filter((name) => !readme.includes(name))
    expect(missing).toEqual([])
  })
})
