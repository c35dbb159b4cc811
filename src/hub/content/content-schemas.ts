import * as z from 'zod/mini'

export const HASH_SCHEMA = z.string().check(z.regex(/^[0-9a-f]{40}$/, 'Invalid SHA-1 hash'))

const PERSON_SCHEMA = z.object({ name: z.string(), email: z.string() })

export const COMMIT_SCHEMA = z.object({
  hash: z.string(),
  treeHash: z.string(),
  message: z.string(),
  author: PERSON_SCHEMA,
  committer: PERSON_SCHEMA,
  parents: z.array(z.string()),
  authoredAt: z.number().check(z.int(), z.describe('Seconds since the epoch')),
  committedAt: z.number().check(z.int(), z.describe('Seconds since the epoch')),
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
  peeled: z.optional(z.string()),
  target: z.optional(z.string()),
})

export const DIFFERENCE_SCHEMA = z.object({
  from: z.nullable(z.string()),
  to: z.string(),
  files: z.array(
    z.object({
      path: z.string(),
      status: z.enum(['added', 'deleted', 'modified', 'type-changed']),
      oldMode: z.nullable(z.string()),
      oldHash: z.nullable(z.string()),
      newMode: z.nullable(z.string()),
      newHash: z.nullable(z.string()),
    }),
  ),
  truncated: z.boolean(),
})

/** What a commit can hold between the marks of its headers. */
const IN_IDENTITY = z.regex(/^[^<>\n\0]*$/, 'Must have no angle bracket, newline or NUL')

/** Who makes a commit, in a request. */
const AUTHOR_SCHEMA = z.object({
  name: z.string().check(z.minLength(1), IN_IDENTITY),
  email: z.string().check(IN_IDENTITY),
  timestamp: z
    .optional(z.number().check(z.int()))
    .check(z.describe('Seconds since the epoch; now where it is absent')),
  timezone: z.optional(z.string().check(z.regex(/^[+-]\d{4}$/, 'Invalid timezone: expected +hhmm'))),
})

const MODE_SCHEMA = z.enum(['100644', '100755', '120000'])

/** A change of a file, in a request: of `content`, `blob`, `mode` and `delete` at least one is there. */
const CHANGE_SCHEMA = z.object({
  path: z.string(),
  content: z.optional(z.string()),
  encoding: z
    ._default(z.enum(['utf-8', 'base64']), 'utf-8')
    .check(z.describe('How the bytes stand in `content`')),
  blob: z
    .optional(HASH_SCHEMA)
    .check(z.describe('A blob that is in the repository already, instead of `content`')),
  mode: z.optional(MODE_SCHEMA),
  delete: z.optional(z.literal(true)),
})

export const COMMIT_REQUEST_SCHEMA = z.object({
  branch: z
    .optional(z.string().check(z.minLength(1)))
    .check(z.describe("The repository's default branch where it is absent")),
  message: z.string(),
  author: AUTHOR_SCHEMA,
  committer: z.optional(AUTHOR_SCHEMA),
  changes: z.array(CHANGE_SCHEMA),
  expected_head: z
    .optional(z.nullable(HASH_SCHEMA))
    .check(z.describe('What the branch must be; null for a branch that must not exist')),
  start_point: z.optional(HASH_SCHEMA).check(z.describe('Where a new branch begins')),
  allow_empty: z.optional(z.boolean()),
})

export type CommitRequest = z.output<typeof COMMIT_REQUEST_SCHEMA>
export type ChangeRequest = z.output<typeof CHANGE_SCHEMA>

export const COMMIT_RESULT_SCHEMA = z.object({
  hash: z.string(),
  tree_hash: z.string(),
  ref: z.string(),
  before: z.nullable(z.string()),
})
