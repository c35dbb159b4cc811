import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { gitEnvironment } from '../git.ts'
import type { ForeignClient, ForeignPush } from './foreign-client.ts'

/** Debian's packages are for Debian's Python, not for another one that comes first on the PATH. */
const PYTHON = '/usr/bin/python3'

/** How long one command may take, in milliseconds. */
const TIMEOUT = 240_000

/** Starts a client written in Python. */
export async function startPythonClient(library: 'pygit2' | 'dulwich'): Promise<ForeignClient> {
  const missing = `the interop tests need Debian's package python3-${library}: apt-get install python3-${library}`
  if (!existsSync(PYTHON)) throw new Error(missing)
  const child = spawn(PYTHON, [`${import.meta.dirname}/${library}_client.py`], {
    env: { ...gitEnvironment(), PYTHONDONTWRITEBYTECODE: '1' },
  })
  let log = ''
  child.stderr.on('data', (chunk: Buffer) => {
    log += chunk.toString()
  })
  child.stdin.on('error', () => undefined)
  const closed = once(child, 'close')
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()

  const ask = async (command: string, options: object = {}): Promise<unknown> => {
    child.stdin.write(`${JSON.stringify({ command, ...options })}\n`)
    const timer = setTimeout(() => child.kill('SIGKILL'), TIMEOUT)
    try {
      const line = await lines.next()
      if (line.done === true) throw new Error(`${library} ended during ${command}:\n${log}`)
      const answer = JSON.parse(line.value) as { readonly result?: unknown; readonly error?: string }
      if (answer.error !== undefined) throw new Error(`${library} ${command}: ${answer.error}`)
      return answer.result
    } finally {
      clearTimeout(timer)
    }
  }
  const client: ForeignClient = {
    version: async () => String(await ask('version')),
    clone: async (url, path, options) => {
      await ask('clone', { url, path, ...options })
    },
    fetch: async (path, options) => {
      await ask('fetch', { path, ...options })
    },
    push: async (path, url, refspecs) => (await ask('push', { path, url, refspecs })) as ForeignPush,
    listRefs: async (url, path) => (await ask('list_refs', { url, path })) as Record<string, string>,
    close: async () => {
      child.stdin.end()
      await closed
    },
  }
  await client.version().catch((error: unknown) => {
    if (/No module named/.test(log)) throw new Error(missing)
    throw error
  })
  return client
}
