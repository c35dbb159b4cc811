import * as z from 'zod'

export const HASH_SCHEMA = z.string().regex(/^[0-9a-f]{40}$/, 'Invalid SHA-1 hash')

const PERSON_SCHEMA = z.object({ name: z.string(), email: z.string() })

export const COMMIT_SCHEMA = z.object({
  hash: z.string(),
  treeHash: z.string(),
  message: z.string(),
  author: PERSON_SCHEMA,
  committer: PERSON_SCHEMA,
  parents: z.array(z.string()),
  authoredAt: z.number().int().describe('Seconds since the epoch'),
  committedAt: z.number().int().describe('Seconds since the epoch'),
})

export const TREE_ENTRY_SCHEMA = z.object({
  name: z.string(),
  mode: z.string(),
  hash: z.string(),
  type: z.enum(['tree', 'blob', 'exec', 'symlink', 'gitlink']),
})

export const REF_SCHEMA = z.object({
  name: z.string(),
  hash: z.string(),
  peeled: z.string().optional(),
  target: z.string().optional(),
})

export const DIFFERENCE_SCHEMA = z.object({
  from: z.string().nullable(),
  to: z.string(),
  files: z.array(
    z.object({
      path: z.string(),
      status: z.enum(['added', 'deleted', 'modified', 'type-changed']),
      oldMode: z.string().nullable(),
      oldHash: z.string().nullable(),
      newMode: z.string().nullable(),
      newHash: z.string().nullable(),
    }),
  ),
  truncated: z.boolean(),
})

/** Who makes a commit, in a request. */
const AUTHOR_SCHEMA = z.object({
  name: z.string().min(1),
  email: z.string(),
  timestamp: z.number().int().optional().describe('Seconds since the epoch; now where it is absent'),
  timezone: z
    .string()
    .regex(/^[+-]\d{4}$/, 'Invalid timezone: expected +hhmm')
    .optional(),
})

const MODE_SCHEMA = z.enum(['100644', '100755', '120000'])

/** A change of a file, in a request: of `content`, `blob`, `mode` and `delete` at least one is there. */
const CHANGE_SCHEMA = z.object({
  path: z.string(),
  content: z.string().optional(),
  encoding: z.enum(['utf-8', 'base64']).default('utf-8').describe('How the bytes stand in `content`'),
  blob: HASH_SCHEMA.optional().describe('A blob that is in the repository already, instead of `content`'),
  mode: MODE_SCHEMA.optional(),
  delete: z.literal(true).optional(),
})

export const COMMIT_REQUEST_SCHEMA = z.object({
  branch: z.string().min(1).optional().describe("The repository's default branch where it is absent"),
  message: z.string(),
  author: AUTHOR_SCHEMA,
  committer: AUTHOR_SCHEMA.optional(),
  changes: z.array(CHANGE_SCHEMA),
  expected_head: HASH_SCHEMA.nullable()
    .optional()
    .describe('What the branch must be; null for a branch that must not exist'),
  start_point: HASH_SCHEMA.optional().describe('Where a new branch begins'),
  allow_empty: z.boolean().optional(),
})

export type CommitRequest = z.output<typeof COMMIT_REQUEST_SCHEMA>
export type ChangeRequest = z.output<typeof CHANGE_SCHEMA>

export const COMMIT_RESULT_SCHEMA = z.object({
  hash: z.string(),
  tree_hash: z.string(),
  ref: z.string(),
  before: z.string().nullable(),
})
