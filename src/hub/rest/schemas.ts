import * as z from 'zod'
import { isBranchName, isNamespaceName, isRepositoryName, REPOSITORY_NAME_MESSAGE } from '../names.ts'

/** What routes take and answer, each part once: the same schemas read requests and document them. */

export const namespacePath = z.object({ namespace: z.string() })
export const repositoryPath = z.object({ namespace: z.string(), name: z.string() })

export const repositoryName = z
  .string({ error: REPOSITORY_NAME_MESSAGE })
  .refine(isRepositoryName, { error: REPOSITORY_NAME_MESSAGE })
export const namespaceName = z
  .string({ error: 'Invalid namespace name' })
  .refine(isNamespaceName, { error: 'Invalid namespace name' })
export const branchName = z.string().refine(isBranchName, { error: 'Invalid branch name' })
export const description = z.string().max(4096)
export const jurisdiction = z.enum(['unrestricted', 'eu', 'us', 'fedramp'])

/** `limit`, `cursor` and `page` of a list. */
export const listQuery = (defaultLimit: number): z.ZodObject<ListQueryShape> =>
  z.object({
    limit: z.coerce.number().int().positive().max(200).default(defaultLimit),
    cursor: z.string().optional(),
    page: z.coerce.number().int().positive().max(1_000_000_000).optional(),
  })

type ListQueryShape = {
  limit: z.ZodDefault<z.ZodCoercedNumber>
  cursor: z.ZodOptional<z.ZodString>
  page: z.ZodOptional<z.ZodCoercedNumber>
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
  description: z.string().nullable(),
  default_branch: z.string(),
  created_at: z.iso.datetime(),
  updated_at: z.iso.datetime(),
  last_push_at: z.iso.datetime().nullable(),
  source: z.string().nullable(),
  read_only: z.boolean(),
  remote: z.url(),
})

export const repositoryRow = repositoryResult.extend({
  status: z.enum(['creating', 'importing', 'forking', 'ready']),
})

export const createdResult = z.object({
  id: z.string(),
  name: z.string(),
  description: z.string().nullable(),
  default_branch: z.string(),
  remote: z.url(),
  token: z.string(),
})

export const forkedResult = createdResult.extend({ objects: z.int() })

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
