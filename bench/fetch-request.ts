import { DELIM, FLUSH, pktLine } from '../test/support/raw-http.ts'
import type { Answer, HttpClient } from './http-client.ts'

export const V2_HEADERS: Readonly<Record<string, string>> = {
  'content-type': 'application/x-git-upload-pack-request',
  'git-protocol': 'version=2',
}

/** The last request of a protocol v2 fetch, as git's client sends it: thin when it has something. */
export function encodeFetch(wants: readonly string[], haves: readonly string[]): Buffer {
  const args = [...(haves.length > 0 ? ['thin-pack'] : []), 'no-progress', 'include-tag', 'ofs-delta']
  const lines = [
    ...args,
    ...[...new Set(wants)].map((id) => `want ${id}`),
    ...haves.map((id) => `have ${id}`),
    'done',
  ]
  const caps = [pktLine('command=fetch'), pktLine('agent=packstone-bench'), pktLine('object-format=sha1')]
  return Buffer.concat([...caps, DELIM, ...lines.map((line) => pktLine(`${line}\n`)), FLUSH])
}

/** Sends a fetch and reads the answer to its end; resolves with the bytes of the answer. */
export async function runFetch(client: HttpClient, repositoryUrl: string, body: Buffer): Promise<number> {
  const answer = await client.post(`${repositoryUrl}/git-upload-pack`, V2_HEADERS, body)
  assertWhole(answer, repositoryUrl)
  return answer.bytes
}

/** A pack that ends without the flush was cut off by a failure. */
function assertWhole({ bytes, tail, head }: Answer, url: string): void {
  if (tail.toString('latin1') === '0000' && head.includes('PACK') && bytes > 36) return
  throw new Error(
    `${url} did not send a whole pack: ${JSON.stringify(head.subarray(0, 300).toString('latin1'))}`,
  )
}
