import { readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { git, gitLines, tryGit } from '../support/git.ts'
import { createHistory } from '../support/histories.ts'
import { useScratch, useServer } from '../support/hooks.ts'
import { readContents } from '../support/repositories.ts'
import { runPackstone } from './run-packstone.ts'

const scratch = useScratch()
const server = useServer(scratch)

describe('bundle', () => {
  it('writes what git verifies and clones from, without hidden refs', async () => {
    const source = await createHistory('odd-refs', scratch.fresh('source'), { scale: 0.2 })
    await git(['config', 'uploadpack.hideRefs', 'refs/heads/secret'], { cwd: source })
    await git(['branch', 'secret', 'main~1'], { cwd: source })
    const file = scratch.fresh('all.bundle')
    await writeFile(file, 'to be replaced')
    const { code, stderr } = await runPackstone(['bundle', source, file])
    expect([code, stderr]).toEqual([0, ''])
    const listed = await gitLines(['bundle', 'list-heads', file])
    const shown = await gitLines(['show-ref', '--head'], { cwd: source })
    const expected = shown.filter(
      (line) => /(HEAD$|refs\/(heads|tags)\/)/.test(line) && !line.endsWith('/secret'),
    )
    expect(listed.sort()).toEqual(expected.sort())
    await git(['bundle', 'verify', file], { cwd: source })
    const clone = scratch.fresh('clone')
    await git(['clone', '--quiet', '--mirror', file, clone])
    await git(['fsck', '--full', '--strict'], { cwd: clone })
  })

  it('of a repository of SHA-256 is cloned as well', async () => {
    const work = scratch.fresh('work')
    await git(['init', '--quiet', '--object-format=sha256', work])
    await git(['commit', '--quiet', '--allow-empty', '-m', 'first'], { cwd: work })
    const file = scratch.fresh('sha256.bundle')
    expect((await runPackstone(['bundle', work, file])).code).toBe(0)
    const clone = scratch.fresh('clone')
    await git(['clone', '--quiet', '--mirror', file, clone])
    expect(await readContents(clone)).toEqual(await readContents(work))
  })

  it('serves the beginning of a clone from elsewhere', async () => {
    const source = await createHistory('source-like', server.path('large.git'), { scale: 0.3 })
    const old = await git(['rev-parse', 'main~2'], { cwd: source })
    const tip = await git(['rev-parse', 'main'], { cwd: source })
    await git(['update-ref', 'refs/heads/main', old], { cwd: source })
    const file = scratch.fresh('base.bundle')
    expect((await runPackstone(['bundle', source, file])).code).toBe(0)
    await git(['update-ref', 'refs/heads/main', tip], { cwd: source })
    let downloads = 0
    const cdn = createServer((_, response) => {
      downloads++
      void readFile(file).then((bytes) => response.end(bytes))
    })
    await new Promise<void>((resolve) => cdn.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void cdn.close())
    const uri = `http://127.0.0.1:${(cdn.address() as AddressInfo).port}/base.bundle`
    const clone = scratch.fresh('clone')
    const trace = scratch.fresh('trace')
    await git(['clone', '--quiet', '--bare', `--bundle-uri=${uri}`, server.url('large.git'), clone], {
      env: { GIT_TRACE_PACKET: trace },
    })
    expect(downloads).toBe(1)
    expect(await readFile(trace, 'latin1')).toContain(`have ${old}`)
    expect(await git(['rev-parse', 'main'], { cwd: clone })).toBe(tip)
    await git(['fsck', '--full'], { cwd: clone })
  })

  it('is not made of nothing, nor of a shallow repository', async () => {
    const empty = scratch.fresh('empty')
    await git(['init', '--quiet', '--bare', empty])
    const nothing = await runPackstone(['bundle', empty, scratch.fresh('nothing.bundle')])
    expect([nothing.code, nothing.stderr]).toEqual([2, expect.stringContaining('empty bundle')])
    const source = await createHistory('tiny-files', scratch.fresh('deep'), { scale: 0.1 })
    const shallow = scratch.fresh('shallow')
    await git(['clone', '--quiet', '--bare', '--depth=1', `file://${source}`, shallow])
    const refused = await runPackstone(['bundle', shallow, scratch.fresh('shallow.bundle')])
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('is shallow')])
    expect((await tryGit(['bundle', 'list-heads', scratch.fresh('none')])).code).not.toBe(0)
  })
})
