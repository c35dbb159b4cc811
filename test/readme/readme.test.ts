import { spawn } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { findFreePort } from '../support/free-port.ts'
import { git, tryGit } from '../support/git.ts'

const root = resolve(import.meta.dirname, '../..')
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'packstone-readme-'))
  await mkdir(join(folder, 'node_modules'))
  await symlink(root, join(folder, 'node_modules/packstone'))
})
afterAll(async () => {
  await rm(folder, { recursive: true, force: true })
})

async function readExample(heading: string): Promise<string> {
  const readme = await readFile(join(root, 'README.md'), 'utf8')
  const section = readme.slice(readme.indexOf(`## ${heading}`))
  const code = /```ts\n([\s\S]*?)```/.exec(section)?.[1]
  if (code === undefined) throw new Error(`README.md has no example under '${heading}'`)
  return code
}

test('the embedding example of the README, as written but for the port, takes a push and gives it back', async () => {
  const port = await findFreePort()
  const code = await readExample('Embed it')
  expect(code).toContain('.listen(8080)')
  await writeFile(join(folder, 'example.mjs'), code.replace('.listen(8080)', `.listen(${port}, '127.0.0.1')`))
  const child = spawn(process.execPath, ['example.mjs'], {
    cwd: folder,
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  try {
    const url = `http://127.0.0.1:${port}/demo`
    for (let attempt = 0; (await tryGit(['ls-remote', url])).code !== 0; attempt++) {
      if (attempt > 1000 || child.exitCode !== null) throw new Error('the example does not listen')
      await new Promise((later) => setTimeout(later, 100))
    }
    const work = join(folder, 'work')
    await git(['init', '--quiet', work])
    await git(['commit', '--quiet', '--allow-empty', '-m', 'first'], { cwd: work })
    await git(['push', '--quiet', url, 'HEAD:refs/heads/main'], { cwd: work })
    await git(['clone', '--quiet', url, join(folder, 'clone')])
    expect(await git(['rev-parse', 'HEAD'], { cwd: join(folder, 'clone') })).toBe(
      await git(['rev-parse', 'HEAD'], { cwd: work }),
    )
  } finally {
    child.kill()
  }
})
