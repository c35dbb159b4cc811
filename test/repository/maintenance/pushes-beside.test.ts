import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { maintain } from '../../../src/repository/maintenance/maintain.ts'
import { openRepository, type Repository } from '../../../src/repository/repository.ts'
import { git, gitLines } from '../../support/git.ts'
import { useScratch } from '../../support/hooks.ts'
import { codecs, makeHistory, packOf, push, pushHistory } from '../fork/fixture.ts'
import { cloneBytes, clonedObjects, createAnyStorage, KINDS } from './fixture.ts'

const scratch = useScratch()
const PUSHES = 8

test.each(KINDS)(
  'pushes and clones go on while a repository in %s is maintained twice over',
  async (kind) => {
    const storage = await createAnyStorage(kind)
    const path = await makeHistory(9, 12)
    await pushHistory(storage, 'a', path, 3)
    const stored = (await storage.open('a'))!
    // Whoever has the lock on a ref may have to wait for the machine.
    await stored.writeConfig(`${await stored.readConfig()}[core]\n\tfilesRefLockTimeout = 60000\n`)
    await stored.close()
    const open = async (): Promise<Repository> => {
      const repository = openRepository((await storage.open('a'))!, { codecs })
      onTestFinished(() => repository.close())
      return repository
    }
    let ended = false
    const pushing = async (): Promise<void> => {
      const repository = await open()
      let tip = await git(['rev-parse', 'main'], { cwd: path })
      for (let at = 0; at < PUSHES; at++) {
        const next = await git(['commit-tree', '-m', `${at}`, '-p', tip, 'main^{tree}'], { cwd: path })
        await git(['update-ref', 'refs/heads/pushed', next], { cwd: path })
        await push(repository, await packOf(path, [next, `^${tip}`], true), [
          { name: 'refs/heads/pushed', id: next },
        ])
        tip = next
      }
      ended = true
    }
    const maintaining = async (modes: readonly ('geometric' | 'full' | 'gc')[]): Promise<void> => {
      const repository = await open()
      for (let calls = 0; !ended || calls < modes.length; calls++)
        await maintain(repository, { mode: modes[calls % modes.length]!, force: true, gracePeriod: 60_000 })
    }
    const cloning = async (): Promise<void> => {
      const repository = await open()
      for (let clones = 0; !ended || clones === 0; clones++) {
        expect((await cloneBytes(repository)).pack.length).toBeGreaterThan(32)
        await sleep(10)
      }
    }
    await Promise.all([
      pushing(),
      maintaining(['geometric', 'full']),
      maintaining(['gc', 'geometric']),
      cloning(),
    ])
    const all = await gitLines(['rev-list', '--objects', '--no-object-names', '--all'], { cwd: path })
    expect(await clonedObjects(await open(), scratch.fresh('clone'))).toEqual([...new Set(all)].sort())
  },
)
