import { GitError } from '../errors.ts'

/** A `[section]` or `[section "subsection"]` header. */
export interface ConfigSection {
  readonly kind: 'section'
  /** The normalised name: what keys in it begin with, without the dot. */
  readonly name: string
  /** The range of the text it occupies, brackets included. */
  readonly start: number
  readonly end: number
}

/** One setting. */
export interface ConfigEntry {
  readonly kind: 'entry'
  /** `section.name` or `section.subsection.name`; section and name in lower case. */
  readonly key: string
  /** Undefined for a name without `=`, which means true. */
  readonly value: string | undefined
  /** The number of the line it begins on, from 1. */
  readonly line: number
  /** The range of the text it occupies: from its name to the end of its last line, comment included, newline not. */
  readonly start: number
  readonly end: number
}

const BLANK = /[ \t\n\r]/
const NAME_START = /[A-Za-z]/
const NAME_CHARACTER = /[A-Za-z0-9-]/
const ESCAPES: ReadonlyMap<string, string> = /* @__PURE__ */ new Map([
  ['t', '\t'],
  ['b', '\b'],
  ['n', '\n'],
  ['\\', '\\'],
  ['"', '"'],
])

/** Yields the settings of a config file's text, in order. See {@link scanConfig}. */
export function* parseConfigEntries(text: string): Generator<ConfigEntry, void> {
  for (const token of scanConfig(text)) if (token.kind === 'entry') yield token
}

/**
 * Yields section headers and settings in order (git-config, "Syntax"). Blanks within an unquoted value are kept as
 * they are written. What comes before a malformed line has been yielded when the error is thrown.
 *
 * @throws GitError `CORRUPT_CONFIG` with the line's number.
 */
export function* scanConfig(text: string): Generator<ConfigSection | ConfigEntry, void> {
  const scanner = new Scanner(text)
  let prefix = ''
  while (scanner.skipBlankAndComments()) {
    if (scanner.peek() === '[') {
      const section = scanner.section()
      prefix = `${section.name}.`
      yield section
    } else {
      yield scanner.entry(prefix)
    }
  }
}

/** A position in the text; CR LF counts as one newline, and the end of the text as a newline too. */
class Scanner {
  readonly #text: string
  #at: number
  /** Newlines are counted only up to here, and only when a line number is asked for. */
  #counted = 0
  #lines = 1

  constructor(text: string) {
    this.#text = text
    this.#at = text.startsWith('\ufeff') ? 1 : text.startsWith('\xef\xbb\xbf') ? 3 : 0
  }

  /** Moves to the next section or entry; false at the end. */
  skipBlankAndComments(): boolean {
    while (this.#at < this.#text.length) {
      const character = this.peek()
      if (character === '#' || character === ';') this.#at = this.#lineEnd()
      else if (BLANK.test(character)) this.#at++
      else return true
    }
    return false
  }

  peek(): string {
    const character = this.#text[this.#at]
    if (character === undefined) return '\n'
    return character === '\r' && this.#text[this.#at + 1] === '\n' ? '\n' : character
  }

  section(): ConfigSection {
    const start = this.#at
    let name = ''
    this.#at++
    for (;;) {
      const character = this.peek()
      if (this.#at >= this.#text.length) throw this.#malformed('a section header does not end')
      if (character === ']' && name !== '') break
      if (BLANK.test(character)) {
        name += `.${this.#subsection()}`
        break
      }
      if (character !== '.' && !NAME_CHARACTER.test(character))
        throw this.#malformed('a section has a bad name')
      name += character.toLowerCase()
      this.#at++
    }
    if (this.peek() !== ']') throw this.#malformed("a section header does not end with ']'")
    this.#at++
    return { kind: 'section', name, start, end: this.#at }
  }

  #subsection(): string {
    for (; BLANK.test(this.peek()); this.#at++) {
      if (this.peek() === '\n') throw this.#malformed('a section header does not end')
    }
    if (this.peek() !== '"') throw this.#malformed('a subsection is not in quotes')
    this.#at++
    let name = ''
    for (let character = this.peek(); character !== '"'; character = this.peek()) {
      if (character === '\\') {
        this.#at++
        character = this.peek()
      }
      if (character === '\n') throw this.#malformed('a subsection does not end')
      name += character
      this.#at++
    }
    this.#at++
    return name
  }

  entry(prefix: string): ConfigEntry {
    const start = this.#at
    const line = this.#line()
    if (!NAME_START.test(this.peek())) throw this.#malformed(`'${this.peek()}' cannot begin a setting`)
    while (NAME_CHARACTER.test(this.peek())) this.#at++
    const key = prefix + this.#text.slice(start, this.#at).toLowerCase()
    while (this.peek() === ' ' || this.peek() === '\t') this.#at++
    let value: string | undefined
    if (this.peek() === '=') {
      this.#at++
      value = this.#value()
    } else if (this.peek() !== '\n') {
      throw this.#malformed("a setting's name is followed by neither '=' nor the end of the line")
    }
    return { kind: 'entry', key, value, line, start, end: this.#at }
  }

  #value(): string {
    let value = ''
    let blanks = ''
    let quoted = false
    for (;;) {
      const character = this.peek()
      if (character === '\n') {
        if (quoted) throw this.#malformed('a quoted value does not end on its line')
        return value
      }
      if (!quoted && (character === ';' || character === '#')) {
        this.#at = this.#lineEnd()
        return value
      }
      this.#at++
      if (!quoted && BLANK.test(character)) {
        if (value !== '') blanks += character
        continue
      }
      value += blanks
      blanks = ''
      if (character === '"') quoted = !quoted
      else if (character === '\\') value += this.#escape()
      else value += character
    }
  }

  #escape(): string {
    const character = this.peek()
    if (character === '\n') {
      this.#skipNewline()
      return ''
    }
    const meaning = ESCAPES.get(character)
    if (meaning === undefined) throw this.#malformed(`'\\${character}' is not an escape`)
    this.#at++
    return meaning
  }

  #skipNewline(): void {
    if (this.#text[this.#at] === '\r') this.#at++
    if (this.#at < this.#text.length) this.#at++
  }

  /** The offset of the newline that ends the current line, of its CR if it has one. */
  #lineEnd(): number {
    const newline = this.#text.indexOf('\n', this.#at)
    if (newline < 0) return this.#text.length
    return newline > this.#at && this.#text[newline - 1] === '\r' ? newline - 1 : newline
  }

  /** The number of the current line, from 1. */
  #line(): number {
    for (; this.#counted < this.#at; this.#counted++) if (this.#text[this.#counted] === '\n') this.#lines++
    return this.#lines
  }

  #malformed(what: string): GitError {
    const line = this.#line()
    return new GitError('CORRUPT_CONFIG', `malformed config: ${what} (line ${line})`, { details: { line } })
  }
}
