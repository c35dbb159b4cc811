import * as z from 'zod/mini'
import { isBranchName, isNamespaceName, isRepositoryName, REPOSITORY_NAME_MESSAGE } from '../names.ts'

/** What routes take and answer, each part once: the same schemas read requests and document them. */

export const namespacePath = z.object({ namespace: z.string() })
export const repositoryPath = z.object({ namespace: z.string(), name: z.string() })

export const repositoryName = z
  .string({ error: REPOSITORY_NAME_MESSAGE })
  .check(z.refine(isRepositoryName, { error: REPOSITORY_NAME_MESSAGE }))
export const namespaceName = z
  .string({ error: 'Invalid namespace name' })
  .check(z.refine(isNamespaceName, { error: 'Invalid namespace name' }))
export const branchName = z.string().check(z.refine(isBranchName, { error: 'Invalid branch name' }))
export const description = z.string().check(z.maxLength(4096))
export const jurisdiction = z.enum(['unrestricted', 'eu', 'us', 'fedramp'])

/** A whole number from 1 to `maximum` in a query. */
export const count = (maximum: number): z.ZodMiniNumber =>
  z.coerce.number().check(z.int(), z.positive(), z.maximum(maximum))

/** `limit`, `cursor` and `page` of a list. */
export const listQuery = (defaultLimit: number): z.ZodMiniObject<ListQueryShape> =>
  z.object({
    limit: z._default(count(200), defaultLimit),
    cursor: z.optional(z.string()),
    page: z.optional(count(1_000_000_000)),
  })

type ListQueryShape = {
  limit: z.ZodMiniDefault<z.ZodMiniNumber>
  cursor: z.ZodMiniOptional<z.ZodMiniString>
  page: z.ZodMiniOptional<z.ZodMiniNumber>
}

export const namespaceResult = z.object({
  namespace: z.string(),
  jurisdiction,
  repo_count: z.int(),
  created_at: z.iso.datetime(),
  updated_at: z.iso.datetime(),
})

export const repositoryResult = z.object({
  id: z.string(),
  name: z.string(),
  description: z.nullable(z.string()),
  default_branch: z.string(),
  created_at: z.iso.datetime(),
  updated_at: z.iso.datetime(),
  last_push_at: z.nullable(z.iso.datetime()),
  source: z.nullable(z.string()),
  read_only: z.boolean(),
  remote: z.url(),
})

export const repositoryRow = z.extend(repositoryResult, {
  status: z.enum(['creating', 'importing', 'forking', 'ready']),
})

export const createdResult = z.object({
  id: z.string(),
  name: z.string(),
  description: z.nullable(z.string()),
  default_branch: z.string(),
  remote: z.url(),
  token: z.string(),
})

export const forkedResult = z.extend(createdResult, { objects: z.int() })

export const tokenScope = z.enum(['read', 'write'])

export const tokenResult = z.object({
  id: z.string(),
  scope: tokenScope,
  state: z.enum(['active', 'expired', 'revoked']),
  created_at: z.iso.datetime(),
  expires_at: z.iso.datetime(),
})

export const newTokenResult = z.object({
  id: z.string(),
  plaintext: z.string(),
  scope: tokenScope,
  expires_at: z.iso.datetime(),
})

export const idResult = z.object({ id: z.string() })
