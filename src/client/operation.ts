import { isGitError } from '../errors.ts'
import { throwIfAborted } from './body-stream.ts'
import type { OperationOptions } from './client-options.ts'
import { Connection, type Remote } from './connection.ts'
import { RemoteMessages } from './remote-messages.ts'

/** What every operation works with. */
export interface Operation {
  readonly connection: Connection
  readonly messages: RemoteMessages
}

/**
 * Runs an operation. What it throws becomes `ABORTED` when its signal has fired, and carries what the remote said to people.
 */
export async function runOperation<T>(
  remote: Remote,
  options: OperationOptions,
  work: (operation: Operation) => Promise<T>,
): Promise<T> {
  const connection = new Connection(remote, options)
  const messages = new RemoteMessages(options.onMessage)
  try {
    return await work({ connection, messages })
  } catch (error) {
    if (isGitError(error)) throw messages.explain(error)
    throwIfAborted(connection.signal)
    throw error
  }
}
