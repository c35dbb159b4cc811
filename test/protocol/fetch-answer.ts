import { expect } from 'vitest'
import { gitFetch, ourFetch, type Version } from './served-repository.ts'
import { demux } from './wire.ts'

/** What an answer says before the pack, and the pack. Shallow lines are sorted: their order means nothing. */
export async function parseAnswer(
  bytes: Uint8Array,
): Promise<{ readonly lines: string[]; readonly pack: string }> {
  const lines: string[] = []
  let at = 0
  while (at < bytes.length) {
    const digits = new TextDecoder().decode(bytes.subarray(at, at + 4))
    if (digits === 'PACK') return { lines: arrange(lines), pack: describePack(bytes.subarray(at)) }
    const length = Number.parseInt(digits, 16)
    const band = bytes[at + 4] ?? 0
    if (length > 4 && band < 4) {
      const { data, ended, fatal } = await demux(bytes.subarray(at))
      return { lines: arrange(lines), pack: `${describePack(data)} ${ended ? 'ended' : 'broken'} ${fatal}` }
    }
    const payload = bytes.subarray(at + 4, at + Math.max(length, 4))
    lines.push(length < 4 ? digits : new TextDecoder().decode(payload))
    at += Math.max(length, 4)
  }
  return { lines: arrange(lines), pack: '' }
}

function describePack(pack: Uint8Array): string {
  return new TextDecoder('latin1').decode(pack.subarray(0, 4))
}

function arrange(lines: readonly string[]): string[] {
  const isBoundary = (line: string): boolean => /^(un)?shallow [0-9a-f]/.test(line)
  const first = lines.findIndex(isBoundary)
  if (first < 0) return [...lines]
  // Git says it twice of a commit that is asked for twice.
  const boundary = [...new Set(lines.filter(isBoundary))].sort()
  const others = lines.filter((line) => !isBoundary(line))
  return [...others.slice(0, first), ...boundary, ...others.slice(first)]
}

/** Compares what we answer to a request with what git answers. Where git gives up without a word, we must say why. */
export async function compareAnswers(path: string, version: Version, request: Uint8Array): Promise<void> {
  const [ours, theirs] = await Promise.all([
    ourFetch(path, version, request),
    gitFetch(path, version, request),
  ])
  const { lines, pack } = await parseAnswer(ours)
  if (theirs === undefined) expect(lines.at(-1)).toMatch(/^ERR /)
  else expect({ lines, pack }).toEqual(await parseAnswer(theirs))
}
