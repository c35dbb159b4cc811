import { isArtifactsError, type ArtifactsErrorCode } from '../../../src/hub/artifacts-error.ts'
import type { NamespaceBinding, RepositoryBinding } from '../../../src/hub/binding/binding-types.ts'
import { assertEqual, assertTrue } from '../../../src/storage/conformance/assertions.ts'

/** One promise of the binding, checked through whatever interface the given binding is. */
export interface BindingCase {
  readonly name: string
  /** Rejects with what was found and what was expected. */
  readonly run: (binding: NamespaceBinding) => Promise<void>
}

export const author = { name: 'A U Thor', email: 'author@example.com', time: 1_600_000_000 }
export const ABSENT = '1'.repeat(40)

/** What the remote of an import answers in these cases, by the last part of its path. */
export const REMOTE_ANSWERS: Readonly<Record<string, () => Response>> = {
  '/private.git': () => new Response(null, { status: 401 }),
  '/absent.git': () => new Response(null, { status: 404 }),
  '/page': () => new Response('<html>', { headers: { 'Content-Type': 'text/html' } }),
  '/broken.git': () => new Response(null, { status: 503 }),
}

/** The `fetch` of a hub that these cases import with. */
export function answerImports(url: string): Promise<Response> {
  const path = new URL(url).pathname.replace('/info/refs', '')
  return Promise.resolve(REMOTE_ANSWERS[path]?.() ?? new Response(null, { status: 500 }))
}

export async function assertFails(
  run: () => Promise<unknown>,
  code: ArtifactsErrorCode,
  numericCode: number,
  message?: string,
): Promise<void> {
  const what = `${code} ${message ?? ''}`
  let result: unknown
  try {
    result = await run()
  } catch (error) {
    if (!isArtifactsError(error)) throw new Error(`${what}: threw ${String(error)}`, { cause: error })
    assertEqual([error.name, error.code, error.numericCode], ['ArtifactsError', code, numericCode], what)
    if (message !== undefined) assertEqual(error.message, message, what)
    return
  }
  throw new Error(`${what}: gave ${JSON.stringify(result)}`)
}

/** Passes what the types forbid. */
export function wrong(value: unknown): never {
  return value as never
}

export interface Filled {
  readonly repo: RepositoryBinding
  readonly first: string
  readonly second: string
}

export async function fill(binding: NamespaceBinding, name: string): Promise<Filled> {
  await binding.create(name)
  const repo = await binding.get(name)
  const commit = async (changes: Parameters<RepositoryBinding['commit']>[0]['changes']): Promise<string> => {
    const outcome = await repo.commit({ changes, message: ' a change\n\nwith a body', author })
    assertTrue(outcome.kind === 'committed', `the commit was ${outcome.kind}`)
    return outcome.commit
  }
  const first = await commit([
    { path: 'README.md', content: 'hello\n' },
    { path: 'bin/run', content: '#!', mode: '100755' },
    { path: 'link', content: 'README.md', mode: '120000' },
    { path: 'page.html', content: '<b>' },
    { path: 'logo.PNG', content: new Uint8Array([1, 0, 2]) },
    { path: 'zeros', content: new Uint8Array([1, 0, 2]) },
    { path: 'latin', content: new Uint8Array([0xfc, 0x62]) },
    { path: 'large', content: new Uint8Array(5001) },
  ])
  const second = await commit([{ path: 'README.md', content: 'hello again\n' }])
  return { repo, first, second }
}

export async function bytesOf(blob: Blob | null): Promise<number[] | null> {
  return blob && [...new Uint8Array(await blob.arrayBuffer())]
}

export function bindingCase(name: string, run: BindingCase['run']): BindingCase {
  return { name, run }
}
