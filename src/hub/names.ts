import { isRefName } from '../refs/ref-name.ts'
import { ArtifactsError } from './artifacts-error.ts'

const REPOSITORY_NAME = /^[a-zA-Z0-9][a-zA-Z0-9._-]*$/
const MAX_REPOSITORY_NAME = 100

const NAMESPACE_NAME = /^[a-zA-Z0-9][a-zA-Z0-9._-]{0,61}[a-zA-Z0-9._]$/

const BRANCH_NAME = /^[a-zA-Z0-9][a-zA-Z0-9._/-]*$/
const MAX_BRANCH_NAME = 256

/** What is said over REST about a repository name that cannot be one. */
export const REPOSITORY_NAME_MESSAGE = `Invalid repo name: must match ${String(REPOSITORY_NAME)}`

/** Tells whether a text can name a repository. */
export function isRepositoryName(name: string): boolean {
  return name.length <= MAX_REPOSITORY_NAME && REPOSITORY_NAME.test(name)
}

/** Tells whether a text can name a namespace: 2 to 63 characters, like the name of a repository, not ending with a hyphen. */
export function isNamespaceName(name: string): boolean {
  return NAMESPACE_NAME.test(name)
}

/** Tells whether a text can name a branch in a request. Git allows more. */
export function isBranchName(name: string): boolean {
  return (
    name.length <= MAX_BRANCH_NAME &&
    BRANCH_NAME.test(name) &&
    !name.endsWith('.') &&
    isRefName(`refs/heads/${name}`)
  )
}

/** @throws ArtifactsError `INVALID_REPO_NAME` */
export function assertRepositoryName(name: string): void {
  if (isRepositoryName(name)) return
  throw new ArtifactsError('INVALID_REPO_NAME', 'Invalid repo name.', {
    restMessage: REPOSITORY_NAME_MESSAGE,
    pointer: '/name',
  })
}

/** @throws ArtifactsError `INVALID_INPUT` */
export function assertNamespaceName(name: string): void {
  if (isNamespaceName(name)) return
  throw new ArtifactsError('INVALID_INPUT', 'Invalid namespace name', { pointer: '/namespace' })
}

/** Names that differ in the case of ASCII letters only have the same key. */
export function nameKey(name: string): string {
  return name.replace(/[A-Z]+/g, (letters) => letters.toLowerCase())
}
