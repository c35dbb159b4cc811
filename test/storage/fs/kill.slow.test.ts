import { spawn } from 'node:child_process'
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { build } from 'tsup'
import { expect, test } from 'vitest'
import { tryGit } from '../../support/git.ts'
import { makeBare, temporaryDirectory } from './fixture.ts'
import { stateAfter } from './kill-states.ts'

const KILLS = 300

test(
  'an atomic transaction killed at any instant moves all refs or none, and no acknowledged one is lost',
  { timeout: 600_000 },
  async () => {
    const folder = await temporaryDirectory()
    const script = join(folder, 'child.mjs')
    await build({
      entry: { child: join(import.meta.dirname, 'kill-child.ts') },
      format: 'esm',
      outDir: folder,
      outExtension: () => ({ js: '.mjs' }),
      config: false,
      silent: true,
    })
    const bare = await makeBare({ commits: 5 })
    let round = 0
    let inDoubt = 0
    for (let kill = 0; kill < KILLS; kill++) {
      const acknowledged = await runAndKill(script, [bare.path, String(round), ...bare.ids], kill % 40)
      for (const name of await readdir(bare.path, { recursive: true })) {
        if (name.endsWith('.lock')) await rm(join(bare.path, name))
        else expect(name).not.toMatch(/\.new$|tmp_|packed-refs\./)
      }
      // The ref that is also edited on its own may be between two transactions.
      const refs = (await bare.refs()).filter((line) => !line.startsWith('refs/heads/loose '))
      const last = acknowledged ?? round - 1
      const possible = [last, last + 1].map((at) =>
        [...stateAfter(at, bare.ids)]
          .map(([name, id]) => `${name} ${id}`)
          .filter((line) => !line.startsWith('refs/heads/loose ')),
      )
      if (last < 0) possible[0] = []
      expect(possible).toContainEqual(refs)
      const moved = JSON.stringify(refs) === JSON.stringify(possible[1])
      if (moved) inDoubt++
      round = moved ? last + 2 : last + 1
      if (kill % 20 === 0) {
        expect((await tryGit(['pack-refs', '--all'], { cwd: bare.path })).code).toBe(0)
        expect((await tryGit(['fsck', '--strict'], { cwd: bare.path })).code).toBe(0)
      }
    }
    expect(round).toBeGreaterThan(KILLS / 4)
    expect(inDoubt).toBeGreaterThan(0)
  },
)

/** Starts the process, kills it some milliseconds after its first sign of life, and gives the last round it finished. */
function runAndKill(
  script: string,
  args: readonly string[],
  milliseconds: number,
): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [script, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
    let output = ''
    child.stdout.on('data', (chunk: Buffer) => {
      if (output === '') setTimeout(() => child.kill('SIGKILL'), milliseconds * Math.random())
      output += chunk.toString()
    })
    child.on('error', reject)
    child.on('close', () => {
      const rounds = output.split('\n').slice(0, -1)
      const last = rounds.at(-1)
      resolve(last === undefined ? undefined : Number(last))
    })
  })
}
