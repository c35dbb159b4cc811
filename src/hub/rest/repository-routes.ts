import * as z from 'zod/mini'
import { createRepository } from '../repositories/create-repository.ts'
import { deleteRepository } from '../repositories/delete-repository.ts'
import { findRepository, repositoryNotFound } from '../repositories/find-repository.ts'
import { forkRepository } from '../repositories/fork-repository.ts'
import { resultResponse } from './envelope.ts'
import { listResponse } from './list-response.ts'
import { toCreatedJson, toRepositoryJson } from './representations.ts'
import { defineRoute, type Route } from './route.ts'
import {
  branchName,
  createdResult,
  description,
  forkedResult,
  idResult,
  listQuery,
  namespacePath,
  repositoryName,
  repositoryPath,
  repositoryResult,
  repositoryRow,
} from './schemas.ts'

const listRepositories = defineRoute({
  method: 'get',
  pattern: '/namespaces/:namespace/repos',
  operationId: 'artifacts_repos_list',
  summary: 'List the repositories of a namespace',
  permission: 'read',
  path: namespacePath,
  query: z.extend(listQuery(50), {
    search: z.optional(z.string().check(z.maxLength(100))),
    sort: z._default(z.enum(['created_at', 'updated_at', 'last_push_at', 'name']), 'created_at'),
    direction: z._default(z.enum(['asc', 'desc']), 'desc'),
  }),
  success: { status: 200, result: z.array(repositoryRow), paged: true },
  failures: [400],
  handle: ({ hub, path, query }) => {
    const { sort, direction, search } = query
    return listResponse(
      `repos ${sort} ${direction}`,
      query,
      (page) =>
        hub.registry.listRepositories({
          ...page,
          namespace: path.namespace,
          sort,
          direction,
          ...(search === undefined ? {} : { search }),
        }),
      (record) => ({ ...toRepositoryJson(hub, record), status: record.status }),
    )
  },
})

const createOne = defineRoute({
  method: 'post',
  pattern: '/namespaces/:namespace/repos',
  operationId: 'artifacts_repos_create',
  summary: 'Create a repository, and its namespace where there is none',
  permission: 'edit',
  path: namespacePath,
  body: z.object({
    name: repositoryName,
    description: z.nullish(description),
    default_branch: z.optional(branchName),
    read_only: z.optional(z.boolean()),
  }),
  codes: { '/name': 'INVALID_REPO_NAME' },
  success: { status: 201, result: createdResult },
  failures: [400, 409],
  handle: async ({ hub, path, body }) => {
    const created = await createRepository(hub, {
      namespace: path.namespace,
      name: body.name,
      description: body.description ?? null,
      ...(body.default_branch === undefined ? {} : { defaultBranch: body.default_branch }),
      readOnly: body.read_only ?? false,
    })
    return resultResponse(toCreatedJson(hub, created), { status: 201 })
  },
})

const getRepository = defineRoute({
  method: 'get',
  pattern: '/namespaces/:namespace/repos/:name',
  operationId: 'artifacts_repos_get',
  summary: 'Get a repository',
  permission: 'read',
  path: repositoryPath,
  success: { status: 200, result: repositoryResult },
  failures: [404, 409],
  handle: async ({ hub, path }) =>
    resultResponse(toRepositoryJson(hub, await findRepository(hub, path.namespace, path.name))),
})

const deleteOne = defineRoute({
  method: 'delete',
  pattern: '/namespaces/:namespace/repos/:name',
  operationId: 'artifacts_repos_delete',
  summary: 'Delete a repository with its tokens',
  permission: 'edit',
  path: repositoryPath,
  success: { status: 202, result: idResult },
  failures: [404],
  handle: async ({ hub, path }) => {
    const deletion = await deleteRepository(hub, path.namespace, path.name)
    if (deletion.kind === 'absent') throw repositoryNotFound(path.name)
    return resultResponse({ id: deletion.id }, { status: 202 })
  },
})

const forkOne = defineRoute({
  method: 'post',
  pattern: '/namespaces/:namespace/repos/:name/fork',
  operationId: 'artifacts_repos_fork',
  summary: 'Fork a repository within its namespace',
  permission: 'edit',
  path: repositoryPath,
  body: z.object({
    name: repositoryName,
    description: z.nullish(description),
    read_only: z.optional(z.boolean()),
    default_branch_only: z.optional(z.boolean()),
  }),
  codes: { '/name': 'INVALID_REPO_NAME' },
  success: { status: 201, result: forkedResult },
  failures: [400, 404, 409, 503],
  handle: async ({ hub, path, body }) => {
    const source = await findRepository(hub, path.namespace, path.name)
    const created = await forkRepository(hub, source, {
      name: body.name,
      description: body.description ?? null,
      readOnly: body.read_only ?? false,
      // Over REST Artifacts takes every ref unless told otherwise; over the binding, the default branch.
      defaultBranchOnly: body.default_branch_only ?? false,
    })
    return resultResponse(toCreatedJson(hub, created), { status: 201 })
  },
})

export const repositoryRoutes: readonly Route[] = [
  listRepositories,
  createOne,
  getRepository,
  deleteOne,
  forkOne,
]
