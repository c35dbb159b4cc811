import { readFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, test } from 'vitest'

const dist = resolve(import.meta.dirname, '../../dist')

interface Manifest {
  readonly exports: Readonly<Record<string, string | { readonly import: string }>>
}

/** The built file of every entry point, by its path in the package. */
async function listEntries(): Promise<ReadonlyMap<string, string>> {
  const manifest = JSON.parse(await readFile(join(dist, '../package.json'), 'utf8')) as Manifest
  return new Map(
    Object.entries(manifest.exports).flatMap(([name, target]) =>
      typeof target === 'string' ? [] : [[name, join(dist, '..', target.import)] as const],
    ),
  )
}

/** The files that a process loads for one of the built files. */
async function listLoaded(file: string, seen = new Set<string>()): Promise<ReadonlySet<string>> {
  if (seen.has(file)) return seen
  seen.add(file)
  const text = await readFile(file, 'utf8')
  for (const [, path = ''] of text.matchAll(/^(?:import|export|\}) ?(?:[^;'"]*from )?"(\.[^"]+)";$/gm)) {
    await listLoaded(join(dirname(file), path), seen)
  }
  return seen
}

test('no module, and so no class, is there twice, whichever entry points it comes through', async () => {
  const homes = new Map<string, Set<string>>()
  for (const entry of (await listEntries()).values()) {
    for (const file of await listLoaded(entry)) {
      // The bundler says before the code of each module where it is from.
      for (const [, module = ''] of (await readFile(file, 'utf8')).matchAll(/^\/\/ (src\/\S+)$/gm)) {
        homes.set(module, (homes.get(module) ?? new Set()).add(file))
      }
    }
  }
  expect(homes.has('src/errors.ts')).toBe(true)
  expect([...homes].filter(([, files]) => files.size > 1)).toEqual([])
})

test('errors of every entry point are instances of the class that the engine exports', async () => {
  const entries = await listEntries()
  const load = (name: string): Promise<Record<string, (options: object) => unknown>> =>
    import(/* @vite-ignore */ pathToFileURL(entries.get(name) ?? '').href) as Promise<
      Record<string, (options: object) => unknown>
    >
  const { GitError } = await load('.')
  for (const [name, create, options] of [
    ['./codec/node', 'createNodeCodecs', { level: 10 }],
    ['./codec/portable', 'createPortableCodecs', { level: 10 }],
    ['./threads', 'createThreads', { count: 0 }],
  ] as const) {
    const loaded = await load(name)
    expect(() => loaded[create]?.(options), name).toThrow(GitError as unknown as typeof Error)
  }
})

test('the engine, and each command that works on packs, is loaded as a few files', async () => {
  const entries = await listEntries()
  expect((await listLoaded(entries.get('.') ?? '')).size).toBeLessThanOrEqual(3)
  expect((await listLoaded(entries.get('./http') ?? '')).size).toBeLessThanOrEqual(6)
  expect((await listLoaded(join(dist, 'cli.js'))).size).toBeLessThanOrEqual(4)
})
