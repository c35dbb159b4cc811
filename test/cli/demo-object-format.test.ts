import { expect, it } from 'vitest'
import { join } from 'node:path'
import { git, gitFails } from '../support/git.ts'
import { useScratch } from '../support/hooks.ts'
import { openBareRepository } from '../../src/storage/fs/index.ts'
import { openRepository } from '../../src/repository/repository.ts'
import { createNodeCodecs } from '../../src/codec/node/index.ts'
import { createRepositoryAt } from '../../src/cli/open-repository.ts'
import { ensureFirstCommit } from '../../src/cli/serve/demo-repository.ts'
import { findFaults } from '../support/repositories.ts'

const scratch = useScratch()

it.each(['sha1', 'sha256'] as const)('a demo repository can be of %s', async (objectFormat) => {
  const path = join(scratch.path, `${objectFormat}.git`)
  await createRepositoryAt(path, objectFormat)
  const storage = await openBareRepository(path, { durable: false })
  if (storage === undefined) throw new Error('no repository')
  const repository = openRepository(storage, { codecs: createNodeCodecs() })
  await ensureFirstCommit(repository, 1_600_000_000)
  await repository.close()
  expect(await git(['rev-parse', '--show-object-format'], { cwd: path })).toBe(objectFormat)
  expect(await git(['log', '--format=%s', 'main'], { cwd: path })).toBe('Begin the demo repository')
  expect(await findFaults(path)).toEqual([])
  expect(await gitFails(['rev-parse', '--verify', 'refs/heads/other'], { cwd: path })).toContain('fatal')
})
