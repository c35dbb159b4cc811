import * as z from 'zod/mini'
import { toCreatedJson } from '../rest/representations.ts'
import { resultResponse } from '../rest/envelope.ts'
import { defineRoute, type Route } from '../rest/route.ts'
import { createdResult, repositoryName } from '../rest/schemas.ts'
import { importRepository } from './import-repository.ts'

const importOne = defineRoute({
  method: 'post',
  pattern: '/namespaces/:namespace/repos/:name/import',
  operationId: 'artifacts_repos_import',
  summary: 'Import a public repository over HTTPS under a new name',
  permission: 'edit',
  path: z.object({ namespace: z.string(), name: repositoryName }),
  body: z.object({
    url: z.string(),
    branch: z
      .optional(z.string().check(z.minLength(1)))
      .check(z.describe('Only this branch, which becomes the default branch')),
    depth: z
      .optional(z.int().check(z.positive(), z.maximum(0x7fffffff)))
      .check(z.describe('How many commits of history')),
    read_only: z.optional(z.boolean()),
  }),
  codes: { '/name': 'INVALID_REPO_NAME' },
  success: { status: 201, result: createdResult },
  failures: [400, 404, 409, 413, 422, 500, 502, 503, 504],
  handle: async ({ hub, path, body }) => {
    const created = await importRepository(hub, {
      namespace: path.namespace,
      name: path.name,
      url: body.url,
      branch: body.branch,
      depth: body.depth,
      readOnly: body.read_only ?? false,
    })
    const { record, token } = created
    return resultResponse(toCreatedJson(hub, { record, token }), { status: 201 })
  },
})

export const importRoutes: readonly Route[] = [importOne]
