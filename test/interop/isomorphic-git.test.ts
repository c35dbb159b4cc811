import fs from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as isomorphic from 'isomorphic-git'
import http from 'isomorphic-git/http/node'
import { expect, it } from 'vitest'
import { git } from '../support/git.ts'
import { createHistory } from '../support/histories.ts'
import { useScratch, useServer } from '../support/hooks.ts'
import { allowPush, findFaults } from '../support/repositories.ts'
import { cloneWorkTree } from '../support/work-tree.ts'

const scratch = useScratch()
const server = useServer(scratch)
const author = { name: 'A U Thor', email: 'author@example.com', timestamp: 1_700_000_000, timezoneOffset: 0 }

it('isomorphic-git clones, pushes, fetches, forces and deletes', async () => {
  const served = await createHistory('source-like', server.path('iso.git'), { scale: 0.2 })
  await allowPush(served)
  const url = server.url('iso.git')
  const dir = scratch.fresh('iso')
  await isomorphic.clone({ fs, http, dir, url })
  expect(await isomorphic.resolveRef({ fs, dir, ref: 'HEAD' })).toBe(
    await git(['rev-parse', 'main'], { cwd: served }),
  )

  await writeFile(join(dir, 'added.txt'), 'added\n')
  await isomorphic.add({ fs, dir, filepath: 'added.txt' })
  const added = await isomorphic.commit({ fs, dir, message: 'add', author })
  const pushed = await isomorphic.push({ fs, http, dir, url, ref: 'main', remote: 'origin' })
  expect(pushed.ok).toBe(true)
  expect(await git(['rev-parse', 'main'], { cwd: served })).toBe(added)

  const other = await cloneWorkTree(url, scratch.fresh('iso-other'), [], 20_000_000)
  const next = await other.commit('next.txt', 'next\n')
  await other.git('push', '--quiet', 'origin', 'main', 'main:refs/heads/side')
  const fetched = await isomorphic.fetch({ fs, http, dir, url, ref: 'main', remote: 'origin', tags: true })
  expect(fetched.fetchHead).toBe(next)

  await isomorphic.branch({ fs, dir, ref: 'back', object: added, checkout: false })
  const forced = await isomorphic.push({
    fs,
    http,
    dir,
    url,
    ref: 'back',
    remoteRef: 'main',
    remote: 'origin',
    force: true,
  })
  expect(forced.ok).toBe(true)
  expect(await git(['rev-parse', 'main'], { cwd: served })).toBe(added)

  await isomorphic.branch({ fs, dir, ref: 'side', checkout: false })
  await isomorphic.push({
    fs,
    http,
    dir,
    url,
    ref: 'side',
    remoteRef: 'side',
    remote: 'origin',
    delete: true,
  })
  const refs = await isomorphic.listServerRefs({ http, url, prefix: 'refs/heads/' })
  expect(refs.map(({ ref }) => ref)).not.toContain('refs/heads/side')
  expect(refs.find(({ ref }) => ref === 'refs/heads/main')?.oid).toBe(added)
  expect(await findFaults(served)).toEqual([])
})

it('isomorphic-git clones to a depth', async () => {
  await createHistory('source-like', server.path('iso-depth.git'), { scale: 0.2 })
  const dir = scratch.fresh('iso-depth')
  await isomorphic.clone({ fs, http, dir, url: server.url('iso-depth.git'), depth: 3, singleBranch: true })
  expect(await isomorphic.log({ fs, dir })).toHaveLength(3)
})

it('isomorphic-git makes the first push to an empty repository', async () => {
  const served = await server.createRepository('iso-empty.git')
  const dir = scratch.fresh('iso-empty')
  await isomorphic.init({ fs, dir, defaultBranch: 'main' })
  await writeFile(join(dir, 'a'), '1')
  await isomorphic.add({ fs, dir, filepath: 'a' })
  const id = await isomorphic.commit({ fs, dir, message: 'first', author })
  await isomorphic.push({ fs, http, dir, url: server.url('iso-empty.git'), ref: 'main' })
  expect(await git(['rev-parse', 'main'], { cwd: served })).toBe(id)
})
