import { defineConfig } from 'tsup'

/** One bundle per public entry point; code they share goes into common chunks. */
export default defineConfig({
  entry: {
    index: 'src/index.ts',
    client: 'src/client/index.ts',
    http: 'src/http/index.ts',
    hub: 'src/hub/index.ts',
    'hub/conformance': 'src/hub/registry/conformance/index.ts',
    'codec/node': 'src/codec/node/index.ts',
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
    'storage/conformance': 'src/storage/conformance/index.ts',
    'hosts/node': 'src/hosts/node/index.ts',
    cli: 'src/cli/main.ts',
  },
  format: 'esm',
  target: 'node20',
  platform: 'neutral',
  splitting: true,
  dts: true,
  clean: true,
  external: ['@photostructure/sqlite'],
  sourcemap: true,
})
