/** A hub that runs somewhere, reached as its users reach it. */
export interface RunningHub {
  readonly origin: string
  readonly account: string
  readonly apiToken: string
  close(): Promise<void>
}

export interface Created {
  readonly id: string
  readonly name: string
  readonly remote: string
  readonly token: string
}

/** The REST interface, as far as tests of hosts need it. */
export class RestClient {
  readonly #hub: RunningHub

  constructor(hub: RunningHub) {
    this.#hub = hub
  }

  send(method: string, path: string, body?: object): Promise<Response> {
    const { origin, account, apiToken } = this.#hub
    return fetch(`${origin}/client/v4/accounts/${account}/artifacts${path}`, {
      method,
      headers: { Authorization: `Bearer ${apiToken}` },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
  }

  /** The result of a call that must succeed. */
  async call<Result>(method: string, path: string, body?: object): Promise<Result> {
    const response = await this.send(method, path, body)
    const text = await response.text()
    if (!response.ok) throw new Error(`${method} ${path} was answered with ${response.status}: ${text}`)
    return (JSON.parse(text) as { result: Result }).result
  }
}

/** The address of a repository with a token in it. */
export function withToken({ remote, token }: Pick<Created, 'remote' | 'token'>): string {
  return remote.replace('://', `://x:${encodeURIComponent(token)}@`)
}
