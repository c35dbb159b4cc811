import * as z from 'zod/mini'
import { ArtifactsError } from '../artifacts-error.ts'
import { nameKey } from '../names.ts'
import { findRepository } from '../repositories/find-repository.ts'
import { createToken, DEFAULT_TTL, isTtl, revokeRecord, TTL_MESSAGE } from '../tokens/token-actions.ts'
import { resultResponse } from './envelope.ts'
import { toMintedTokenJson, toTokenJson } from './representations.ts'
import { defineRoute, type Route } from './route.ts'
import {
  count,
  idResult,
  namespacePath,
  newTokenResult,
  repositoryPath,
  tokenResult,
  tokenScope,
} from './schemas.ts'

const listTokens = defineRoute({
  method: 'get',
  pattern: '/namespaces/:namespace/repos/:name/tokens',
  operationId: 'artifacts_repo_tokens_list',
  summary: 'List the tokens of a repository, newest first',
  permission: 'read',
  path: repositoryPath,
  query: z.object({
    state: z._default(z.enum(['active', 'expired', 'revoked', 'all']), 'active'),
    per_page: z._default(count(100), 30),
    page: z._default(count(1_000_000), 1),
  }),
  success: { status: 200, result: z.array(tokenResult), paged: true },
  failures: [400, 404, 409],
  handle: async ({ hub, path, query }) => {
    const { state, page, per_page } = query
    const repository = await findRepository(hub, path.namespace, path.name)
    const now = hub.now()
    const { tokens, total } = await hub.registry.listTokens({
      repository: repository.id,
      ...(state === 'all' ? {} : { state }),
      now,
      limit: per_page,
      offset: (page - 1) * per_page,
    })
    const result = tokens.map((token) => toTokenJson(token, now))
    const total_pages = Math.ceil(total / per_page)
    const info = { page, per_page, total_pages, count: result.length, total_count: total }
    return resultResponse(result, { info })
  },
})

const createOne = defineRoute({
  method: 'post',
  pattern: '/namespaces/:namespace/tokens',
  operationId: 'artifacts_tokens_create',
  summary: 'Create a token for a repository',
  permission: 'edit',
  path: namespacePath,
  body: z.object({
    repo: z.string(),
    scope: z._default(tokenScope, 'write'),
    ttl: z._default(
      z.number({ error: TTL_MESSAGE }).check(z.refine(isTtl, { error: TTL_MESSAGE })),
      DEFAULT_TTL,
    ),
  }),
  codes: { '/ttl': 'INVALID_TTL' },
  success: { status: 201, result: newTokenResult },
  failures: [400, 404, 409],
  handle: async ({ hub, path, body }) => {
    const repository = await findRepository(hub, path.namespace, body.repo)
    const token = await createToken(hub, repository, { scope: body.scope, ttl: body.ttl })
    return resultResponse(toMintedTokenJson(token), { status: 201 })
  },
})

const revokeOne = defineRoute({
  method: 'delete',
  pattern: '/namespaces/:namespace/tokens/:id',
  operationId: 'artifacts_tokens_revoke',
  summary: 'Revoke a token',
  permission: 'edit',
  path: z.object({ namespace: z.string(), id: z.string() }),
  success: { status: 200, result: idResult },
  failures: [404],
  handle: async ({ hub, path }) => {
    const token = await hub.registry.findToken(path.id)
    const repository = token && (await hub.registry.readRepository(token.repository))
    if (
      token === undefined ||
      repository === undefined ||
      nameKey(repository.namespace) !== nameKey(path.namespace)
    ) {
      throw new ArtifactsError('NOT_FOUND', 'Token not found')
    }
    await revokeRecord(hub, repository, token)
    return resultResponse({ id: token.id })
  },
})

export const tokenRoutes: readonly Route[] = [listTokens, createOne, revokeOne]
