import { expect, it } from 'vitest'
import { git, gitBytes, gitLines, tryGit } from '../support/git.ts'
import { createHistory } from '../support/histories.ts'
import { useScratch, useServer } from '../support/hooks.ts'
import { allowPush } from '../support/repositories.ts'

const scratch = useScratch()
const server = useServer(scratch, 'packstone')

/** A served repository that is itself a clone without blobs, and whose promisor cannot be reached. */
async function serve(name: string): Promise<string> {
  const source = await createHistory('source-like', scratch.fresh('source'), { scale: 0.2 })
  for (const key of ['uploadpack.allowFilter', 'uploadpack.allowAnySHA1InWant'])
    await git(['config', key, 'true'], { cwd: source })
  const path = server.path(name)
  await git(['clone', '--quiet', '--bare', '--filter=blob:none', `file://${source}`, path])
  for (const key of ['uploadpack.allowFilter', 'uploadpack.allowAnySHA1InWant'])
    await git(['config', key, 'true'], { cwd: path })
  await git(['config', 'remote.origin.url', 'file:///nowhere'], { cwd: path })
  await allowPush(path)
  return path
}

/** Pushes a pack as it is; resolves with the report. */
async function pushRaw(url: string, id: string, pack: Uint8Array): Promise<string> {
  const command = `${'0'.repeat(40)} ${id} refs/heads/bad\0report-status`
  const head = `${(command.length + 4).toString(16).padStart(4, '0')}${command}0000`
  const response = await fetch(`${url}/git-receive-pack`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/x-git-receive-pack-request' },
    body: Buffer.concat([Buffer.from(head, 'latin1'), pack]),
  })
  return response.text()
}

async function listMissing(path: string): Promise<string[]> {
  const lines = await gitLines(['rev-list', '--objects', '--missing=print', '--all'], { cwd: path })
  return lines.filter((line) => line.startsWith('?')).map((line) => line.slice(1))
}

it.each([0, 2])('serves what it has, and says what it lacks, over protocol version %d', async (protocol) => {
  const name = `serving-${protocol}.git`
  const path = await serve(name)
  const speak = ['-c', `protocol.version=${protocol}`]
  const clone = scratch.fresh('clone')
  await git([...speak, 'clone', '--quiet', '--bare', '--filter=blob:none', server.url(name), clone])
  const missing = await listMissing(path)
  expect(missing.length).toBeGreaterThan(10)
  expect((await listMissing(clone)).sort()).toEqual([...missing].sort())

  const whole = await tryGit([
    ...speak,
    'clone',
    '--quiet',
    '--bare',
    server.url(name),
    scratch.fresh('whole'),
  ])
  expect(whole.code).toBe(128)
  expect(whole.stderr).toContain('remote: aborting due to an object that is absent from this partial clone')
  expect(missing).toContain(/^remote: fatal: unable to read ([0-9a-f]{40})\s*$/m.exec(whole.stderr)?.[1])

  const [absent = ''] = missing
  const byId = await tryGit([...speak, 'fetch', '--quiet', server.url(name), absent], { cwd: clone })
  expect(byId.code).toBe(128)
  expect(byId.stderr).toContain(`not our ref ${absent}`)
  expect(server.readLog()).not.toMatch(/ 5\d\d /)
})

it('takes commits that name what it lacks, and refuses what nobody has', async () => {
  const name = 'pushed.git'
  const path = await serve(name)
  const clone = scratch.fresh('clone')
  await git(['clone', '--quiet', '--bare', '--filter=blob:none', server.url(name), clone])
  const commit = async (entry: string): Promise<string> => {
    const entries = await git(['ls-tree', 'main'], { cwd: clone })
    const tree = await git(['mktree', '--missing'], { cwd: clone, input: `${entries}\n${entry}\n` })
    return git(['commit-tree', tree, '-p', 'main', '-m', 'new'], { cwd: clone })
  }
  const blob = await git(['hash-object', '-w', '--stdin'], { cwd: clone, input: 'new\n' })
  const whole = await commit(`100644 blob ${blob}\tnew`)
  await git(['push', '--quiet', server.url(name), `${whole}:refs/heads/main`], { cwd: clone })
  expect(await git(['rev-parse', 'main'], { cwd: path })).toBe(whole)

  const [held = ''] = await gitLines(['ls-tree', '-r', '--object-only', 'main'], { cwd: clone })
  const promised = await commit(`100644 blob ${held}\tmoved`)
  // By the paths alone git would not see that the other side has it already.
  const dense = ['-c', 'pack.useSparse=false']
  await git([...dense, 'push', '--quiet', server.url(name), `${promised}:refs/heads/moved`], { cwd: clone })
  const nobodys = await commit(`100644 blob ${'1'.repeat(40)}\tnobodys`)
  const objects = await git(
    ['rev-list', '--objects', '--no-object-names', '--missing=allow-any', nobodys, '^main'],
    {
      cwd: clone,
    },
  )
  const pack = await gitBytes(['pack-objects', '--stdout', '--quiet'], { cwd: clone, input: `${objects}\n` })
  expect(await pushRaw(server.url(name), nobodys, pack)).toContain(
    'ng refs/heads/bad missing necessary objects',
  )
  expect(await git(['for-each-ref', '--format=%(refname)', 'refs/heads/bad'], { cwd: path })).toBe('')
  await git(['fsck', '--connectivity-only'], { cwd: path })
})
