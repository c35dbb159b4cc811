import { commitFiles, openFile, openRepository, type Repository } from '../../src/index.ts'
import { createClient } from '../../src/client/index.ts'
import { createPortableCodecs } from '../../src/codec/portable/index.ts'
import { createMemoryStorage } from '../../src/storage/memory/index.ts'

/** What the page did, for the test to compare with git. */
export interface PageReport {
  readonly read: string
  readonly committed: string
  readonly pushed: readonly string[]
}

/** Clones a repository into the page's memory, reads a file, commits another one and pushes the commit back. */
async function cloneCommitAndPush(url: string): Promise<PageReport> {
  const storage = await createMemoryStorage().create('clone', {
    objectFormat: 'sha1',
    head: 'refs/heads/main',
  })
  const repository = openRepository(storage, { codecs: createPortableCodecs() })
  const client = createClient({ url })
  await client.clone(repository)
  const read = await readText(repository, 'folder/greeting.txt')
  const outcome = await commitFiles(repository, {
    branch: 'main',
    changes: [{ path: 'folder/answer.txt', content: `${read.trim()} yourself\n` }],
    message: 'Answer from a page',
    author: { name: 'Page', email: 'page@example.com', time: 1_700_000_000 },
  })
  if (outcome.kind !== 'committed') throw new Error(`the commit was not made: ${outcome.kind}`)
  const { refs } = await client.push(repository, {
    updates: [{ name: 'refs/heads/main', source: 'refs/heads/main' }],
  })
  return { read, committed: outcome.commit, pushed: refs.map((ref) => `${ref.kind} ${ref.name}`) }
}

async function readText(repository: Repository, path: string): Promise<string> {
  const view = await repository.openView()
  try {
    const file = await openFile(repository.storage, view, 'HEAD', path)
    if (file === undefined) throw new Error(`${path} is not in the clone`)
    const pieces: Uint8Array<ArrayBuffer>[] = []
    for await (const piece of file.read()) pieces.push(new Uint8Array(piece))
    return await new Blob(pieces).text()
  } finally {
    await view.close()
  }
}

Object.assign(globalThis, { cloneCommitAndPush })
