import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { startS3Server } from '../../support/buckets/s3-server.ts'
import { git, gitLines, tryGit } from '../../support/git.ts'
import { serveBucket } from '../../support/servers/bucket-servers.ts'
import { cloneWorkTree, type WorkTree } from '../../support/work-tree.ts'

export interface ManyWritersOptions {
  readonly servers: number
  readonly clients: number
  /** Commits that each client pushes to the one branch that all share. */
  readonly sharedCommits: number
  /** Branches that are pushed to by one client each, by turns. */
  readonly branches: number
}

/**
 * Lets clients push through several server processes on one bucket: to one branch, trying again after every lost race, and to branches
 * of their own. Every commit that was acknowledged must be in history exactly once.
 */
export async function runManyWriters(options: ManyWritersOptions): Promise<void> {
  const top = await mkdtemp(join(tmpdir(), 'packstone-writers-'))
  const store = await startS3Server()
  const args = ['--create-on-push', '--allow-push'] as const
  const servers = await Promise.all(
    Array.from({ length: options.servers }, () => serveBucket(store, 'writers/', ...args)),
  )
  const urls = servers.map(({ url }) => `${url}/a.git`)
  try {
    await begin(join(top, 'begin'), urls[0] ?? '')
    const trees = await Promise.all(
      Array.from({ length: options.clients }, (_, at) =>
        cloneWorkTree(urls[at % urls.length] ?? '', join(top, `client-${at}`)),
      ),
    )
    const acknowledged = (
      await Promise.all(trees.map((tree, at) => pushShared(tree, at, options.sharedCommits)))
    ).flat()
    const tips = new Map<string, string>()
    await Promise.all(
      trees.map(async (tree, at) => {
        for (let branch = at; branch < options.branches; branch += trees.length) {
          const id = await tree.commit(`branch-${branch}`, `${branch}`)
          await tree.git('push', '-q', 'origin', `HEAD:refs/heads/branch-${branch}`)
          tips.set(`refs/heads/branch-${branch}`, id)
        }
      }),
    )
    await assertEverythingThere(join(top, 'clone.git'), urls.at(-1) ?? '', acknowledged, tips)
    const seen = await Promise.all(urls.map((url) => git(['ls-remote', url])))
    expect(new Set(seen).size).toBe(1)
  } finally {
    await Promise.all(servers.map((server) => server.close()))
    await store.close()
    await rm(top, { recursive: true, force: true })
  }
}

async function begin(path: string, url: string): Promise<void> {
  await git(['init', '-q', '-b', 'main', path])
  await git(['commit', '-q', '--allow-empty', '-m', 'begin'], { cwd: path })
  await git(['push', '-q', url, 'HEAD:refs/heads/main'], { cwd: path })
}

/** Pushes commits to the branch of all, each on top of what is there; resolves with the messages that were acknowledged. */
async function pushShared(tree: WorkTree, client: number, count: number): Promise<string[]> {
  const messages: string[] = []
  for (let round = 0; round < count; round++) {
    const file = `client-${client}-${round}`
    await tree.commit(file, file)
    for (let attempt = 0; ; attempt++) {
      const { code, stderr } = await tryGit(['push', '-q', 'origin', 'HEAD:refs/heads/main'], {
        cwd: tree.path,
      })
      if (code === 0) break
      expect(stderr).toMatch(/rejected|failed to update|stale|fetch first|cannot lock/)
      expect(attempt).toBeLessThan(200)
      await tree.git('pull', '-q', '--rebase', 'origin', 'main')
    }
    messages.push(`write ${file}`)
  }
  return messages
}

async function assertEverythingThere(
  clone: string,
  url: string,
  acknowledged: readonly string[],
  tips: ReadonlyMap<string, string>,
): Promise<void> {
  await git(['clone', '-q', '--mirror', url, clone])
  await git(['fsck', '--strict'], { cwd: clone })
  const messages = await gitLines(['log', '--format=%s', 'refs/heads/main'], { cwd: clone })
  expect(messages.filter((message) => message.startsWith('write client-')).sort()).toEqual(
    [...acknowledged].sort(),
  )
  for (const [name, id] of tips) expect(await git(['rev-parse', name], { cwd: clone })).toBe(id)
}
