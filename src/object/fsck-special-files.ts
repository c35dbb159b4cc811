import { encodeHex } from '../bytes/hex.ts'
import { decodeLatin1 } from '../bytes/text.ts'
import { isGitError } from '../errors.ts'
import { parseConfigEntries } from '../config/config-syntax.ts'
import { FsckReport, type FsckFinding, type FsckOptions } from './fsck-report.ts'
import { isForbiddenSubmoduleUrl } from './fsck-submodule-url.ts'
import { BLOB, objectTypeName } from './object-type.ts'
import type { RawObject } from './object-reader.ts'

/** The files in trees whose content git acts on, and which are therefore checked like objects. */
export type SpecialFile = 'gitmodules' | 'gitattributes'

/** Is told of every special file a tree names: its raw id stands at `body[idAt]`. */
export type SpecialFileSink = (file: SpecialFile, body: Uint8Array, idAt: number) => void

/** Git's own limits for `.gitattributes`. */
const ATTRIBUTES_SIZE = 100 * 1024 * 1024
const ATTRIBUTES_LINE = 2048

/** Git reads a `.gitmodules` whole; what is larger than its `core.bigFileThreshold` it refuses. */
const MODULES_SIZE = 512 * 1024 * 1024

const NEWLINE = 0x0a

/** Checks the object that a tree names as a special file; `null` when it is absent. */
export function fsckSpecialFile(
  file: SpecialFile,
  id: Uint8Array,
  object: RawObject | null,
  options: FsckOptions = {},
): readonly FsckFinding[] {
  if (options.skip?.has(encodeHex(id)) === true) return []
  const report = new FsckReport(options)
  if (object === null) report.add(`${file}Missing`, `the .${file} blob cannot be read`)
  else if (object.type !== BLOB) report.add(`${file}Blob`, `.${file} is a ${objectTypeName(object.type)}`)
  else if (file === 'gitmodules') fsckGitmodules(object.body, report)
  else fsckGitattributes(object.body, report)
  return report.findings
}

function fsckGitmodules(body: Uint8Array, report: FsckReport): void {
  if (body.length > MODULES_SIZE) {
    report.add('gitmodulesLarge', '.gitmodules is too large to parse')
    return
  }
  try {
    for (const { key, value } of parseConfigEntries(decodeLatin1(body)))
      fsckSubmoduleSetting(key, value, report)
  } catch (error) {
    if (!isGitError(error, 'CORRUPT_CONFIG')) throw error
    report.add('gitmodulesParse', `.gitmodules cannot be parsed: ${error.message}`)
  }
}

function fsckSubmoduleSetting(key: string, value: string | undefined, report: FsckReport): void {
  const nameEnd = key.lastIndexOf('.')
  if (!key.startsWith('submodule.') || nameEnd < 'submodule.'.length) return
  const name = key.slice('submodule.'.length, nameEnd)
  if (name === '' || /(?:^|[\\/])\.\.(?:[\\/]|$)/.test(name)) {
    report.add('gitmodulesName', `'${name.slice(0, 80)}' is not allowed as a submodule name`)
  }
  if (value === undefined) return
  switch (key.slice(nameEnd + 1)) {
    case 'url':
      if (isForbiddenSubmoduleUrl(value)) {
        report.add('gitmodulesUrl', `'${value.slice(0, 80)}' is not allowed as a submodule URL`)
      }
      break
    case 'path':
      if (value.startsWith('-')) {
        report.add('gitmodulesPath', `'${value.slice(0, 80)}' is not allowed as a submodule path`)
      }
      break
    case 'update':
      if (value.startsWith('!')) {
        report.add('gitmodulesUpdate', `'${value.slice(0, 80)}' is not allowed as a submodule update setting`)
      }
  }
}

function fsckGitattributes(body: Uint8Array, report: FsckReport): void {
  if (body.length > ATTRIBUTES_SIZE) {
    report.add('gitattributesLarge', '.gitattributes is too large to parse')
    return
  }
  for (let at = 0; at < body.length;) {
    const newline = body.indexOf(NEWLINE, at)
    const end = newline < 0 ? body.length : newline
    if (end - at >= ATTRIBUTES_LINE) {
      report.add('gitattributesLineLength', `.gitattributes has a line of ${end - at} bytes`)
      return
    }
    at = end + 1
  }
}
