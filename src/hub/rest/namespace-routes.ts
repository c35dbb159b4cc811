import * as z from 'zod/mini'
import { ArtifactsError } from '../artifacts-error.ts'
import { resultResponse } from './envelope.ts'
import { listResponse } from './list-response.ts'
import { toNamespaceJson } from './representations.ts'
import { defineRoute, type Route } from './route.ts'
import { jurisdiction, listQuery, namespaceName, namespacePath, namespaceResult } from './schemas.ts'

const listNamespaces = defineRoute({
  method: 'get',
  pattern: '/namespaces',
  operationId: 'artifacts_namespaces_list',
  summary: 'List namespaces',
  permission: 'read',
  query: listQuery(100),
  success: { status: 200, result: z.array(namespaceResult), paged: true },
  failures: [400],
  handle: ({ hub, query }) =>
    listResponse('namespaces', query, (page) => hub.registry.listNamespaces(page), toNamespaceJson),
})

const createNamespace = defineRoute({
  method: 'post',
  pattern: '/namespaces',
  operationId: 'artifacts_namespaces_create',
  summary: 'Create a namespace',
  permission: 'edit',
  body: z.object({ namespace: namespaceName, jurisdiction: z._default(jurisdiction, 'unrestricted') }),
  success: { status: 201, result: namespaceResult },
  failures: [400, 409],
  handle: async ({ hub, body }) => {
    const now = hub.now()
    const record = {
      name: body.namespace,
      jurisdiction: body.jurisdiction,
      createdAt: now,
      updatedAt: now,
    }
    if (!(await hub.registry.createNamespace(record))) {
      throw new ArtifactsError('ALREADY_EXISTS', 'Namespace already exists')
    }
    return resultResponse(toNamespaceJson({ ...record, repositoryCount: 0 }), { status: 201 })
  },
})

const getNamespace = defineRoute({
  method: 'get',
  pattern: '/namespaces/:namespace',
  operationId: 'artifacts_namespaces_get',
  summary: 'Get a namespace',
  permission: 'read',
  path: namespacePath,
  success: { status: 200, result: namespaceResult },
  failures: [404],
  handle: async ({ hub, path }) => {
    const namespace = await hub.registry.findNamespace(path.namespace)
    if (namespace === undefined) throw namespaceNotFound()
    return resultResponse(toNamespaceJson(namespace))
  },
})

const deleteNamespace = defineRoute({
  method: 'delete',
  pattern: '/namespaces/:namespace',
  operationId: 'artifacts_namespaces_delete',
  summary: 'Delete a namespace that has no repositories',
  permission: 'edit',
  path: namespacePath,
  success: { status: 204 },
  failures: [404, 409],
  handle: async ({ hub, path }) => {
    switch (await hub.registry.deleteNamespace(path.namespace)) {
      case 'deleted':
        return new Response(null, { status: 204 })
      case 'absent':
        throw namespaceNotFound()
      case 'not-empty':
        throw new ArtifactsError('ALREADY_EXISTS', 'Namespace still has repositories')
    }
  },
})

export const namespaceRoutes: readonly Route[] = [
  listNamespaces,
  createNamespace,
  getNamespace,
  deleteNamespace,
]

function namespaceNotFound(): ArtifactsError {
  return new ArtifactsError('NOT_FOUND', 'Namespace not found')
}
