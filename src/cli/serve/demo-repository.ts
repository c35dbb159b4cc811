import { GitError } from '../../errors.ts'
import type { Hub } from '../../hub/index.ts'

const NAMESPACE = 'demo'
const NAME = 'hello'

const README = `# hello

This repository was made by \`packstone serve --demo\`. Clone it, change something, commit and push:

    git commit -am 'My first push'
    git push
`

export interface DemoOptions {
  readonly hub: Hub
  /** Where the REST interface is, up to `/artifacts`. */
  readonly base: string
  readonly apiToken: string
}

/**
 * Makes sure that a hub has a repository with a commit, by way of its REST interface.
 *
 * @returns an address that clones it and pushes to it, with a new token inside.
 */
export async function prepareDemo(options: DemoOptions): Promise<string> {
  const repository = `/namespaces/${NAMESPACE}/repos/${NAME}`
  const created = await call(options, 'POST', `/namespaces/${NAMESPACE}/repos`, {
    name: NAME,
    description: 'A repository to begin with',
  })
  // There from the last start, as it was left.
  if (created.status !== 409) resultOf(created)
  const log = resultOf(await call(options, 'GET', `${repository}/log?limit=1`))
  if (Array.isArray(log) && log.length === 0) {
    const commit = {
      branch: 'main',
      message: 'Begin the demo repository\n',
      author: { name: 'packstone', email: 'packstone@localhost' },
      changes: [{ path: 'README.md', content: README }],
    }
    resultOf(await call(options, 'POST', `${repository}/commits`, commit))
  }
  const token = resultOf(await call(options, 'POST', `/namespaces/${NAMESPACE}/tokens`, { repo: NAME }))
  const shown = resultOf(await call(options, 'GET', repository))
  const remote = new URL(textOf(shown, 'remote'))
  remote.username = 'x'
  // What is behind the secret is a hint only.
  remote.password = textOf(token, 'plaintext').replace(/\?.*/, '')
  return remote.href
}

interface Answer {
  readonly status: number
  readonly body: unknown
}

async function call(
  { hub, base, apiToken }: DemoOptions,
  method: string,
  path: string,
  body?: unknown,
): Promise<Answer> {
  const response = await hub.fetch(
    new Request(base + path, {
      method,
      headers: { Authorization: `Bearer ${apiToken}`, 'Content-Type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    }),
  )
  return { status: response.status, body: await response.json() }
}

function resultOf({ status, body }: Answer): unknown {
  if (status < 300 && typeof body === 'object' && body !== null && 'result' in body) return body.result
  throw new GitError('STORAGE', `the demo repository cannot be made: ${JSON.stringify(body)}`)
}

function textOf(value: unknown, field: string): string {
  const text: unknown =
    typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[field] : undefined
  if (typeof text === 'string') return text
  throw new GitError('STORAGE', `the demo repository cannot be made: no ${field} came back`)
}
