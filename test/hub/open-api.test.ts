import { expect, it } from 'vitest'
import type * as z from 'zod/mini'
import { createOpenApiDocument } from '../../src/hub/rest/open-api.ts'
import { routes } from '../../src/hub/rest/routes.ts'
import { createTestHub } from './support.ts'

interface Operation {
  readonly operationId: string
  readonly parameters: readonly { readonly name: string; readonly in: string; readonly required: boolean }[]
  readonly requestBody?: unknown
  readonly responses: Readonly<Record<string, { readonly description: string }>>
}

interface Document {
  readonly openapi: string
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: { readonly schemas: Readonly<Record<string, unknown>> }
}

it('the document is served, and describes every route once, with its parameters and answers', async () => {
  const { hub } = createTestHub()
  const answer = await hub.fetch(new Request('https://hub.example/openapi.json'))
  expect([answer.status, answer.headers.get('Content-Type')]).toEqual([200, 'application/json'])
  const document = (await answer.json()) as Document
  expect(document).toEqual(JSON.parse(JSON.stringify(createOpenApiDocument(routes, 'https://hub.example'))))
  expect(document.openapi).toBe('3.1.0')

  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.values(methods).map((operation) => ({ path, operation })),
  )
  const ids = operations.map(({ operation }) => operation.operationId)
  expect([...ids].sort()).toEqual(routes.map(({ operationId }) => operationId).sort())
  expect(new Set(ids).size).toBe(ids.length)
  for (const { path, operation } of operations) {
    const named = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1])
    const declared = operation.parameters.filter((parameter) => parameter.in === 'path')
    expect([path, declared.map(({ name }) => name)]).toEqual([path, named])
    expect(path).not.toMatch(/[:*]/)
    expect(Object.keys(operation.responses)).toEqual(expect.arrayContaining(['401', '403', '429']))
    for (const response of Object.values(operation.responses)) expect(response.description).not.toBe('')
  }
  for (const [, name] of JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)) {
    expect(Object.keys(document.components.schemas)).toContain(name)
  }
  expect(ids).toEqual(
    expect.arrayContaining([
      'artifacts_namespaces_list',
      'artifacts_namespaces_create',
      'artifacts_namespaces_get',
      'artifacts_repos_list',
      'artifacts_repos_create',
      'artifacts_repos_get',
      'artifacts_repos_delete',
      'artifacts_repos_fork',
      'artifacts_repos_import',
      'artifacts_repo_tokens_list',
      'artifacts_tokens_create',
      'artifacts_tokens_revoke',
    ]),
  )
})

it('answers are what the document says they are, with no field more or less', async () => {
  const { call } = createTestHub()
  const answers = async (operationId: string, path: string, body?: unknown): Promise<unknown> => {
    const route = routes.find((one) => one.operationId === operationId)
    if (route === undefined || !('result' in route.success)) throw new Error(`no route ${operationId}`)
    const { status, json } = await call(route.method.toUpperCase(), path, body)
    expect([operationId, status]).toEqual([operationId, route.success.status])
    const schema: z.ZodMiniType = route.success.result
    // A schema drops the fields that it does not know.
    expect(schema.parse(json.result)).toEqual(json.result)
    expect('result_info' in json).toBe(route.success.paged === true)
    return json.result
  }
  const repository = '/namespaces/ns/repos/a'
  await answers('artifacts_namespaces_create', '/namespaces', { namespace: 'ns', jurisdiction: 'eu' })
  await answers('artifacts_namespaces_list', '/namespaces')
  await answers('artifacts_namespaces_get', '/namespaces/ns')
  await answers('artifacts_repos_create', '/namespaces/ns/repos', { name: 'a' })
  await answers('artifacts_repos_list', '/namespaces/ns/repos')
  await answers('artifacts_repos_get', repository)
  const commit = (await answers('packstone_commits_create', `${repository}/commits`, {
    branch: 'main',
    message: 'first',
    author: { name: 'A', email: 'a@example.com' },
    changes: [{ path: 'file', content: 'text' }],
  })) as { hash: string; tree_hash: string }
  await answers('artifacts_log_get', `${repository}/log`)
  await answers('artifacts_commit_get', `${repository}/commit/${commit.hash}`)
  await answers('artifacts_tree_get', `${repository}/tree/${commit.tree_hash}`)
  await answers('artifacts_repos_fork', `${repository}/fork`, { name: 'b' })
  const token = (await answers('artifacts_tokens_create', '/namespaces/ns/tokens', { repo: 'a' })) as {
    id: string
  }
  await answers('artifacts_repo_tokens_list', `${repository}/tokens`)
  await answers('artifacts_tokens_revoke', `/namespaces/ns/tokens/${token.id}`)
  await answers('artifacts_repos_delete', repository)
})
