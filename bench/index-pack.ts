import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { packstoneCommand } from '../test/support/servers/packstone.ts'
import { runCommand } from './command.ts'
import type { Corpus } from './corpus.ts'
import { measure, type Contender, type Measurement } from './measure.ts'

/** `index-pack` of a whole pack, as one process from start to end; git on one thread, as we are. */
export async function benchIndexPack(corpus: Corpus, folder: string, rounds: number): Promise<Measurement[]> {
  const pack = `${corpus.pack}.pack`
  const out = (name: string): string => join(folder, `${corpus.name}-${name}.idx`)
  const packstone = (name: string, ...args: string[]): Contender => ({
    name: `packstone, ${name} codecs`,
    run: async () => {
      const args_ = [packstoneCommand(), 'index-pack', '--quiet', ...args, '--out', out(name), pack]
      await runCommand(process.execPath, args_)
      return (await stat(out(name))).size
    },
  })
  const contenders: Contender[] = [
    {
      name: 'git index-pack --threads=1',
      run: async () => {
        await runCommand('git', ['index-pack', '--threads=1', '-o', out('git'), pack])
        return (await stat(out('git'))).size
      },
    },
    packstone('node'),
    packstone('portable', '--portable'),
  ]
  const measurements = await measure('index-pack', corpus.name, contenders, rounds)
  const expected = await readFile(out('git'))
  for (const name of ['node', 'portable']) {
    if (!(await readFile(out(name))).equals(expected))
      throw new Error(`${out(name)} is not the index that git made`)
  }
  return measurements
}
