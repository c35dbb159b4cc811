import { defineConfig, type Options } from 'tsup'
import { bundleCommander } from './build/bundle-commander.ts'
import { shareChunks } from './build/share-chunks.ts'

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
    esbuildPlugins: [shareChunks(engineOf)],
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
