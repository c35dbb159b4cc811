import { spawn } from 'node:child_process'
import { expect, test } from 'vitest'
import { git } from '../../support/git.ts'
import { createHistory } from '../../support/histories.ts'
import { useScratch } from '../../support/hooks.ts'
import { createRandom } from '../../support/random.ts'
import { findFaults, readContents } from '../../support/repositories.ts'
import { packstoneCommand } from '../../support/servers/packstone.ts'
import { agePacks } from './fixture.ts'

const scratch = useScratch()
const ROUNDS = 40

/** Runs `packstone maintain` and kills it after so many milliseconds; whether it came to its end before. */
function maintainAndKill(args: readonly string[], after: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [packstoneCommand(), 'maintain', ...args], { stdio: 'ignore' })
    const timer = setTimeout(() => child.kill('SIGKILL'), after)
    child.on('error', reject)
    child.on('close', (code) => {
      clearTimeout(timer)
      resolve(code !== null)
    })
  })
}

test('maintenance that is killed at any instant loses nothing, and the next one comes to its end', async () => {
  const path = await createHistory('source-like', scratch.fresh('killed'), { scale: 0.4 })
  await git(['repack', '-adq'], { cwd: path })
  const random = createRandom(11)
  const tree = await git(['rev-parse', 'HEAD^{tree}'], { cwd: path })
  let killed = 0
  for (let round = 0; round < ROUNDS; round++) {
    // Something to do: commits in packs and loose, and some that nothing names.
    for (let k = 0; k < 4; k++) {
      const tip = await git(['commit-tree', '-m', `${round} ${k}`, '-p', 'HEAD', tree], { cwd: path })
      await git(['update-ref', `refs/heads/new/${round % 7}-${k}`, tip], { cwd: path })
      if (k === 1) await git(['repack', '-dq'], { cwd: path })
    }
    const before = await readContents(path)
    const mode = random.pick([['--geometric'], ['--full', '--force'], ['--gc', '--grace=1h']])
    if (!(await maintainAndKill([...mode, path], 80 + random.below(1200)))) killed++
    expect(await readContents(path)).toEqual(before)
    await agePacks(path, 0.1)
    if (round % 10 === 9) expect(await findFaults(path)).toEqual([])
  }
  expect(killed).toBeGreaterThan(ROUNDS / 8)
  const before = await readContents(path)
  expect(await maintainAndKill(['--full', path], 100_000)).toBe(true)
  expect(await readContents(path)).toEqual(before)
  expect(await findFaults(path)).toEqual([])
})
