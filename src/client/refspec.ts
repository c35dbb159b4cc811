import { GitError } from '../errors.ts'
import { isRefName, isWellFormedRefName } from '../refs/ref-name.ts'
import { expandShortName } from '../refs/short-ref-name.ts'
import type { AdvertisedRef } from '../repository/repository.ts'

/** Which refs of a remote are fetched, and where they go (git-fetch, `<refspec>`). */
export type Refspec =
  | {
      readonly kind: 'pattern'
      readonly force: boolean
      /** What stands before and after the `*`. */
      readonly source: readonly [before: string, after: string]
      readonly destination: readonly [before: string, after: string] | undefined
    }
  | {
      readonly kind: 'single'
      readonly force: boolean
      readonly source: string
      readonly destination: string | undefined
    }
  | { readonly kind: 'exclude'; readonly source: readonly [before: string, after: string] | string }

/**
 * Parses a refspec: `[+]<source>[:<destination>]`, or `^<source>` for what is left out. A source may be a full ref name, a short one
 * (`main`), an object id, or have one `*`, which the destination then has too. A destination is a full name.
 *
 * @throws GitError `INVALID_ARGUMENT`
 */
export function parseRefspec(text: string): Refspec {
  const fail = (problem: string): GitError =>
    new GitError('INVALID_ARGUMENT', `'${text.slice(0, 200)}' is not a refspec: ${problem}`)
  if (text.startsWith('^')) {
    const source = text.slice(1)
    if (source.includes(':') || !source.startsWith('refs/'))
      throw fail(`what is left out is one full ref name or pattern`)
    const halves = split(source)
    if (halves === null || !isName(source)) throw fail('the name is malformed')
    return { kind: 'exclude', source: halves ?? source }
  }
  const force = text.startsWith('+')
  const parts = text.slice(force ? 1 : 0).split(':')
  const [source = '', destination = ''] = parts
  if (parts.length > 2) throw fail(`it has more than one ':'`)
  if (source === '') throw fail('it has no source')
  const from = split(source)
  const to = split(destination)
  if (from === null || to === null) throw fail(`a side has more than one '*'`)
  if (!isName(source)) throw fail('the source is malformed')
  if (destination !== '' && (!destination.startsWith('refs/') || !isName(destination))) {
    throw fail(`the destination is not a full ref name that begins with 'refs/'`)
  }
  if (from === undefined) {
    if (to !== undefined) throw fail(`the destination has a '*' and the source has none`)
    return { kind: 'single', force, source, destination: destination === '' ? undefined : destination }
  }
  if (destination !== '' && to === undefined) throw fail(`the source has a '*' and the destination has none`)
  return { kind: 'pattern', force, source: from, destination: destination === '' ? undefined : to }
}

/** The halves around the one `*`; `undefined` without any, `null` for several. */
function split(text: string): readonly [string, string] | undefined | null {
  const halves = text.split('*')
  const [before = '', after = ''] = halves
  return halves.length === 1 ? undefined : halves.length === 2 ? [before, after] : null
}

function isName(text: string): boolean {
  return isWellFormedRefName(text.replace('*', 'x'), { allowOneLevel: true })
}

/** What stands for the `*` when a name matches the halves around it. */
function matchPattern(name: string, [before, after]: readonly [string, string]): string | undefined {
  const fits = name.length >= before.length + after.length && name.startsWith(before) && name.endsWith(after)
  return fits ? name.slice(before.length, name.length - after.length) : undefined
}

/** Prefixes under which a remote has everything that the refspecs name. */
export function prefixesOf(refspecs: readonly Refspec[]): readonly string[] {
  return refspecs.flatMap((refspec) => {
    if (refspec.kind === 'exclude') return []
    return refspec.kind === 'pattern' ? [refspec.source[0]] : expandShortName(refspec.source)
  })
}

/** One ref of the remote and where it goes. */
export interface RefMapping {
  /** The remote's name for it; `undefined` for an object that was asked for by id. */
  readonly remote: string | undefined
  readonly id: string
  /** The ref to write; `undefined` when only objects are wanted. */
  readonly local: string | undefined
  readonly force: boolean
}

/**
 * Applies refspecs to what a remote has.
 *
 * @throws GitError `NOT_FOUND` for a single source that the remote lacks, `INVALID_ARGUMENT` when two refs would go to one place
 */
export function mapRefs(
  refspecs: readonly Refspec[],
  refs: readonly AdvertisedRef[],
  isId: (text: string) => boolean,
): RefMapping[] {
  const byName = new Map(refs.map((ref) => [ref.name, ref]))
  const mappings: RefMapping[] = []
  for (const refspec of refspecs) {
    if (refspec.kind === 'exclude') continue
    const { force } = refspec
    if (refspec.kind === 'pattern') {
      for (const { name, id } of refs) {
        const star = matchPattern(name, refspec.source)
        if (star === undefined || name === 'HEAD' || isExcluded(refspecs, name)) continue
        const { destination } = refspec
        mappings.push({
          remote: name,
          id,
          local: destination && `${destination[0]}${star}${destination[1]}`,
          force,
        })
      }
      continue
    }
    const found = expandShortName(refspec.source)
      .map((name) => byName.get(name))
      .find((ref) => ref !== undefined)
    if (found !== undefined) {
      if (!isExcluded(refspecs, found.name))
        mappings.push({ remote: found.name, id: found.id, local: refspec.destination, force })
    } else if (isId(refspec.source)) {
      mappings.push({ remote: undefined, id: refspec.source, local: refspec.destination, force })
    } else {
      throw new GitError('NOT_FOUND', `the remote has no ref '${refspec.source}'`, {
        details: { ref: refspec.source },
      })
    }
  }
  return withoutRepeats(mappings)
}

function withoutRepeats(mappings: readonly RefMapping[]): RefMapping[] {
  const byLocal = new Map<string, RefMapping>()
  return mappings.filter((mapping) => {
    const { local, remote, id } = mapping
    if (local === undefined) return true
    const other = byLocal.get(local)
    byLocal.set(local, other ?? mapping)
    if (other === undefined) return true
    if (other.remote === remote && other.id === id) return false
    throw new GitError(
      'INVALID_ARGUMENT',
      `cannot fetch both ${other.remote ?? other.id} and ${remote ?? id} to ${local}; change the refspecs`,
      { details: { ref: local } },
    )
  })
}

/**
 * Which stored refs a fetch that prunes deletes: those that a pattern writes to and whose source the remote no longer has. What is left
 * out by a `^` is left alone, and so is what another refspec writes.
 *
 * @param names what is stored, without symbolic refs, which are never stale.
 */
export function listStaleRefs(
  refspecs: readonly Refspec[],
  refs: readonly AdvertisedRef[],
  names: readonly string[],
): readonly string[] {
  const present = new Set(refs.map(({ name }) => name))
  const isFresh = (source: string): boolean => present.has(source) || isExcluded(refspecs, source)
  return names.filter((name) => {
    if (refspecs.some((refspec) => refspec.kind === 'single' && refspec.destination === name)) return false
    const sources = refspecs.flatMap((refspec) => {
      if (refspec.kind !== 'pattern' || refspec.destination === undefined) return []
      const star = matchPattern(name, refspec.destination)
      return star === undefined ? [] : [`${refspec.source[0]}${star}${refspec.source[1]}`]
    })
    return sources.length > 0 && !sources.some(isFresh)
  })
}

function isExcluded(refspecs: readonly Refspec[], name: string): boolean {
  return refspecs.some(
    (refspec) =>
      refspec.kind === 'exclude' &&
      (typeof refspec.source === 'string'
        ? refspec.source === name
        : matchPattern(name, refspec.source) !== undefined),
  )
}

/** Whether a ref of this name may be stored here. */
export function isStorable(name: string): boolean {
  return name !== 'HEAD' && isRefName(name)
}
