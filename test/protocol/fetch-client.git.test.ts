import { expect, it } from 'vitest'
import { GitError, isGitError } from '../../src/errors.ts'
import { uploadPack } from '../../src/protocol/service.ts'
import type { FetchClient, UploadPackOptions } from '../../src/protocol/upload-pack/upload-options.ts'
import { git } from '../support/git.ts'
import { openServed, temporaryDirectory, type Version } from './served-repository.ts'
import { chunked, collect, DELIM, FLUSH, packets, wire } from './wire.ts'

async function createRepository(): Promise<{ readonly path: string; readonly tip: string }> {
  const path = await temporaryDirectory()
  await git(['init', '-q', '--bare', path])
  const tree = await git(['mktree'], { cwd: path, input: '' })
  const tip = await git(['commit-tree', '-m', 'one', tree], { cwd: path })
  await git(['update-ref', 'refs/heads/main', tip], { cwd: path })
  return { path, tip }
}

/** The lines of an answer, or what an `ERR` packet in it says. */
async function ask(
  path: string,
  version: Version,
  request: Uint8Array,
  options: UploadPackOptions,
): Promise<string[]> {
  const repository = await openServed(path)
  const answer = await collect(uploadPack(repository, chunked(request), { version, options }))
  return packets(answer).catch((error: unknown) => {
    if (isGitError(error, 'PROTOCOL')) return [error.message.replace('remote error:', 'ERR')]
    throw error
  })
}

it('who asks is told before the answer, and may be refused', async () => {
  const { path, tip } = await createRepository()
  const clients: FetchClient[] = []
  const onClient = (client: FetchClient): void => {
    clients.push(client)
    if (client.serverOptions.includes('stop')) throw new GitError('FORBIDDEN', 'not today')
  }
  const head = ['agent=git/9', 'session-id=one', 'server-option=a=b', 'server-option=c']
  const options = { onClient, sessionId: () => 'mine' }
  await ask(path, 2, wire('command=ls-refs', ...head, DELIM, FLUSH), options)
  await ask(path, 0, wire(`want ${tip} agent=git/8 session-id=two`, FLUSH, 'done'), options)
  expect(clients).toEqual([
    { version: 2, command: 'ls-refs', agent: 'git/9', sessionId: 'one', serverOptions: ['a=b', 'c'] },
    { version: 0, command: 'fetch', agent: 'git/8', sessionId: 'two', serverOptions: [] },
  ])
  const refused = await ask(path, 2, wire('command=ls-refs', 'server-option=stop', DELIM, FLUSH), options)
  expect(refused).toEqual(['ERR not today'])
})

it.each<[string, UploadPackOptions, readonly string[], RegExp]>([
  ['a filter', { allowFilter: false }, ['filter blob:none'], /^ERR unexpected line: 'filter blob:none'$/],
  ['refs by name', {}, ['want-ref refs/heads/main'], /^ERR unexpected line/],
  ['bands throughout', {}, ['sideband-all'], /^ERR unexpected line/],
  ['packs from elsewhere', {}, ['packfile-uris https'], /^ERR unexpected line/],
  [
    'a filter of a kind that is not allowed',
    { filters: { allow: false } },
    ['filter tree:1'],
    /'tree' not supported/,
  ],
  [
    'two filters',
    {},
    ['filter tree:1', 'filter blob:none'],
    /^ERR multiple filter-specs cannot be combined$/,
  ],
  ['a filter that means nothing', {}, ['filter x'], /^ERR invalid filter-spec 'x'$/],
])('%s is refused with a message where it is not offered', async (_, options, lines, message) => {
  const { path, tip } = await createRepository()
  const request = wire('command=fetch', DELIM, ...lines, `want ${tip}`, 'done', FLUSH)
  const [first = ''] = await ask(path, 2, request, options)
  expect(first).toMatch(message)
})

it('commands that are not offered are refused', async () => {
  const { path } = await createRepository()
  const options = { advertiseObjectInfo: false }
  for (const command of ['object-info', 'bundle-uri', 'push'])
    expect(await ask(path, 2, wire(`command=${command}`, DELIM, FLUSH), options)).toEqual([
      `ERR invalid command '${command}'`,
    ])
})

it('filters are allowed unless options say otherwise', async () => {
  const { path, tip } = await createRepository()
  const request = wire('command=fetch', DELIM, 'filter tree:0', `want ${tip}`, 'done', FLUSH)
  expect((await ask(path, 2, request, {}))[0]).toBe('packfile')
})
