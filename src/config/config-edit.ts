import { GitError } from '../errors.ts'
import { scanConfig, type ConfigEntry, type ConfigSection } from './config-syntax.ts'
import { normalizeConfigKey } from './git-config.ts'

/** A setting to write; a value of undefined writes the bare name, which means true. */
export interface ConfigSetting {
  readonly key: string
  readonly value: string | undefined
}

interface SplitKey {
  readonly section: string
  readonly subsection: string | undefined
  readonly name: string
}

/**
 * Builds the text of a config file, one section header for each run of settings that share it.
 *
 * @throws GitError `INVALID_ARGUMENT` for a key or value that config syntax cannot express.
 */
export function encodeGitConfig(settings: Iterable<ConfigSetting>): string {
  let text = ''
  let current = ''
  for (const { key, value } of settings) {
    const split = splitKey(key)
    const header = encodeHeader(split)
    if (header !== current) {
      text += `${header}\n`
      current = header
    }
    text += `\t${encodeSetting(split.name, value)}\n`
  }
  return text
}

/**
 * Gives the key one value, or with undefined removes it, and leaves the rest of the text as it is. The last of
 * several values is replaced in place and the others are removed; a new key goes to the end of its section.
 *
 * @throws GitError `CORRUPT_CONFIG` when the text does not parse; `INVALID_ARGUMENT` for a key or value that config
 * syntax cannot express.
 */
export function setInGitConfig(text: string, key: string, value: string | undefined): string {
  const split = splitKey(key)
  const normal = normalizeConfigKey(key)
  const tokens = [...scanConfig(text)]
  const old = tokens.filter((token): token is ConfigEntry => token.kind === 'entry' && token.key === normal)
  const last = old.pop()
  let edited = text
  if (last !== undefined) {
    edited =
      value === undefined
        ? removeEntry(text, last)
        : text.slice(0, last.start) + encodeSetting(split.name, value) + text.slice(last.end)
  } else if (value !== undefined) {
    edited = addEntry(text, tokens, split, encodeSetting(split.name, value))
  }
  for (const entry of old.reverse()) edited = removeEntry(edited, entry)
  return edited
}

/** Cuts the entry out, and its whole line when nothing else is on it. */
function removeEntry(text: string, entry: ConfigEntry): string {
  const lineStart = text.lastIndexOf('\n', entry.start - 1) + 1
  const alone = text.slice(lineStart, entry.start).trim() === ''
  if (!alone) return text.slice(0, entry.start).trimEnd() + text.slice(entry.end)
  const newline = text.indexOf('\n', entry.end)
  return text.slice(0, lineStart) + (newline < 0 ? '' : text.slice(newline + 1))
}

/** Puts the line after the last thing in the last section of that name, or into a new section at the end. */
function addEntry(
  text: string,
  tokens: readonly (ConfigSection | ConfigEntry)[],
  key: SplitKey,
  setting: string,
): string {
  const name = key.subsection === undefined ? key.section : `${key.section}.${key.subsection}`
  const header = tokens.findLastIndex((token) => token.kind === 'section' && token.name === name)
  if (header < 0) {
    const gap = text === '' || text.endsWith('\n') ? '' : '\n'
    return `${text}${gap}${encodeHeader(key)}\n\t${setting}\n`
  }
  const next = tokens.findIndex((token, index) => index > header && token.kind === 'section')
  const last = tokens[next < 0 ? tokens.length - 1 : next - 1]!
  const newline = text.indexOf('\n', last.end)
  const restOfLine = text.slice(last.end, newline < 0 ? text.length : newline)
  if (!/^[ \t\r]*(?:[#;].*)?$/.test(restOfLine)) {
    return `${text.slice(0, last.end)}\n\t${setting}\n${text.slice(last.end)}`
  }
  if (newline < 0) return `${text}\n\t${setting}\n`
  return `${text.slice(0, newline + 1)}\t${setting}\n${text.slice(newline + 1)}`
}

function splitKey(key: string): SplitKey {
  const match = /^([A-Za-z0-9-]+)(?:\.([^\n\0]*))?\.([A-Za-z][A-Za-z0-9-]*)$/.exec(key)
  if (match === null) {
    throw new GitError(
      'INVALID_ARGUMENT',
      `'${key}' is not a config key; expected section.name or section.subsection.name`,
    )
  }
  const [, section = '', subsection, name = ''] = match
  return { section: section.toLowerCase(), subsection, name }
}

function encodeHeader({ section, subsection }: SplitKey): string {
  return subsection === undefined ? `[${section}]` : `[${section} "${subsection.replace(/["\\]/g, '\\$&')}"]`
}

function encodeSetting(name: string, value: string | undefined): string {
  if (value === undefined) return name
  if (value.includes('\0'))
    throw new GitError('INVALID_ARGUMENT', `the value of '${name}' has a NUL character`)
  const escaped = value
    .replace(/["\\]/g, '\\$&')
    .replaceAll('\n', '\\n')
    .replaceAll('\t', '\\t')
    .replaceAll('\b', '\\b')
  return /^ | $|[#;\r]/.test(value) ? `${name} = "${escaped}"` : `${name} = ${escaped}`
}
