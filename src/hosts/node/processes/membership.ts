import { GitError } from '../../../errors.ts'
import { serve, type RunningServer, type ServeOptions } from '../serve.ts'
import { isMessageToMember, takeAssignment, type Assignment, type MessageFromMember } from './messages.ts'
import type { ProcessRole } from './process-role.ts'

/** What a process has of being one of several. */
export interface Membership {
  readonly role: ProcessRole
  /** Listens, on the socket that all have, until this process is told to stop. */
  serve(options: ServeOptions): Promise<MemberServer>
}

export interface MemberServer {
  readonly url: string
  /** Says that requests are answered now. */
  ready(description: string): void
  /** Resolves when it was told to stop, and all requests are over. */
  readonly stopped: Promise<void>
  close(graceMs?: number): Promise<void>
}

/** How long running requests may take when this process alone is asked to stop, in milliseconds. */
const GRACE_MS = 10_000

/**
 * Reads what this process is; `undefined` in one that was not started by `watchProcesses`.
 *
 * It ends when nothing keeps it alive, such as a server that listens, and at once when the process that watches it is gone.
 */
export function takeMembership(): Membership | undefined {
  const assignment = takeAssignment()
  if (assignment === undefined) return undefined
  process.channel?.unref()
  const role = createRole(assignment)
  return {
    role,
    serve: async (options) => {
      // The socket comes from the process that watches.
      process.channel?.ref()
      const server = await serve({ ...options, port: assignment.port }).finally(() =>
        process.channel?.unref(),
      )
      return {
        url: server.url,
        ready: (description) => {
          send({ kind: 'ready', url: server.url, description })
        },
        stopped: whenStopped(server),
        close: (graceMs) => server.close(graceMs),
      }
    },
  }
}

function createRole({ isKeeper, isFirst, secret }: Assignment): ProcessRole {
  const listeners: ((text: string) => void)[] = []
  const tell = (text: string): void => {
    for (const listener of listeners) listener(text)
  }
  process.on('message', (message) => {
    if (isMessageToMember(message) && message.kind === 'told') tell(message.text)
  })
  return {
    isKeeper,
    isFirst,
    secret,
    tellKeeper: isKeeper
      ? tell
      : (text) => {
          send({ kind: 'tell', text })
        },
    onTold: (listener) => {
      listeners.push(listener)
    },
  }
}

function send(message: MessageFromMember): void {
  if (process.send === undefined) {
    throw new GitError('INVALID_ARGUMENT', 'this process has nobody to report to; start it by watchProcesses')
  }
  // Where nobody listens any more this process is about to end.
  process.send(message, undefined, undefined, () => undefined)
}

function whenStopped(server: RunningServer): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (graceMs: number): void => {
      server.close(graceMs).then(resolve, reject)
    }
    process.on('message', (message) => {
      if (isMessageToMember(message) && message.kind === 'stop') stop(message.graceMs)
    })
    process.on('SIGTERM', () => {
      stop(GRACE_MS)
    })
    // A terminal sends it to all processes; the one that watches says what follows.
    process.on('SIGINT', () => undefined)
  })
}
