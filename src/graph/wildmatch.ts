/*
 * Shell patterns as git's ignore files have them (gitignore): `?`, `*`, `**`, `[…]` with ranges, negation and POSIX classes,
 * `\` before a character that stands for itself. Text is bytes, one to a character (Latin-1).
 */

/** Whether a text is matched. */
export type Wildmatch = (text: string) => boolean

const CLASSES: Readonly<Record<string, string>> = {
  alnum: '0-9A-Za-z',
  alpha: 'A-Za-z',
  blank: ' \\t',
  cntrl: '\\x00-\\x1f\\x7f',
  digit: '0-9',
  graph: '!-~',
  lower: 'a-z',
  print: ' -~',
  punct: '!-\\/:-@\\[-`{-~',
  space: '\\t-\\r ',
  upper: 'A-Z',
  xdigit: '0-9A-Fa-f',
}

/** One step of a pattern. */
type Token =
  | { readonly kind: 'one'; readonly test: (code: number) => boolean }
  /** `*`; `deep` crosses slashes. */
  | { readonly kind: 'many'; readonly deep: boolean }
  /** Any number of whole directories, none included: a double star between slashes, with the slash behind it. */
  | { readonly kind: 'directories' }

/**
 * Compiles a pattern.
 *
 * Matching costs at most pattern length times text length: no pattern can make it take long.
 *
 * @param inPath stars and brackets do not match slashes, except for a double star that stands alone between them
 */
export function createWildmatch(pattern: string, inPath: boolean): Wildmatch {
  const tokens = tokenize(pattern, inPath)
  return tokens === undefined ? () => false : (text) => matches(tokens, text)
}

/** The steps of a pattern; `undefined` when it is malformed, and so matches nothing. */
function tokenize(pattern: string, inPath: boolean): readonly Token[] | undefined {
  const tokens: Token[] = []
  for (let at = 0; at < pattern.length;) {
    const char = pattern[at]
    if (char === '*') {
      let end = at
      while (pattern[end] === '*') end++
      const alone = (at === 0 || pattern[at - 1] === '/') && isDoubleStarEnd(pattern, end)
      if (!inPath) tokens.push({ kind: 'many', deep: true })
      else if (end - at < 2 || !alone) tokens.push({ kind: 'many', deep: false })
      else if (pattern[end] === '/') {
        tokens.push({ kind: 'directories' })
        end++
      } else tokens.push({ kind: 'many', deep: true })
      at = end
    } else if (char === '?') {
      tokens.push({ kind: 'one', test: (code) => !inPath || code !== SLASH })
      at++
    } else if (char === '[') {
      const bracket = parseBracket(pattern, at, inPath)
      if (bracket === undefined) return undefined
      tokens.push({ kind: 'one', test: bracket.test })
      at = bracket.end
    } else {
      if (char === '\\') at++
      if (at === pattern.length) return undefined
      const literal = pattern.charCodeAt(at)
      tokens.push({ kind: 'one', test: (code) => code === literal })
      at++
    }
  }
  return tokens
}

const SLASH = 0x2f

function isDoubleStarEnd(pattern: string, end: number): boolean {
  return end === pattern.length || pattern[end] === '/' || (pattern[end] === '\\' && pattern[end + 1] === '/')
}

function parseBracket(
  pattern: string,
  start: number,
  inPath: boolean,
): { readonly test: (code: number) => boolean; readonly end: number } | undefined {
  let at = start + 1
  const negated = pattern[at] === '!' || pattern[at] === '^'
  if (negated) at++
  const ranges: (readonly [number, number])[] = []
  const classes: RegExp[] = []
  let previous = -1
  for (let first = true; first || pattern[at] !== ']'; first = false) {
    if (at >= pattern.length) return undefined
    if (pattern[at] === '[' && pattern[at + 1] === ':') {
      const close = pattern.indexOf(']', at + 2)
      if (close < 0) return undefined
      if (pattern[close - 1] === ':' && close - at > 3) {
        const members = CLASSES[pattern.slice(at + 2, close - 1)]
        if (members === undefined) return undefined
        classes.push(new RegExp(`[${members}]`))
        previous = -1
        at = close + 1
        continue
      }
    }
    const isRange = pattern[at] === '-' && previous >= 0 && at + 1 < pattern.length && pattern[at + 1] !== ']'
    if (isRange) at++
    if (pattern[at] === '\\') at++
    if (at >= pattern.length) return undefined
    const code = pattern.charCodeAt(at)
    ranges.push([isRange ? previous : code, code])
    previous = isRange ? -1 : code
    at++
  }
  const test = (code: number): boolean => {
    if (inPath && code === SLASH) return false
    const found =
      ranges.some(([from, to]) => code >= from && code <= to) ||
      classes.some((members) => members.test(String.fromCharCode(code)))
    return found !== negated
  }
  return { test, end: at + 1 }
}

/** Steps through the text with the set of all places in the pattern that it may have come to. */
function matches(tokens: readonly Token[], text: string): boolean {
  let places = new Uint8Array(tokens.length + 1)
  enter(tokens, places, 0)
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    const next = new Uint8Array(tokens.length + 1)
    for (let place = 0; place < tokens.length; place++) {
      const state = places[place]!
      if (state === 0) continue
      const token = tokens[place]!
      if (token.kind === 'one') {
        if (token.test(code)) enter(tokens, next, place + 1)
      } else if (token.kind === 'many') {
        if (token.deep || code !== SLASH) enter(tokens, next, place)
      } else if (code === SLASH) enter(tokens, next, place)
      else next[place] = INSIDE
    }
    places = next
  }
  return places[tokens.length] !== 0
}

const HERE = 1
/** Within the name of a directory that a `directories` step runs over. */
const INSIDE = 2

/** Comes to a place, and to those behind it that need no text. */
function enter(tokens: readonly Token[], places: Uint8Array, place: number): void {
  for (let at = place; ; at++) {
    places[at] = HERE
    const token = tokens[at]
    if (token === undefined || token.kind === 'one') return
  }
}
