import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createNodeCodecs } from '../../src/codec/node/index.ts'
import { createGitHandler, readProtocolOptions } from '../../src/http/index.ts'
import { openRepository, type Repository } from '../../src/repository/repository.ts'
import { createFsStorage } from '../../src/storage/fs/index.ts'
import { createBucketStorage } from '../../src/storage/manifest/manifest-storage.ts'
import { createMemoryStorage } from '../../src/storage/memory/index.ts'
import { createSqliteStorage } from '../../src/storage/sqlite/index.ts'
import { openNodeDatabase } from '../../src/storage/sqlite/drivers/node.ts'
import type { Storage } from '../../src/storage/storage.ts'
import { createMemoryBucket } from '../support/buckets/memory-bucket.ts'
import { encodeRawPack } from '../support/raw-pack.ts'

/* Objects that break git's rules are refused unless somebody says otherwise, wherever they would be stored. */

let top: string
beforeAll(async () => {
  top = await mkdtemp(join(tmpdir(), 'packstone-fsck-'))
})
afterAll(() => rm(top, { recursive: true, force: true }))

const ADAPTERS: Readonly<Record<string, () => Promise<Storage>>> = {
  memory: () => Promise.resolve(createMemoryStorage()),
  fs: () => Promise.resolve(createFsStorage({ directory: join(top, 'fs') })),
  bucket: () => Promise.resolve(createBucketStorage(createMemoryBucket(), { probe: true, prefix: 'git/' })),
  sqlite: async () =>
    createSqliteStorage({ database: await openNodeDatabase({ path: join(top, 'objects.db') }) }),
}

const commit = Buffer.from(
  `tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\nauthor A<a@example.com> 1 +0000\ncommitter C <c@example.com> 1 +0000\n\nx\n`,
)
const id = createHash('sha1').update(`commit ${commit.length}\0`).update(commit).digest('hex')
const pack = encodeRawPack([
  { type: 'tree', body: Buffer.alloc(0) },
  { type: 'commit', body: commit },
])

/** Pushes the commit; resolves with the report. */
async function push(repository: Repository, isBare: boolean): Promise<string> {
  const handler = createGitHandler({
    resolve: async () => ({
      kind: 'found',
      repository,
      access: { upload: true, receive: true },
      // With and without the settings of the repository.
      ...(isBare ? {} : { options: await readProtocolOptions(repository) }),
    }),
  })
  const command = `${'0'.repeat(40)} ${id} refs/heads/main\0report-status`
  const head = `${(command.length + 4).toString(16).padStart(4, '0')}${command}0000`
  const request = new Request('http://host/a/git-receive-pack', {
    method: 'POST',
    headers: { 'Content-Type': 'application/x-git-receive-pack-request' },
    body: Buffer.concat([Buffer.from(head, 'latin1'), pack]),
  })
  return (await handler(request)).text()
}

describe.each(Object.entries(ADAPTERS))('received objects in %s', (_, open) => {
  it('are checked by default, and not where receive.fsckObjects is false', async () => {
    const storage = await open()
    const stored = await storage.create('a', { objectFormat: 'sha1', head: 'refs/heads/main' })
    const repository = openRepository(stored, { codecs: createNodeCodecs() })
    for (const isBare of [true, false]) {
      expect(await push(repository, isBare)).toContain('missingSpaceBeforeEmail')
      expect(await repository.resolveRef('refs/heads/main')).toBeUndefined()
      expect(await stored.listPacks()).toEqual([])
    }
    await stored.writeConfig(`${await stored.readConfig()}[receive]\n\tfsckObjects = false\n`)
    expect(await push(repository, false)).toContain('ok refs/heads/main')
    expect(await repository.resolveRef('refs/heads/main')).toBe(id)
    await repository.close()
    await storage.close()
  })
})
