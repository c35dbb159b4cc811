import { readFile } from 'node:fs/promises'
import { dirname, join, relative, resolve } from 'node:path'
import type { Plugin } from 'esbuild'
import { defineConfig, type Options } from 'tsup'

const SHARING = 'share-chunks'
const COMMANDER = /node_modules[\\/]commander[\\/]/
const COMMANDER_BUILTINS = 'builtin-of-commander'

const library = {
  index: 'src/index.ts',
  client: 'src/client/index.ts',
  http: 'src/http/index.ts',
  hub: 'src/hub/index.ts',
  'hub/connect': 'src/hub/binding/rpc/connect-artifacts.ts',
  'hub/entrypoint': 'src/hub/binding/rpc/artifacts-entrypoint.ts',
  'hub/conformance': 'src/hub/registry/conformance/index.ts',
  'codec/node': 'src/codec/node/index.ts',
  'codec/pako': 'src/codec/pako/index.ts',
  'codec/portable': 'src/codec/portable/index.ts',
  'storage/memory': 'src/storage/memory/index.ts',
  'storage/fs': 'src/storage/fs/index.ts',
  'storage/r2': 'src/storage/r2/index.ts',
  'storage/s3': 'src/storage/s3/index.ts',
  'storage/sqlite': 'src/storage/sqlite/index.ts',
  'storage/sqlite/node': 'src/storage/sqlite/drivers/node.ts',
  'storage/sqlite/better-sqlite3': 'src/storage/sqlite/drivers/better-sqlite3.ts',
  'storage/sqlite/bun': 'src/storage/sqlite/drivers/bun.ts',
  'storage/sqlite/durable-object': 'src/storage/sqlite/drivers/durable-object.ts',
  'storage/sqlite-r2': 'src/storage/sqlite-r2/index.ts',
  'storage/conformance': 'src/storage/conformance/index.ts',
  'hosts/node': 'src/hosts/node/index.ts',
  'hosts/workers': 'src/hosts/workers/index.ts',
  threads: 'src/hosts/threads/index.ts',
}

/** What is started, not imported. */
const programs = {
  cli: 'src/cli/main.ts',
  'threads-worker': 'src/hosts/threads/worker.ts',
}

/** The engine is one file for all that use it. What is left out is small, and loaded alone. */
const engineOf = (path: string): readonly string[] =>
  path.startsWith('src/hub/binding/rpc/') ? [] : [library.index]

const command = (name: string): string => `src/cli/commands/${name}.ts`
/** Each of these commands loads the files of those before it, and one of its own. */
const LADDER = [command('index-pack'), command('cat-file'), command('serve-bare')]
/** What goes with the commands on the first rungs; servers need all of them, and everything else the first two. */
const RUNGS: Readonly<Record<string, number>> = {
  [programs.cli]: 0,
  [command('index-pack')]: 0,
  [command('verify-pack')]: 1,
  [programs['threads-worker']]: 1,
  'src/codec/portable/index.ts': 1,
  'src/hosts/node/keep-heap-small.ts': 1,
  'src/hosts/threads/index.ts': 1,
  'src/pack/indexer/windowed-indexer.ts': 1,
  [command('cat-file')]: 1,
  [command('serve-hub')]: 3,
  [command('serve-plain')]: 3,
}
const commandsOf = (path: string): readonly string[] => LADDER.slice(0, RUNGS[path] ?? 2)

const shape = {
  format: 'esm',
  target: 'node20',
  splitting: true,
  removeNodeProtocol: false,
  sourcemap: true,
} satisfies Options

let beginPrograms = (): void => undefined
const cleaned = new Promise<void>((resolve) => {
  beginPrograms = resolve
})

export default defineConfig([
  {
    ...shape,
    entry: library,
    platform: 'neutral',
    external: ['@photostructure/sqlite', /^(?:cloudflare|node):/],
    dts: true,
    clean: true,
    minifySyntax: true,
    esbuildPlugins: [inlineNumbers(), shareChunks(engineOf)],
    plugins: [
      {
        name: 'cleaned',
        buildStart: () => {
          beginPrograms()
        },
      },
    ],
  },
  {
    ...shape,
    entry: programs,
    platform: 'node',
    external: ['@photostructure/sqlite'],
    noExternal: ['commander'],
    esbuildOptions: (options) => {
      options.chunkNames = 'program-[hash]'
    },
    esbuildPlugins: [bundleCommander(), shareChunks(commandsOf)],
    plugins: [{ name: 'after-cleaning', buildStart: () => cleaned }],
  },
])

/**
 * Lets modules come in the same chunks as others. With splitting on, esbuild makes one chunk for each set of entry points that reach the
 * same files: a few dozen entry points make a hundred small files, and a process takes longer to find and link those than to compile
 * what is in them. Here an entry point, or a module that is imported when it is needed, counts as one that also reaches all that the
 * modules import which `othersOf` gives for its path. Of what it does not use nothing is run, or kept by whoever bundles it.
 */
function shareChunks(othersOf: (path: string) => readonly string[]): Plugin {
  return {
    name: 'share-chunks',
    setup(build) {
      // The imports below are meant to bring nothing in.
      build.initialOptions.logOverride = { 'ignored-bare-import': 'silent' }
      build.onResolve({ filter: /\.ts$/ }, ({ kind, path, resolveDir }) => {
        if (kind !== 'entry-point' && kind !== 'dynamic-import') return undefined
        const found = resolve(resolveDir, path)
        const others = othersOf(relative('', found))
        return others.length === 0 ? undefined : { path: found, namespace: SHARING, pluginData: others }
      })
      // What the package says of its modules, that importing them does nothing, does not hold for its programs.
      build.onResolve({ filter: /.*/, namespace: SHARING }, ({ path, importer }) =>
        path === importer ? { path, sideEffects: true } : undefined,
      )
      build.onLoad({ filter: /.*/, namespace: SHARING }, ({ path, pluginData }) => {
        const imports = (pluginData as readonly string[]).map(
          (other) => `import ${JSON.stringify(resolve(other))}`,
        )
        const contents = [`export * from ${JSON.stringify(path)}`, ...imports].join('\n')
        return { contents, loader: 'ts', resolveDir: dirname(path) }
      })
    },
  }
}

/** A constant that is a number: `const ONE = 1`, `export const MEGABYTE = 1 << 20`, `const DAY = 24 * 60 * 60`. */
const NUMBER = /^(export )?const ([A-Z][A-Z0-9_]*) = (-?\d[\da-fA-Fox_]*(?: (?:<<|\*) \d[\d_]*)*)$/gm
const NUMBERS = 'numbers-of'

/**
 * Has numbers that are constants of a module written where they are used. esbuild does so across modules, if the module of a constant
 * imports nothing: each module gets one of its own for them here. Whoever bundles the package has a hundredth less to upload. It takes `minifySyntax`.
 */
function inlineNumbers(): Plugin {
  return {
    name: 'inline-numbers',
    setup(build) {
      build.onLoad({ filter: /[\\/]src[\\/].*\.ts$/, namespace: 'file' }, async ({ path }) => {
        const names: string[] = []
        const exported: string[] = []
        const rest = (await readFile(path, 'utf8')).replace(NUMBER, (_line, isExported, name: string) => {
          names.push(name)
          if (isExported !== undefined) exported.push(name)
          return ''
        })
        if (names.length === 0) return undefined
        const from = JSON.stringify(`${NUMBERS}:${path}`)
        // On the first line, so that all others keep their numbers.
        const imports = `import { ${names.join(', ')} } from ${from}; export { ${exported.join(', ')} };`
        return { contents: `${imports}${rest}`, loader: 'ts', resolveDir: dirname(path) }
      })
      build.onResolve({ filter: /^numbers-of:/ }, ({ path }) => ({
        path: path.slice(NUMBERS.length + 1),
        namespace: NUMBERS,
        sideEffects: false,
      }))
      build.onLoad({ filter: /.*/, namespace: NUMBERS }, async ({ path }) => {
        const lines = [...(await readFile(path, 'utf8')).matchAll(NUMBER)].map(
          ([, , name = '', value = '']) => `export const ${name} = ${numberOf(value)}`,
        )
        return { contents: lines.join('\n'), loader: 'ts' }
      })
    },
  }
}

/** @param expression numbers with one operator, or several of one kind, between them. */
function numberOf(expression: string): number {
  const [first = 0, ...others] = expression
    .split(/ (?:<<|\*) /)
    .map((text) => Number(text.replaceAll('_', '')))
  const isShift = expression.includes('<<')
  return others.reduce((result, other) => (isShift ? result << other : result * other), first)
}

/**
 * Bundles commander, with its licence: as a package of several CommonJS files it takes as long to load as all else that a command needs.
 * `require` is not there in ES modules, so the modules of Node that it requires come from `process`; and the one that only its commands in
 * files of their own need, which we have none of, when it is used.
 */
function bundleCommander(): Plugin {
  return {
    name: 'bundle-commander',
    setup(build) {
      build.onResolve({ filter: /^node:/ }, ({ path, importer }) =>
        COMMANDER.test(importer) ? { path, namespace: COMMANDER_BUILTINS } : undefined,
      )
      build.onLoad({ filter: /.*/, namespace: COMMANDER_BUILTINS }, ({ path }) => ({
        contents: provideBuiltin(path),
        loader: 'js',
      }))
      build.onLoad({ filter: /commander[\\/]index\.js$/ }, async ({ path }) => {
        const licence = await readFile(join(dirname(path), 'LICENSE'), 'utf8')
        const program = await readFile(path, 'utf8')
        return { contents: `/*! commander\n${licence}*/\n${program}`, loader: 'js' }
      })
    },
  }
}

function provideBuiltin(module: string): string {
  const found = `process.getBuiltinModule(${JSON.stringify(module)})`
  if (module === 'node:process') return 'module.exports = process'
  if (module === 'node:child_process')
    return `module.exports = { spawn: (...given) => ${found}.spawn(...given) }`
  return `module.exports = ${found}`
}
