import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { encodeUtf8 } from '../../src/bytes/text.ts'
import { isGitError } from '../../src/errors.ts'
import { uploadPack } from '../../src/protocol/service.ts'
import { git } from '../support/git.ts'
import { openServed, temporaryDirectory } from './served-repository.ts'
import { chunked, collect, DELIM, demux, FLUSH, wire } from './wire.ts'

/** A repository of two commits that has lost the tree of the first one. */
async function createBroken(): Promise<{
  readonly path: string
  readonly tip: string
  readonly lost: string
}> {
  const path = await temporaryDirectory()
  const cwd = path
  await git(['init', '-q', '--bare', path])
  const blob = await git(['hash-object', '-w', '--stdin'], { cwd, input: 'content\n' })
  const lost = await git(['mktree'], { cwd, input: `100644 blob ${blob}\tfile\n` })
  const kept = await git(['mktree'], { cwd, input: `100644 blob ${blob}\tother\n` })
  const first = await git(['commit-tree', '-m', 'first', lost], { cwd })
  const tip = await git(['commit-tree', '-m', 'second', '-p', first, kept], { cwd })
  await git(['update-ref', 'refs/heads/main', tip], { cwd })
  await rm(join(path, 'objects', lost.slice(0, 2), lost.slice(2)))
  return { path, tip, lost }
}

it('a pack that cannot be made is broken off on band 3, and the server learns why', async () => {
  const { path, tip, lost } = await createBroken()
  const failures: unknown[] = []
  const onFailure = (error: unknown): void => {
    failures.push(error)
  }
  const request = wire('command=fetch', DELIM, `want ${tip}`, 'done', FLUSH)
  const repository = await openServed(path)
  const answer = await collect(
    uploadPack(repository, chunked(request), { version: 2, options: {}, onFailure }),
  )
  const header = wire('packfile\n')
  expect(answer.slice(0, header.length)).toEqual(header)
  const { fatal, ended, data } = await demux(answer.slice(header.length))
  expect(fatal).toBe('aborting due to possible repository corruption on the remote side.')
  expect(ended).toBe(false)
  expect(data.length).toBe(0)
  const [failure] = failures
  expect(isGitError(failure, 'MISSING_OBJECT')).toBe(true)
  expect(failure).toHaveProperty('details.id', lost)
})

it('without a side-band it is thrown, so that the connection breaks', async () => {
  const { path, tip } = await createBroken()
  const repository = await openServed(path)
  const request = wire(`want ${tip}`, FLUSH, 'done')
  const sent: Uint8Array[] = []
  const run = async (): Promise<void> => {
    for await (const piece of uploadPack(repository, chunked(request), { version: 0, options: {} }))
      sent.push(piece)
  }
  await expect(run()).rejects.toMatchObject({ code: 'MISSING_OBJECT' })
  expect(sent).toEqual([encodeUtf8('0008NAK\n')])
})

it('work for a client that went away ends, without a word', async () => {
  const path = await temporaryDirectory()
  await git(['init', '-q', '--bare', path])
  const tree = await git(['mktree'], { cwd: path, input: '' })
  const tip = await git(['commit-tree', '-m', 'm', tree], { cwd: path })
  await git(['update-ref', 'refs/heads/main', tip], { cwd: path })
  const gone = new AbortController()
  const failures: unknown[] = []
  const run = async (): Promise<void> => {
    const answer = uploadPack(
      await openServed(path),
      chunked(wire('command=fetch', DELIM, `want ${tip}`, 'done', FLUSH)),
      { version: 2, options: {}, signal: gone.signal, onFailure: (error) => void failures.push(error) },
    )
    for await (const packet of answer) if (packet.length > 0) gone.abort()
  }
  await expect(run()).rejects.toThrow()
  expect(failures).toEqual([])
})
