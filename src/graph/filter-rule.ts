import { BLOB, TREE, type ObjectType } from '../object/object-type.ts'
import type { BoundFilter } from './object-filter.ts'

/** What a filter says of an object that is met: any of the bits below. */
export type Verdict = number

/** The object is let through. */
export const SHOW = 1
/** The filter need not be asked about this object again. */
export const SETTLED = 2
/** Nothing below this tree is let through. */
export const CLOSED = 4

/** An object as a filter meets it. */
export interface Meeting {
  /** A number that stands for the object. */
  readonly object: number
  readonly type: ObjectType
  /** Path of a tree or blob from where the walk began, `''` there. Only where the rule asks for it. */
  readonly path: string
  readonly name: string
  /** Size of a blob. */
  readonly size: number
}

/**
 * A filter in the course of one walk. It is told of every tree twice, before and after what is below it, except for trees that
 * were asked for themselves: these are always sent, and do not count as a level.
 */
export interface FilterRule {
  meet(met: Meeting): Verdict
  leave(object: number): Verdict
}

/** Starts a filter for one walk. It answers as git's does, down to what depends on the order of the walk. */
export function createFilterRule(filter: BoundFilter): FilterRule {
  switch (filter.kind) {
    case 'blob:none':
    case 'blob:limit':
    case 'object:type': {
      const { showsType, limit } = typesOf(filter)
      const isOpen = showsType(BLOB) || showsType(TREE)
      return {
        meet: ({ type, size }) => {
          if (type === TREE && !isOpen) return CLOSED
          return SETTLED | (showsType(type) && (type !== BLOB || size < limit) ? SHOW : 0)
        },
        leave: () => 0,
      }
    }
    case 'tree':
      return createTreeRule(filter.depth)
    case 'sparse:oid':
      return createSparseRule(filter)
    case 'combine':
      return createCombinedRule(filter.filters.map(createFilterRule))
  }
}

function typesOf(filter: Exclude<BoundFilter, { kind: 'tree' | 'sparse:oid' | 'combine' }>): {
  readonly showsType: (type: ObjectType) => boolean
  readonly limit: number
} {
  if (filter.kind === 'object:type') {
    return { showsType: (type) => type === filter.type, limit: Infinity }
  }
  return { showsType: () => true, limit: filter.kind === 'blob:none' ? 0 : filter.limit }
}

function createTreeRule(limit: number): FilterRule {
  let depth = 0
  /** By object: the least depth at which a tree was met. */
  const metAt: (number | undefined)[] = []
  return {
    meet: ({ object, type }) => {
      if (type === BLOB) return depth < limit ? SHOW | SETTLED : 0
      if (type !== TREE) return SHOW | SETTLED
      const here = depth++
      if (here >= (metAt[object] ?? Infinity)) return CLOSED
      metAt[object] = here
      return here < limit ? SHOW : CLOSED
    },
    leave: () => {
      depth--
      return 0
    },
  }
}

function createSparseRule({ patterns }: Extract<BoundFilter, { kind: 'sparse:oid' }>): FilterRule {
  /** By level: whether what no pattern matches is chosen, and whether everything below was. */
  const chosen: boolean[] = [false]
  const whole: boolean[] = [true]
  const seen: boolean[] = []
  return {
    meet: ({ object, type, path, name }) => {
      if (type !== TREE && type !== BLOB) return SHOW | SETTLED
      const isChosen = patterns.match(path, name, type === TREE) ?? chosen[chosen.length - 1] ?? false
      if (type === TREE) {
        chosen.push(isChosen)
        whole.push(true)
        if (seen[object] === true) return 0
        seen[object] = true
        return SHOW
      }
      if (isChosen) return SHOW | SETTLED
      // Another path may choose it.
      whole[whole.length - 1] = false
      return 0
    },
    leave: () => {
      chosen.pop()
      const isWhole = whole.pop() ?? true
      if (!isWhole) whole[whole.length - 1] = false
      return isWhole ? SETTLED : 0
    },
  }
}

function createCombinedRule(rules: readonly FilterRule[]): FilterRule {
  const parts = rules.map((rule) => ({ rule, settled: [] as boolean[], closedBy: -1 }))
  const combine = (ask: (part: (typeof parts)[number]) => Verdict): Verdict => {
    let verdict = SHOW | SETTLED | CLOSED
    for (const part of parts) {
      verdict &= ask(part) | CLOSED
      if (part.closedBy < 0) verdict &= ~CLOSED
    }
    return verdict
  }
  const askPart = (part: (typeof parts)[number], object: number, ask: () => Verdict): Verdict => {
    if (part.settled[object] === true) return 0
    const verdict = ask()
    if ((verdict & SETTLED) !== 0) part.settled[object] = true
    if ((verdict & CLOSED) !== 0) part.closedBy = object
    return verdict
  }
  return {
    meet: (met) =>
      combine((part) => (part.closedBy >= 0 ? 0 : askPart(part, met.object, () => part.rule.meet(met)))),
    leave: (object) =>
      combine((part) => {
        if (part.closedBy >= 0 && part.closedBy !== object) return 0
        part.closedBy = -1
        return askPart(part, object, () => part.rule.leave(object))
      }),
  }
}

/** A filter whose answer depends on nothing but the object. */
export interface TypeRule {
  readonly showsType: (type: ObjectType) => boolean
  /** Blobs of this size and more are left out. */
  readonly limit: number
}

/** The filter as a {@link TypeRule}, where it is one. */
export function tryTypeRule(filter: BoundFilter): TypeRule | undefined {
  switch (filter.kind) {
    case 'blob:none':
    case 'blob:limit':
    case 'object:type':
      return typesOf(filter)
    case 'tree':
      if (filter.depth > 0) return undefined
      return { showsType: (type) => type !== TREE && type !== BLOB, limit: Infinity }
    case 'sparse:oid':
      return undefined
    case 'combine': {
      const rules = filter.filters.map(tryTypeRule)
      if (!rules.every((rule) => rule !== undefined)) return undefined
      return {
        showsType: (type) => rules.every(({ showsType }) => showsType(type)),
        limit: Math.min(...rules.map(({ limit }) => limit)),
      }
    }
  }
}

/** Whether the filter may look at a path, so that the walk has to know it. */
export function needsPaths(filter: BoundFilter): boolean {
  return filter.kind === 'combine' ? filter.filters.some(needsPaths) : filter.kind === 'sparse:oid'
}

/** Whether the filter may look at the size of a blob. */
export function needsSizes(filter: BoundFilter): boolean {
  return filter.kind === 'combine' ? filter.filters.some(needsSizes) : filter.kind === 'blob:limit'
}
