import { createWriteStream } from 'node:fs'
import { rm, stat } from 'node:fs/promises'
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { git, gitEnvironment } from '../test/support/git.ts'
import { packstoneCommand } from '../test/support/servers/packstone.ts'
import type { Corpus } from './corpus.ts'
import { measure, type Contender, type Measurement } from './measure.ts'

/**
 * A fresh pack of everything, with deltas searched anew, window 10 and depth 50, as one process from start to end that writes to
 * standard output; git on one thread, as we are. Every pack is verified by git once the measuring is over.
 */
export async function benchRepack(corpus: Corpus, folder: string, rounds: number): Promise<Measurement[]> {
  const out = (name: string): string => join(folder, `${corpus.name}-repack-${name}.pack`)
  const search = ['--window=10', '--depth=50', '--no-reuse-object']
  const contender = (name: string, label: string, program: string, args: readonly string[]): Contender => ({
    name: label,
    run: async () => {
      await runInto(out(name), program, args)
      return (await stat(out(name))).size
    },
  })
  const packing = [packstoneCommand(), 'pack', corpus.repository, '--all', '--stdout', '--quiet', ...search]
  const contenders: Contender[] = [
    contender('git', 'git pack-objects --threads=1', 'git', [
      ...['-C', corpus.repository, 'pack-objects', '--all', '--stdout', '-q', '--threads=1'],
      // Ofs-deltas as we write them, and no stored pack sent as it is.
      ...['--delta-base-offset', '--no-use-bitmap-index', '--no-reuse-delta', ...search],
    ]),
    contender('node', 'packstone, node codecs', process.execPath, packing),
    contender('portable', 'packstone, portable codecs', process.execPath, [...packing, '--portable']),
  ]
  const measurements = await measure('repack', corpus.name, contenders, rounds)
  for (const name of ['node', 'portable']) {
    await git(['index-pack', '--strict', out(name)], { cwd: corpus.repository, timeout: 3_600_000 })
  }
  for (const name of ['git', 'node', 'portable']) await rm(out(name))
  return measurements
}

/** Runs a program to its end with a file as its standard output. Rejects when it fails. */
function runInto(path: string, program: string, args: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const file = createWriteStream(path)
    file.on('error', reject)
    file.on('open', (descriptor) => {
      const child = spawn(program, args, {
        env: gitEnvironment(),
        stdio: ['ignore', descriptor, 'inherit'],
      })
      child.on('error', reject)
      child.on('close', (code) => {
        file.close()
        if (code === 0) resolve()
        else reject(new Error(`${program} ${args.join(' ')} ended with ${String(code)}`))
      })
    })
  })
}
