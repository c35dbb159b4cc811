import { readFile } from 'node:fs/promises'
import { expect, it } from 'vitest'
import { exercised } from '../support/exercised.ts'
import { git, gitFails, tryGit } from '../support/git.ts'
import { useScratch } from '../support/hooks.ts'
import { startTestHub, withToken, type CreatedResult, type TestHub } from '../hub/support.ts'

const scratch = useScratch()

/** What Cloudflare Artifacts was seen to offer; the names of servers differ. */
const SEEN = {
  v0:
    'agent object-format=sha1 multi_ack multi_ack_detailed no-done side-band side-band-64k shallow deepen-since deepen-not ' +
    'deepen-relative allow-tip-sha1-in-want allow-reachable-sha1-in-want no-progress symref=HEAD:refs/heads/main',
  v2: ['version 2', 'agent', 'ls-refs=unborn', 'fetch=shallow filter sideband-all', 'object-format=sha1'],
  push: 'report-status delete-refs ofs-delta side-band-64k symref=HEAD:refs/heads/main',
}

async function createRepository(hub: TestHub): Promise<{ url: string; remote: string; token: string }> {
  const { remote, token } = await hub.result<CreatedResult>('POST', '/namespaces/team/repos', { name: 'one' })
  return { url: withToken(remote, token), remote, token }
}

/** The lines of an advertisement without their lengths, and without what agents are called. */
async function advertised(
  { remote, token }: { remote: string; token: string },
  service: string,
  version: string,
): Promise<string[]> {
  const answer = await fetch(`${remote}/info/refs?service=${service}`, {
    headers: { Authorization: `Bearer ${token}`, 'Git-Protocol': version },
  })
  const lines = (await answer.text()).split('\n').map((line) => line.replace(/^(0000)?[0-9a-f]{4}/, ''))
  return lines.map((line) => line.replace(/agent=packstone\/\S+/, 'agent'))
}

async function createTree(): Promise<string> {
  const tree = scratch.fresh('tree')
  await git(['init', '--quiet', tree])
  await git(['commit', '--quiet', '--allow-empty', '-m', 'one'], { cwd: tree })
  await git(['tag', '-a', '-m', 'one', 'v1'], { cwd: tree })
  return tree
}

it('a hub that is told so offers what Cloudflare Artifacts was seen to offer, word by word', async () => {
  const hub = await startTestHub({ git: { capabilities: 'artifacts' } })
  const at = await createRepository(hub)
  const zero = '0'.repeat(40)
  const [, empty] = await advertised(at, 'git-upload-pack', 'version=0')
  expect(empty).toBe(`${zero} capabilities^{}\0${SEEN.v0}`)
  const tree = await createTree()
  const id = await git(['rev-parse', 'HEAD'], { cwd: tree })
  const tag = await git(['rev-parse', 'v1'], { cwd: tree })
  await git(['push', '--quiet', at.url, 'main', 'v1'], { cwd: tree })
  expect((await advertised(at, 'git-upload-pack', 'version=0')).slice(1, 5)).toEqual([
    `${id} HEAD\0${SEEN.v0}`,
    `${id} refs/heads/main`,
    `${tag} refs/tags/v1`,
    `${id} refs/tags/v1^{}`,
  ])
  expect((await advertised(at, 'git-receive-pack', 'version=0')).slice(1, 4)).toEqual([
    `${id} HEAD\0${SEEN.push}`,
    `${id} refs/heads/main`,
    `${tag} refs/tags/v1`,
  ])
  expect((await advertised(at, 'git-upload-pack', 'version=2')).slice(0, -1)).toEqual(SEEN.v2)
})

it.each(['0', '1', '2'])(
  'stock git works with what Artifacts offers, in version %s, and is refused the rest',
  async (version) => {
    const hub = await startTestHub({ git: { capabilities: 'artifacts' } })
    const { url } = await createRepository(hub)
    const tree = await createTree()
    const asked = { cwd: tree, env: { GIT_TRACE_PACKET: scratch.fresh('trace') } }
    const run = (...args: string[]): Promise<string> =>
      git(['-c', `protocol.version=${version}`, ...args], asked)
    await run('push', '--quiet', url, 'main', 'v1', 'main:refs/heads/side', 'main:refs/notes/x')
    const trace = await readFile(asked.env.GIT_TRACE_PACKET, 'utf8')
    exercised(trace, 'push/symref')
    await run('push', '--quiet', url, ':refs/notes/x')
    for (const more of [['--atomic'], ['-o', 'word']])
      expect(await gitFails(['push', ...more, url, 'main:again'], asked)).toMatch(/does not support/)
    await git(['commit', '--quiet', '--allow-empty', '-m', 'two'], { cwd: tree })
    await run('push', '--quiet', '--force', url, 'main')
    const copy = scratch.fresh('copy')
    await run('clone', '--quiet', '--depth=1', url, copy)
    await run('-C', copy, 'fetch', '--quiet', '--unshallow')
    expect(await git(['log', '--format=%s'], { cwd: copy })).toBe('two\none')
    await git(['fsck', '--strict'], { cwd: copy })
    await run('clone', '--quiet', '--mirror', url, scratch.fresh('mirror'))
    const { stderr } = await tryGit(
      ['-c', `protocol.version=${version}`, 'clone', '--bare', '--filter=tree:0', url, scratch.fresh('bare')],
      asked,
    )
    expect(stderr).toMatch(version === '2' ? /filter 'tree' not supported/ : /filtering not recognized/)
  },
)
