import { dirname, relative, resolve } from 'node:path'
import type { Plugin } from 'esbuild'

const NAMESPACE = 'share-chunks'

/**
 * Lets modules come in the same chunks as others. With splitting on, esbuild makes one chunk for each set of entry points that reach the
 * same files: a few dozen entry points make a hundred small files, and a process takes longer to find and link those than to compile
 * what is in them. Here an entry point, or a module that is imported when it is needed, counts as one that also reaches all that the
 * modules import which `othersOf` gives for its path. Of what it does not use nothing is run, or kept by whoever bundles it.
 */
export function shareChunks(othersOf: (path: string) => readonly string[]): Plugin {
  return {
    name: 'share-chunks',
    setup(build) {
      build.onResolve({ filter: /\.ts$/ }, ({ kind, path, resolveDir }) => {
        if (kind !== 'entry-point' && kind !== 'dynamic-import') return undefined
        const found = resolve(resolveDir, path)
        const others = othersOf(relative('', found))
        return others.length === 0 ? undefined : { path: found, namespace: NAMESPACE, pluginData: others }
      })
      // What the package says of its modules, that importing them does nothing, does not hold for its programs.
      build.onResolve({ filter: /.*/, namespace: NAMESPACE }, ({ path, importer }) =>
        path === importer ? { path, sideEffects: true } : undefined,
      )
      build.onLoad({ filter: /.*/, namespace: NAMESPACE }, ({ path, pluginData }) => {
        const imports = (pluginData as readonly string[]).map(
          (other) => `import ${JSON.stringify(resolve(other))}`,
        )
        const contents = [`export * from ${JSON.stringify(path)}`, ...imports].join('\n')
        return { contents, loader: 'ts', resolveDir: dirname(path) }
      })
    },
  }
}
