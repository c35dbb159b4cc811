import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Plugin } from 'esbuild'

const COMMANDER = /node_modules[\\/]commander[\\/]/
const NAMESPACE = 'builtin-of-commander'

/**
 * Bundles commander, with its licence: as a package of several CommonJS files it takes as long to load as all else that a command needs.
 * `require` is not there in ES modules, so the modules of Node that it requires come from `process`; and the one that only its commands in
 * files of their own need, which we have none of, when it is used.
 */
export function bundleCommander(): Plugin {
  return {
    name: 'bundle-commander',
    setup(build) {
      build.onResolve({ filter: /^node:/ }, ({ path, importer }) =>
        COMMANDER.test(importer) ? { path, namespace: NAMESPACE } : undefined,
      )
      build.onLoad({ filter: /.*/, namespace: NAMESPACE }, ({ path }) => ({
        contents: provide(path),
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

function provide(module: string): string {
  const found = `process.getBuiltinModule(${JSON.stringify(module)})`
  if (module === 'node:process') return 'module.exports = process'
  if (module === 'node:child_process')
    return `module.exports = { spawn: (...given) => ${found}.spawn(...given) }`
  return `module.exports = ${found}`
}
