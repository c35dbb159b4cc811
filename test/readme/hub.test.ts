import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'

const root = resolve(import.meta.dirname, '../..')
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'packstone-hub-readme-'))
  await mkdir(join(folder, 'node_modules'))
  await symlink(root, join(folder, 'node_modules/packstone'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** Notes what an example prints. */
const NOTING = `
const said = []
const print = console.log
console.log = (...words) => {
  said.push(words.join(' '))
  print(...words)
}
`

/** Closes the hub of an example once the last of its events was told. */
const CLOSING = `
while (!said.some((line) => line.includes('repo.pushed'))) await new Promise((later) => setTimeout(later, 20))
await hub.close()
`

test('the examples of the hub in the README, as written, commit a file, read it back and tell of it', async () => {
  const readme = await readFile(join(root, 'README.md'), 'utf8')
  const blocks = [...readme.matchAll(/```ts\n([\s\S]*?)```/g)].map((match) => match[1] ?? '')
  const find = (text: string): string => {
    const found = blocks.find((block) => block.includes(text))
    if (found === undefined) throw new Error(`README.md has no example with '${text}'`)
    return found
  }
  const events = find('createWebhookSink').replace(/ {4}createWebhookSink.*\n/, '')
  const hub = find('registry: createMemoryRegistry()').replace(
    'codecs: createNodeCodecs(),',
    'codecs: createNodeCodecs(), events,',
  )
  const imports = "import { createCallbackSink } from 'packstone/hub'\n"
  const program = `${imports}${events}${hub.replace(/^createServer\(.*$/m, '')}${find('hub.artifacts(')}`
  await writeFile(join(folder, 'example.mjs'), `${NOTING}${program}${CLOSING}`)
  const { stdout } = await promisify(execFile)(process.execPath, ['example.mjs'], { cwd: folder })
  const lines = stdout.trim().split('\n')
  expect(lines).toContain('text/plain;charset=utf-8 # Notes')
  expect(lines.filter((line) => line.startsWith('cf.artifacts.repo.'))).toEqual([
    'cf.artifacts.repo.created notes',
    'cf.artifacts.repo.token.created notes',
    'cf.artifacts.repo.pushed notes',
  ])
})
