/** The answer to a request that was put together by hand. */
export interface RawAnswer {
  readonly status: number
  readonly body: Buffer
  /** Payloads of the pkt-lines of the answer, as far as it consists of them; `''` for a flush. */
  readonly lines: readonly string[]
}

/** One pkt-line. */
export function pktLine(text: string | Uint8Array): Buffer {
  const payload = Buffer.from(text)
  return Buffer.concat([Buffer.from((payload.length + 4).toString(16).padStart(4, '0')), payload])
}

export const FLUSH: Buffer = Buffer.from('0000')
export const DELIM: Buffer = Buffer.from('0001')

/** Sends a request to a service of a repository. */
export async function postService(
  url: string,
  service: 'git-upload-pack' | 'git-receive-pack',
  body: Uint8Array,
  headers: Readonly<Record<string, string>> = {},
): Promise<RawAnswer> {
  const response = await fetch(`${url}/${service}`, {
    method: 'POST',
    headers: { 'content-type': `application/x-${service}-request`, ...headers },
    body: new Uint8Array(body),
  })
  const answer = Buffer.from(await response.arrayBuffer())
  return { status: response.status, body: answer, lines: splitPktLines(answer) }
}

function splitPktLines(bytes: Buffer): string[] {
  const lines: string[] = []
  for (let at = 0; at + 4 <= bytes.length;) {
    const length = Number.parseInt(bytes.subarray(at, at + 4).toString('latin1'), 16)
    if (Number.isNaN(length)) break
    lines.push(bytes.subarray(at + 4, at + Math.max(length, 4)).toString('latin1'))
    at += Math.max(length, 4)
  }
  return lines
}

/** One command of a push: the ref's old and new id. */
export interface RawCommand {
  readonly ref: string
  readonly from?: string
  readonly to?: string
}

const ZERO = '0'.repeat(40)

/** Pushes by hand: commands with plain `report-status`, then a pack of whatever bytes. */
export function postPush(
  url: string,
  commands: readonly RawCommand[],
  pack: Uint8Array,
  capabilities = 'report-status ofs-delta',
): Promise<RawAnswer> {
  const lines = commands.map(({ ref, from = ZERO, to = ZERO }, at) =>
    pktLine(`${from} ${to} ${ref}${at === 0 ? `\0 ${capabilities}` : ''}`),
  )
  return postService(url, 'git-receive-pack', Buffer.concat([...lines, FLUSH, pack]))
}
