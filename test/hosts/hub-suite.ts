import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { git, gitFails, gitLines } from '../support/git.ts'
import { useScratch } from '../support/hooks.ts'
import { RestClient, withToken, type Created, type RunningHub } from '../support/hubs/rest-client.ts'

/** A work tree with ten commits, and a file that is no text and does not shrink. */
async function makeHistory(path: string): Promise<void> {
  await git(['init', '--quiet', '-b', 'main', path])
  await writeFile(
    join(path, 'large'),
    new Uint8Array(3_000_000).map((_, at) => (at * at * 31) >> 7),
  )
  for (let commit = 1; commit <= 10; commit++) {
    await writeFile(join(path, `file-${commit}`), `content ${commit}\n`.repeat(commit))
    await git(['add', '.'], { cwd: path })
    await git(['commit', '--quiet', '-m', `Commit ${commit}`], { cwd: path })
  }
}

/** What every host of the hub has to do: the same story, told with stock git and the REST interface. */
export function hubSuite(host: string, start: () => Promise<RunningHub>): void {
  describe(`the hub on ${host}`, () => {
    const scratch = useScratch()
    let hub: RunningHub | undefined
    let rest: RestClient
    let demo: Created
    let work: string

    beforeAll(async () => {
      hub = await start()
      rest = new RestClient(hub)
      work = scratch.fresh('work')
      await makeHistory(work)
      demo = await rest.call<Created>('POST', '/namespaces/team/repos', { name: 'demo' })
    })
    afterAll(() => hub?.close())

    const tipOf = async (path: string): Promise<string> =>
      (await git(['rev-parse', 'HEAD'], { cwd: path })).trim()

    test('takes a push into a repository made over REST, and gives it back', async () => {
      await git(['push', '--quiet', withToken(demo), 'main'], { cwd: work })
      const clone = scratch.fresh('clone')
      await git(['clone', '--quiet', withToken(demo), clone])
      await git(['fsck', '--strict'], { cwd: clone })
      expect(await tipOf(clone)).toBe(await tipOf(work))
    })

    test('shows its content over REST', async () => {
      const log = await rest.call<{ hash: string; message: string }[]>(
        'GET',
        '/namespaces/team/repos/demo/log',
      )
      expect(log.map(({ message }) => message)).toEqual(
        Array.from({ length: 10 }, (_, at) => `Commit ${10 - at}`),
      )
      const file = await rest.send('GET', '/namespaces/team/repos/demo/raw/main/file-2')
      expect(await file.text()).toBe('content 2\ncontent 2\n')
    })

    test('takes a second push, which a clone fetches', async () => {
      const clone = scratch.fresh('fetching')
      await git(['clone', '--quiet', withToken(demo), clone])
      await writeFile(join(work, 'later'), 'later\n')
      await git(['add', '.'], { cwd: work })
      await git(['commit', '--quiet', '-m', 'Later'], { cwd: work })
      await git(['push', '--quiet', withToken(demo), 'main'], { cwd: work })
      await git(['pull', '--quiet', '--ff-only'], { cwd: clone })
      expect(await tipOf(clone)).toBe(await tipOf(work))
    })

    test('serves shallow and partial clones', async () => {
      const shallow = scratch.fresh('shallow')
      await git(['clone', '--quiet', '--depth', '2', withToken(demo), shallow])
      expect(await gitLines(['rev-list', 'HEAD'], { cwd: shallow })).toHaveLength(2)
      const partial = scratch.fresh('partial')
      await git(['clone', '--quiet', '--filter=blob:none', withToken(demo), partial])
      // The checkout fetched what it needs, and nothing of what was before.
      expect((await readdir(partial)).filter((name) => name.startsWith('file-'))).toHaveLength(10)
      expect(await tipOf(partial)).toBe(await tipOf(work))
    })

    test('forks: the fork goes on alone', async () => {
      const fork = await rest.call<Created>('POST', '/namespaces/team/repos/demo/fork', { name: 'fork' })
      const clone = scratch.fresh('fork')
      await git(['clone', '--quiet', withToken(fork), clone])
      const before = await tipOf(clone)
      expect(before).toBe(await tipOf(work))
      await git(['commit', '--quiet', '--allow-empty', '-m', 'In the fork'], { cwd: clone })
      await git(['push', '--quiet', 'origin', 'main'], { cwd: clone })
      expect(await git(['ls-remote', withToken(demo), 'refs/heads/main'])).toContain(before)
      expect(await git(['ls-remote', withToken(fork), 'refs/heads/main'])).toContain(await tipOf(clone))
      await gitFails(['ls-remote', withToken({ remote: fork.remote, token: demo.token })])
    })

    test('revokes a token: the next request fails', async () => {
      const { id, plaintext } = await rest.call<{ id: string; plaintext: string }>(
        'POST',
        '/namespaces/team/tokens',
        { repo: 'demo', scope: 'read' },
      )
      const url = withToken({ remote: demo.remote, token: plaintext })
      await git(['ls-remote', url])
      await rest.call('DELETE', `/namespaces/team/tokens/${id}`)
      expect(await gitFails(['ls-remote', url])).toContain('403')
    })

    test('deletes a repository: it is gone, and its fork is not', async () => {
      await rest.call('DELETE', '/namespaces/team/repos/demo')
      expect((await rest.send('GET', '/namespaces/team/repos/demo')).status).toBe(404)
      await gitFails(['ls-remote', withToken(demo)])
      const { plaintext } = await rest.call<{ plaintext: string }>('POST', '/namespaces/team/tokens', {
        repo: 'fork',
      })
      const remote = demo.remote.replace('/demo.git', '/fork.git')
      const clone = scratch.fresh('after')
      await git(['clone', '--quiet', withToken({ remote, token: plaintext }), clone])
      await git(['fsck', '--strict'], { cwd: clone })
    })
  })
}
