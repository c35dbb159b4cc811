import { AwsClient } from 'aws4fetch'
import { GitError } from '../../errors.ts'

export interface S3ClientOptions {
  /** URL of the service, e.g. `https://s3.eu-central-1.amazonaws.com`. */
  readonly endpoint: string
  readonly bucket: string
  /** Default: `auto`, which is what R2 calls it. */
  readonly region?: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  /** For temporary credentials. */
  readonly sessionToken?: string
  /** How long to wait for an answer, in milliseconds. Default: one minute. */
  readonly requestTimeout?: number
}

export interface S3Request {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE'
  /** Empty for the bucket itself. */
  readonly key: string
  readonly query?: Readonly<Record<string, string>>
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Uint8Array | string
  /** Answers beside success that say something. */
  readonly expected?: readonly number[]
}

/** Statuses after which the same call may succeed. */
const PASSING: ReadonlySet<number> = /* @__PURE__ */ new Set([408, 409, 425, 429])
const DEFAULT_TIMEOUT = 60_000
/** An answer that claims more than this is believed only as it comes. */
const LARGEST_KNOWN = 64 << 20

/** Sends signed requests to one bucket of an S3-compatible service. */
export class S3Client {
  readonly location: string
  readonly #url: string
  readonly #aws: AwsClient
  readonly #timeout: number

  /** @throws GitError `INVALID_ARGUMENT` */
  constructor(options: S3ClientOptions) {
    const { bucket, accessKeyId, secretAccessKey, sessionToken } = options
    for (const name of ['accessKeyId', 'secretAccessKey'] as const) {
      if (options[name] === '')
        throw new GitError('INVALID_ARGUMENT', `${name} is empty; expected a credential`)
    }
    if (!/^[A-Za-z0-9][A-Za-z0-9._-]{1,254}$/.test(bucket)) {
      throw new GitError('INVALID_ARGUMENT', `'${bucket.slice(0, 100)}' is not the name of a bucket`)
    }
    this.#url = `${checkEndpoint(options.endpoint)}/${bucket}`
    this.location = `s3:${this.#url}`
    this.#timeout = options.requestTimeout ?? DEFAULT_TIMEOUT
    this.#aws = new AwsClient({
      accessKeyId,
      secretAccessKey,
      ...(sessionToken === undefined ? {} : { sessionToken }),
      service: 's3',
      region: options.region ?? 'auto',
      retries: 0,
    })
  }

  /**
   * Sends a request and reads the answer to its end.
   *
   * @throws GitError `UNAVAILABLE`, `STORAGE`
   */
  async send(request: S3Request): Promise<S3Answer> {
    const { method, key, query = {}, headers = {}, body } = request
    const search = new URLSearchParams(query).toString()
    const url = `${this.#url}${key === '' ? '' : `/${key}`}${search === '' ? '' : `?${search}`}`
    let answer: S3Answer
    try {
      const signed = await this.#aws.sign(url, {
        method,
        headers: { ...headers },
        ...(body === undefined ? {} : { body: body as BodyInit }),
      })
      const response = await fetch(signed, { signal: AbortSignal.timeout(this.#timeout), redirect: 'error' })
      answer = {
        status: response.status,
        headers: response.headers,
        bytes: await readBody(response),
      }
    } catch (cause) {
      const message = cause instanceof Error ? cause.message : String(cause)
      throw new GitError('UNAVAILABLE', `${this.location} does not answer: ${message}`, { cause })
    }
    const { status } = answer
    if ((status >= 200 && status < 300) || request.expected?.includes(status)) return answer
    throw this.failure(request, answer)
  }

  /** The error for an answer that says no. */
  failure({ method, key }: S3Request, answer: S3Answer): GitError {
    const { status } = answer
    const code = xmlText(textOf(answer), 'Code')
    const message = xmlText(textOf(answer), 'Message')
    const passes =
      status >= 500 || PASSING.has(status) || code === 'RequestTimeout' || code === 'InternalError'
    return new GitError(
      passes ? 'UNAVAILABLE' : 'STORAGE',
      `${this.location} answered ${method} ${key} with ${status}${code === undefined ? '' : ` ${code}`}: ${message ?? 'no explanation'}`,
      { details: { status, storeCode: code } },
    )
  }
}

/** Reads a body to its end, into one array where its length is known: `arrayBuffer` has all of it twice for a while. */
async function readBody(response: Response): Promise<Uint8Array> {
  const { headers, body } = response
  const length = Number(headers.get('content-length') ?? 0)
  if (body === null || headers.has('content-encoding') || !(length > 0 && length <= LARGEST_KNOWN)) {
    return new Uint8Array(await response.arrayBuffer())
  }
  const bytes = new Uint8Array(length)
  let at = 0
  for await (const chunk of body) {
    if (at + chunk.length > length) throw new Error(`the answer is longer than the ${length} bytes it claims`)
    bytes.set(chunk, at)
    at += chunk.length
  }
  if (at < length) throw new Error(`the answer ended after ${at} of ${length} bytes`)
  return bytes
}

export interface S3Answer {
  readonly status: number
  readonly headers: Headers
  readonly bytes: Uint8Array
}

export function textOf({ bytes }: S3Answer): string {
  return new TextDecoder().decode(bytes)
}

/** The text of the first element of this name. */
export function xmlText(xml: string, name: string): string | undefined {
  const text = new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1]
  return text === undefined ? undefined : unescapeXml(text)
}

/** The content of every element of this name. */
export function xmlElements(xml: string, name: string): readonly string[] {
  return [...xml.matchAll(new RegExp(`<${name}>(.*?)</${name}>`, 'gs'))].map(([, content = '']) => content)
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

function unescapeXml(text: string): string {
  return text.replace(/&(?:#(\d+)|#x([0-9a-fA-F]+)|(\w+));/g, (whole, decimal, hex, name) => {
    if (typeof decimal === 'string') return String.fromCodePoint(Number(decimal))
    if (typeof hex === 'string') return String.fromCodePoint(Number.parseInt(hex, 16))
    return (typeof name === 'string' ? ENTITIES[name] : undefined) ?? whole
  })
}

function checkEndpoint(endpoint: string): string {
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined
  if ((url?.protocol === 'http:' || url?.protocol === 'https:') && url.search === '' && url.hash === '') {
    return `${url.origin}${url.pathname.replace(/\/+$/, '')}`
  }
  throw new GitError(
    'INVALID_ARGUMENT',
    `'${endpoint.slice(0, 200)}' is not an endpoint; expected an http or https URL`,
  )
}
