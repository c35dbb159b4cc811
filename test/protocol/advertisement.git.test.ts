import { describe, expect, it } from 'vitest'
import { FastImport } from '../support/fast-import.ts'
import { git } from '../support/git.ts'
import { gitAdvertisement, ourAdvertisement, temporaryDirectory, type Version } from './served-repository.ts'
import { packets } from './wire.ts'

/** Takes capabilities off the first line of refs: they are compared apart. */
function split(lines: readonly string[]): { readonly refs: string[]; readonly capabilities: string[] } {
  const capabilities: string[] = []
  const refs = lines.map((line) => {
    const nul = line.indexOf('\0')
    if (nul < 0) return line
    capabilities.push(...line.slice(nul + 1).split(' '))
    return line.slice(0, nul)
  })
  return { refs, capabilities: capabilities.filter((word) => !word.startsWith('agent=')) }
}

async function createRepository(): Promise<string> {
  const path = await temporaryDirectory()
  await git(['init', '-q', '--bare', path])
  const history = new FastImport()
  const first = history.commit({ ref: 'refs/heads/main', parents: [] })
  history.commit({ ref: 'refs/heads/main' })
  history.ref('refs/heads/feature/ünïcode', first)
  history.ref('refs/tags/light', first)
  history.ref('refs/hidden/one', first)
  history.ref('refs/hidden/open/two', first)
  history.tag('annotated', first, 'a tag\n')
  await history.run(path)
  await git(['tag', '-a', '-m', 'nested', 'nested', 'annotated'], { cwd: path })
  await git(['symbolic-ref', 'refs/heads/alias', 'refs/heads/main'], { cwd: path })
  await git(['symbolic-ref', 'refs/heads/dangling', 'refs/heads/nowhere'], { cwd: path })
  return path
}

const HIDE = [
  ['config', '--add', 'transfer.hideRefs', 'refs/hidden'],
  ['config', '--add', 'uploadpack.hideRefs', '!refs/hidden/open'],
  ['config', '--add', 'receive.hideRefs', '^refs/tags/'],
]

const SHAPES: readonly [string, (path: string) => Promise<unknown>][] = [
  ['with refs of every kind', () => Promise.resolve()],
  ['with packed refs', (cwd) => git(['pack-refs', '--all'], { cwd })],
  ['with a detached HEAD', (cwd) => git(['update-ref', '--no-deref', 'HEAD', 'refs/heads/main'], { cwd })],
  ['that takes push options', (cwd) => git(['config', 'receive.advertisePushOptions', 'true'], { cwd })],
  ['with an unborn HEAD', (cwd) => git(['symbolic-ref', 'HEAD', 'refs/heads/unborn'], { cwd })],
  [
    'with hidden refs',
    async (cwd) => {
      for (const args of HIDE) await git(args, { cwd })
    },
  ],
]

describe.each(SHAPES)('a repository %s', (_, shape) => {
  it.each([0, 1] as const)('is advertised for fetching in v%d as by git', async (version: Version) => {
    const path = await createRepository()
    await shape(path)
    const ours = split(await packets(await ourAdvertisement(path, 'git-upload-pack', version)))
    const theirs = split(await packets(await gitAdvertisement(path, 'git-upload-pack', version)))
    expect(ours.refs).toEqual(theirs.refs)
    expect(ours.capabilities).toEqual(theirs.capabilities)
  })

  it.each([0, 1] as const)('is advertised for pushing in v%d as by git', async (version: Version) => {
    const path = await createRepository()
    await shape(path)
    const ours = split(await packets(await ourAdvertisement(path, 'git-receive-pack', version)))
    const theirs = split(await packets(await gitAdvertisement(path, 'git-receive-pack', version)))
    expect(ours.refs).toEqual(theirs.refs)
    expect(ours.capabilities).toEqual(theirs.capabilities)
  })
})

/** Settings that turn on all that fetching knows. */
const EVERYTHING = [
  'uploadpack.allowFilter=true',
  'uploadpack.allowRefInWant=true',
  'uploadpack.allowSidebandAll=true',
  'uploadpack.allowAnySHA1InWant=true',
  `uploadpack.blobPackfileUri=${'1'.repeat(40)} ${'2'.repeat(40)} https://example.com/pack`,
  'transfer.advertiseSID=true',
]

describe('policies', () => {
  it('are advertised when they are set', async () => {
    const path = await createRepository()
    for (const setting of EVERYTHING) {
      const [key = '', value = ''] = setting.split('=')
      await git(['config', key, value], { cwd: path })
    }
    const mask = (word: string): string => word.replace(/^session-id=.*/, 'session-id')
    const ours = split(await packets(await ourAdvertisement(path, 'git-upload-pack', 0)))
    const theirs = split(await packets(await gitAdvertisement(path, 'git-upload-pack', 0)))
    expect(ours.capabilities.map(mask)).toEqual(theirs.capabilities.map(mask))
    expect(ours.capabilities).toContain('allow-tip-sha1-in-want')
  })
})

describe('an empty repository', () => {
  it('has a line for its capabilities, for fetching and for pushing', async () => {
    const path = await createEmpty()
    for (const service of ['git-upload-pack', 'git-receive-pack'] as const) {
      const { refs, capabilities } = split(await packets(await ourAdvertisement(path, service, 0)))
      expect(refs).toEqual([`${'0'.repeat(40)} capabilities^{}`, '<flush>'])
      expect(capabilities).toContain('object-format=sha1')
    }
  })

  it('is advertised for pushing as by git', async () => {
    const path = await createEmpty()
    const ours = split(await packets(await ourAdvertisement(path, 'git-receive-pack', 1)))
    const theirs = split(await packets(await gitAdvertisement(path, 'git-receive-pack', 1)))
    expect(ours.refs).toEqual(theirs.refs)
  })
})

describe('version 2', () => {
  it.each<[string, readonly string[]]>([
    ['as it comes', []],
    ['with all there is', EVERYTHING],
    ['with nothing that can be turned off', ['transfer.advertiseObjectInfo=false', 'lsrefs.unborn=ignore']],
  ])('%s advertises what git does', async (_, settings) => {
    const path = await createEmpty()
    for (const setting of settings) {
      const [key = '', value = ''] = setting.split('=')
      await git(['config', key, value], { cwd: path })
    }
    const mask = (line: string): string => line.replace(/^(agent|session-id)=.*/, '$1')
    // Git 2.39 sends this, whatever the config says; later versions heed it.
    const isKept = (line: string): boolean =>
      line !== 'object-info' || !settings.includes('transfer.advertiseObjectInfo=false')
    const ours = await packets(await ourAdvertisement(path, 'git-upload-pack', 2))
    const theirs = await packets(await gitAdvertisement(path, 'git-upload-pack', 2))
    expect(ours.map(mask)).toEqual(theirs.map(mask).filter(isKept))
  })

  it('falls back to version 0 for pushing', async () => {
    const path = await createEmpty()
    expect(await packets(await ourAdvertisement(path, 'git-receive-pack', 2))).toEqual(
      await packets(await ourAdvertisement(path, 'git-receive-pack', 0)),
    )
  })
})

async function createEmpty(): Promise<string> {
  const path = await temporaryDirectory()
  await git(['init', '-q', '--bare', path])
  return path
}
