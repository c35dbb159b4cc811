import { access, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { build } from 'esbuild'
import { chromium } from 'playwright-core'
import { expect, test } from 'vitest'
import { createNodeCodecs } from '../../src/codec/node/index.ts'
import { serve } from '../../src/hosts/node/index.ts'
import { createGitHandler } from '../../src/http/index.ts'
import { openRepository } from '../../src/index.ts'
import { createMemoryStorage } from '../../src/storage/memory/index.ts'
import { git } from '../support/git.ts'
import { useScratch } from '../support/hooks.ts'
import type { PageReport } from './page.ts'

const CHROMIUM = '/usr/bin/chromium'
/** Keep it from asking the network for anything but the test's own server. */
const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** How long the browser may take for one thing, on a machine that has much else to do. In milliseconds. */
const PATIENCE = 240_000

const scratch = useScratch()

async function bundlePage(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(import.meta.dirname, 'page.ts')],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'browser',
  })
  return outputFiles[0]?.text ?? ''
}

/** A site with the page at its root, and below /git a repository in memory that anybody may push to. */
async function startSite(): Promise<{ readonly url: string; close(): Promise<void> }> {
  const storage = await createMemoryStorage().create('demo', {
    objectFormat: 'sha1',
    head: 'refs/heads/main',
  })
  const repository = openRepository(storage, { codecs: createNodeCodecs() })
  const gitHandler = createGitHandler({
    prefix: '/git',
    resolve: () => ({ kind: 'found', repository, access: { upload: true, receive: true } }),
  })
  const page = await bundlePage()
  const server = await serve({
    handler: (request) => {
      const { pathname } = new URL(request.url)
      if (pathname.startsWith('/git/')) return gitHandler(request)
      if (pathname === '/page.js')
        return new Response(page, { headers: { 'Content-Type': 'text/javascript' } })
      const html = '<!doctype html><title>packstone</title><script type="module" src="/page.js"></script>'
      return new Response(html, { headers: { 'Content-Type': 'text/html' } })
    },
  })
  return { url: server.url, close: () => server.close(0) }
}

test('a page clones a repository into memory, reads a file, commits and pushes back', async () => {
  await access(CHROMIUM).catch(() => {
    throw new Error(`${CHROMIUM} is missing: install Debian's package 'chromium'`)
  })
  const site = await startSite()
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ARGUMENTS, timeout: PATIENCE })
  try {
    const url = `${site.url}/git/demo`
    const work = scratch.fresh('work')
    await git(['init', '--quiet', '-b', 'main', work])
    await mkdir(join(work, 'folder'))
    await writeFile(join(work, 'folder/greeting.txt'), 'be greeted\n')
    await writeFile(
      join(work, 'large'),
      new Uint8Array(3_000_000).map((_, at) => (at * at * 31) >> 7),
    )
    await git(['add', '.'], { cwd: work })
    await git(['commit', '--quiet', '-m', 'first'], { cwd: work })
    await git(['push', '--quiet', url, 'HEAD:refs/heads/main'], { cwd: work })

    const page = await browser.newPage()
    page.setDefaultTimeout(PATIENCE)
    await page.goto(site.url)
    await page.waitForFunction('typeof cloneCommitAndPush === "function"')
    const report = await page.evaluate<PageReport>(`cloneCommitAndPush(${JSON.stringify(url)})`)

    expect(report).toMatchObject({ read: 'be greeted\n', pushed: ['fast-forwarded refs/heads/main'] })
    await git(['fetch', '--quiet', url, 'main'], { cwd: work })
    await git(['fsck', '--strict'], { cwd: work })
    expect((await git(['rev-parse', 'FETCH_HEAD'], { cwd: work })).trim()).toBe(report.committed)
    expect(await git(['show', 'FETCH_HEAD:folder/answer.txt'], { cwd: work })).toBe('be greeted yourself')
    expect(await git(['diff', '--name-status', 'HEAD', 'FETCH_HEAD'], { cwd: work })).toBe(
      'A\tfolder/answer.txt',
    )
  } finally {
    await browser.close()
    await site.close()
  }
})
