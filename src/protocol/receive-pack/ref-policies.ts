import { createRefMatcher, type RefMatcher } from '../../refs/ref-pattern.ts'
import type { ReceivePackOptions } from '../service-options.ts'

/** Which refs each policy is about. */
export interface RefPolicies {
  readonly isProtected: RefMatcher
  readonly isImmutable: RefMatcher
  readonly deniesDeletion: RefMatcher
  readonly deniesNonFastForward: RefMatcher
}

const isBranch: RefMatcher = (name) => name.startsWith('refs/heads/')
const isTag: RefMatcher = (name) => name.startsWith('refs/tags/')
const isNone: RefMatcher = () => false

/**
 * Builds the tests for the policies of the options.
 *
 * @throws GitError `INVALID_ARGUMENT` for a pattern that cannot match
 */
export function createRefPolicies(options: ReceivePackOptions): RefPolicies {
  const { protectedRefs, immutableTags, denyDeletes, denyNonFastForwards } = options
  return {
    isProtected: createRefMatcher(protectedRefs ?? []),
    isImmutable: immutableTags === true ? isTag : isNone,
    deniesDeletion: branchesOr(denyDeletes),
    deniesNonFastForward: branchesOr(denyNonFastForwards),
  }
}

function branchesOr(policy: boolean | readonly string[] | undefined): RefMatcher {
  if (policy === undefined || policy === false) return isNone
  return policy === true ? isBranch : createRefMatcher(policy)
}
