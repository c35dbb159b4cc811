import { cp, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { git } from '../../support/git.ts'
import { gitError } from '../../support/git-error.ts'
import { edit, makeBare, mustOpen, temporaryDirectory } from './fixture.ts'
import { stoppingFileSystem } from './stopping-file-system.ts'

const readShallow = (path: string): Promise<string> => readFile(join(path, 'shallow'), 'utf8').catch(() => '')

describe('the list of shallow commits', () => {
  test('is the file that git reads', async () => {
    const bare = await makeBare()
    const [one = ''] = bare.ids
    const two = await bare.git('commit-tree', '-p', one, '-m', 'child', `${one}^{tree}`)
    await bare.git('update-ref', 'refs/heads/a', two)
    const repository = await mustOpen(bare.path)
    await repository.commit({ shallow: { add: [two], remove: [] } })
    expect(await repository.readShallow()).toEqual([two])
    expect(await bare.git('rev-list', '--count', 'refs/heads/a')).toBe('1')
    expect(await bare.git('rev-parse', '--is-shallow-repository')).toBe('true')
    await repository.commit({ shallow: { add: [], remove: [two] } })
    expect(await readdir(bare.path)).not.toContain('shallow')
    expect(await bare.git('rev-list', '--count', 'refs/heads/a')).toBe('2')
  })

  test('is locked by whoever changes it', async () => {
    const bare = await makeBare()
    const [one = '', two = ''] = bare.ids
    await bare.git('update-ref', 'refs/heads/a', one)
    const repository = await mustOpen(bare.path)
    await writeFile(join(bare.path, 'shallow.lock'), '')
    const step = { refs: [edit('refs/heads/a', two)], shallow: { add: [two], remove: [] } }
    await expect(repository.commit(step)).rejects.toThrow(gitError('LOCKED', 'shallow'))
    expect(await bare.git('rev-parse', 'refs/heads/a')).toBe(one)
    expect(await readShallow(bare.path)).toBe('')
  })

  test('is in place before the refs, wherever a commit is killed', async () => {
    const bare = await makeBare()
    const [one = '', two = ''] = bare.ids
    await bare.git('update-ref', 'refs/heads/a', one)
    const folder = await temporaryDirectory()
    for (let allowed = 0; ; allowed++) {
      const path = join(folder, `kill-${allowed}.git`)
      await cp(bare.path, path, { recursive: true, preserveTimestamps: true })
      const { fileSystem, close } = stoppingFileSystem(allowed)
      const repository = await mustOpen(path, { fileSystem, durable: false })
      const step = { refs: [edit('refs/heads/a', two)], shallow: { add: [two], remove: [] } }
      const isDone = await repository.commit(step).then(
        () => true,
        () => false,
      )
      await close()
      const [shallow, tip] = [
        await readShallow(path),
        await git(['rev-parse', 'refs/heads/a'], { cwd: path }),
      ]
      expect(['', `${two}\n`]).toContain(shallow)
      if (tip === two) expect(shallow).toBe(`${two}\n`)
      if (!isDone) continue
      expect(tip).toBe(two)
      expect((await readdir(path)).filter((name) => name.endsWith('.lock'))).toEqual([])
      break
    }
  })
})
