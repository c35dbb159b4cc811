import { isGitError } from '../errors.ts'
import type { FetchedPack } from './fetch-request.ts'
import type { RemoteMessages } from './remote-messages.ts'

/** The same pack; an error while it is read carries what the remote said to people. */
export function withExplainedErrors(fetched: FetchedPack, messages: RemoteMessages): FetchedPack {
  async function* explained(): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      yield* fetched.pack
    } catch (error) {
      throw isGitError(error) ? messages.explain(error) : error
    }
  }
  return { ...fetched, pack: explained() }
}
