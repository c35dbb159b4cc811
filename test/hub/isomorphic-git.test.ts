import * as fs from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import isomorphicGit from 'isomorphic-git'
import http from 'isomorphic-git/http/node'
import { expect, it } from 'vitest'
import { git } from '../support/git.ts'
import { useScratch } from '../support/hooks.ts'
import { startTestHub, withToken, type CreatedResult } from './support.ts'

const scratch = useScratch()

it('isomorphic-git pushes and clones with a token, and is told when it has none', async () => {
  const hub = await startTestHub()
  const { remote, token } = await hub.result<CreatedResult>('POST', '/namespaces/team/repos', { name: 'a' })
  const secret = token.replace(/\?.*/, '')
  const onAuth = (): { username: string; password: string } => ({ username: 'x', password: secret })
  const dir = scratch.fresh('work')
  await mkdir(dir)
  await isomorphicGit.init({ fs, dir, defaultBranch: 'main' })
  await writeFile(join(dir, 'file'), 'content\n')
  await isomorphicGit.add({ fs, dir, filepath: 'file' })
  const author = { name: 'A', email: 'a@example.com' }
  const oid = await isomorphicGit.commit({ fs, dir, message: 'first', author })
  const pushed = await isomorphicGit.push({ fs, http, dir, url: remote, ref: 'main', onAuth })
  expect(pushed.ok).toBe(true)
  expect(await git(['ls-remote', withToken(remote, secret), 'refs/heads/main'])).toBe(
    `${oid}\trefs/heads/main`,
  )

  const clone = scratch.fresh('clone')
  await isomorphicGit.clone({ fs, http, dir: clone, url: remote, onAuth })
  expect(await readFile(join(clone, 'file'), 'utf8')).toBe('content\n')
  const refused = isomorphicGit.clone({ fs, http, dir: scratch.fresh('none'), url: remote })
  await expect(refused).rejects.toThrow('401')
})
