import type { Readable, Writable } from 'node:stream'
import { GitError } from '../../errors.ts'
import type { HookCommand, ProcReceiveAnswer, ProcReceiveReport, PushContext } from '../../http/index.ts'
import { parseCapabilityList } from '../../protocol/capability-list.ts'
import { encodePkt, FLUSH_PKT } from '../../protocol/pkt-line.ts'
import { PktReader, type PktLine } from '../../protocol/pkt-reader.ts'
import { runHook, type HookPlace } from './hook-program.ts'

/** How much a program may answer, in bytes. */
const MAX_ANSWER = 64 << 20

/**
 * Lets the program `proc-receive` carry out commands (githooks, "proc-receive"): it says which version it speaks, is given the
 * commands and the push options, and reports on each.
 *
 * @throws GitError `PROTOCOL` when it fails or says what cannot be understood.
 */
export async function runProcReceiveProgram(
  place: HookPlace,
  commands: readonly HookCommand[],
  context: PushContext,
): Promise<readonly ProcReceiveAnswer[]> {
  let answers: readonly ProcReceiveAnswer[] = []
  const hasSucceeded = await runHook(place, 'proc-receive', {
    say: context.say,
    signal: context.signal,
    converse: async (input, output) => {
      answers = await converse(input, output, commands, context)
    },
  })
  if (hasSucceeded) return answers
  throw new GitError('PROTOCOL', "the hook 'proc-receive' failed")
}

async function converse(
  input: Writable,
  output: Readable,
  commands: readonly HookCommand[],
  context: PushContext,
): Promise<readonly ProcReceiveAnswer[]> {
  const { isAtomic, pushOptions } = context
  const reader = new PktReader(output as AsyncIterable<Uint8Array>, { maxBytes: MAX_ANSWER })
  const offers = [...(isAtomic ? ['atomic'] : []), ...(pushOptions.length > 0 ? ['push-options'] : [])]
  write(input, [offers.length > 0 ? `version=1\0${offers.join(' ')}` : 'version=1'])
  const wishes = await readGreeting(reader)
  write(
    input,
    commands.map(({ name, oldId, newId }) => `${oldId} ${newId} ${name}`),
  )
  if (wishes.has('push-options')) write(input, pushOptions)
  return readReport(reader)
}

function write(input: Writable, lines: readonly string[]): void {
  for (const line of lines) input.write(encodePkt(`${line}\n`))
  input.write(FLUSH_PKT)
}

async function readGreeting(reader: PktReader): Promise<ReadonlyMap<string, string>> {
  const lines = await readLines(reader)
  const [version = '', wishes = ''] = (lines[0] ?? '').split('\0')
  if (version === 'version=1') return parseCapabilityList(wishes)
  throw new GitError(
    'PROTOCOL',
    `the hook 'proc-receive' began with '${version.slice(0, 80)}'; expected version=1`,
  )
}

async function readReport(reader: PktReader): Promise<readonly ProcReceiveAnswer[]> {
  const answers = new Map<string, ProcReceiveAnswer>()
  let name: string | undefined
  let reports: ProcReceiveReport[] = []
  for (const line of await readLines(reader)) {
    const [word, rest] = splitAt(line, ' ')
    if (word === 'ok') {
      // A ref that is named again has one more report.
      if (rest !== name) reports = []
      name = rest
      reports.push({})
      answers.set(name, { kind: 'ok', name, reports })
    } else if (word === 'ng') {
      const [refused, reason] = splitAt(rest, ' ')
      name = undefined
      answers.set(refused, { kind: 'refused', name: refused, reason })
    } else if (word === 'option' && name !== undefined) {
      if (rest === 'fall-through') answers.set(name, { kind: 'fall-through', name })
      else reports.push({ ...reports.pop(), ...parseOption(rest) })
    } else {
      throw new GitError(
        'PROTOCOL',
        `the hook 'proc-receive' reported '${line.slice(0, 80)}'; expected ok, ng or option`,
      )
    }
  }
  return [...answers.values()].map((answer) =>
    answer.kind === 'ok' ? { ...answer, reports: answer.reports?.filter(hasNews) ?? [] } : answer,
  )
}

function parseOption(text: string): ProcReceiveReport {
  const [key, value] = splitAt(text, ' ')
  if (key === 'refname') return { refName: value }
  if (key === 'old-oid') return { oldId: value }
  if (key === 'new-oid') return { newId: value }
  return key === 'forced-update' ? { isForced: true } : {}
}

function hasNews(report: ProcReceiveReport): boolean {
  return Object.keys(report).length > 0
}

/** The lines up to a flush, which must come. */
async function readLines(reader: PktReader): Promise<string[]> {
  const lines: string[] = []
  for (;;) {
    const line: PktLine = await reader.readLine()
    if (line.kind === 'flush') return lines
    if (line.kind !== 'line') throw new GitError('PROTOCOL', "the hook 'proc-receive' ended too early")
    lines.push(line.text)
  }
}

function splitAt(text: string, separator: string): readonly [string, string] {
  const at = text.indexOf(separator)
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + separator.length)]
}
