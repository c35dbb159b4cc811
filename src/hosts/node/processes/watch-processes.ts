import { randomBytes } from 'node:crypto'
import cluster, { type Worker } from 'node:cluster'
import { GitError } from '../../../errors.ts'
import { encodeAssignment, isMessageFromMember, type MessageToMember } from './messages.ts'
import { nextDeath, type DeathRow } from './restart-delay.ts'

/** What is said once, when the first process answers requests. */
export interface ProcessesReady {
  readonly url: string
  readonly description: string
}

/** A process that has died and will be replaced. */
export interface ProcessDeath {
  readonly pid: number | undefined
  /** An exit code, or the name of a signal. */
  readonly how: string
  /** When another one is started, in milliseconds from now. */
  readonly delay: number
}

export interface WatchOptions {
  /** How many processes answer requests. */
  readonly processes: number
  /** The port to listen on; 0 is any free one. */
  readonly port: number
  readonly onReady?: (ready: ProcessesReady) => void
  readonly onDeath?: (death: ProcessDeath) => void
}

/** How long running requests may take after the signal to stop, in milliseconds. */
const GRACE_MS = 10_000

/** A place for a process, in which one follows the other. */
interface Place {
  readonly isKeeper: boolean
  worker: Worker | undefined
  /** The port that the worker was told to ask for, and the one that it got. */
  asked: number
  port: number | undefined
  /** When the worker said that it is ready. */
  readySince: number | undefined
  deaths: DeathRow | undefined
}

/**
 * Starts the program that is running so many times more, and watches those processes until SIGINT or SIGTERM: they listen on one socket.
 * The first is started alone; when it answers requests, so are the others. Who dies is replaced, after longer and longer waits where that
 * does not help. At the end each is told to finish its requests.
 *
 * @returns the exit code for this process: 0, or that of the first process where it ended before it could answer.
 */
export function watchProcesses(options: WatchOptions): Promise<number> {
  return new Watch(options).run()
}

/** @throws GitError `INVALID_ARGUMENT` */
export function assertProcessCount(processes: number): void {
  if (Number.isInteger(processes) && processes >= 1 && processes <= 1024) return
  throw new GitError('INVALID_ARGUMENT', `processes is ${processes}; expected a whole number from 1 to 1024`)
}

class Watch {
  readonly #options: WatchOptions
  readonly #secret = randomBytes(20).toString('hex')
  readonly #places: readonly Place[]
  readonly #timers = new Set<NodeJS.Timeout>()
  #url: string | undefined
  /** The port that the first process got. */
  #port: number | undefined
  #stopping = false
  #exitCode = 0
  #finish: (exitCode: number) => void = () => undefined

  constructor(options: WatchOptions) {
    assertProcessCount(options.processes)
    this.#options = options
    this.#places = Array.from({ length: options.processes }, (_, at) => ({
      isKeeper: at === 0,
      worker: undefined,
      asked: options.port,
      port: undefined,
      readySince: undefined,
      deaths: undefined,
    }))
  }

  run(): Promise<number> {
    // Each takes connections when it has time for them. In turns, one that is busy would be given some all the same, and one that dies
    // would take those with it that it was about to be given.
    cluster.schedulingPolicy = cluster.SCHED_NONE
    const stop = (): void => {
      this.#stop()
    }
    process.on('SIGINT', stop)
    process.on('SIGTERM', stop)
    return new Promise<number>((resolve) => {
      this.#finish = resolve
      this.#startNext()
    }).finally(() => {
      process.off('SIGINT', stop)
      process.off('SIGTERM', stop)
    })
  }

  /** Starts what is to be started now: the first alone, then all others. */
  #startNext(): void {
    const [first, ...others] = this.#places
    for (const place of this.#url === undefined ? [first] : others) {
      if (place !== undefined && place.worker === undefined) this.#start(place)
    }
  }

  #start(place: Place): void {
    const { isKeeper } = place
    const isFirst = this.#url === undefined
    const port = this.#portToAsk()
    const worker = cluster.fork(encodeAssignment({ isKeeper, isFirst, secret: this.#secret, port }))
    place.worker = worker
    place.asked = port
    worker.on('listening', (address) => {
      this.#noteListening(place, address.port)
    })
    worker.on('message', (message: unknown) => {
      if (!isMessageFromMember(message)) return
      if (message.kind === 'tell') this.#tellKeeper(message.text)
      else this.#noteReady(place, message)
    })
    worker.on('error', (error) => {
      // Of one that was started, the end follows.
      if (worker.process.pid === undefined) this.#noteEnd(place, worker, error.message)
    })
    worker.on('exit', (code: number | null, signal: string | null) => {
      const how = signal ?? String(code)
      // What it had of the socket is given back when it is disconnected, too.
      if (!worker.isConnected()) this.#noteEnd(place, worker, how)
      else {
        worker.once('disconnect', () => {
          this.#noteEnd(place, worker, how)
        })
      }
    })
  }

  /**
   * The socket is had by those who asked as the first of them did, who may have asked for any port. When nobody has it any more, it is
   * asked for by its number.
   */
  #portToAsk(): number {
    const holder = this.#places.find(({ port }) => port !== undefined)
    return holder?.asked ?? this.#port ?? this.#options.port
  }

  #noteListening(place: Place, port: number): void {
    this.#port ??= port
    if (port === this.#port) place.port = port
    // Whoever had the socket died before it got there: it has a new one, where no client looks for it.
    else place.worker?.process.kill('SIGKILL')
  }

  #noteReady(place: Place, { url, description }: ProcessesReady): void {
    if (place.port === undefined) return
    place.readySince = performance.now()
    if (this.#url !== undefined) return
    this.#url = url
    this.#options.onReady?.({ url, description })
    if (!this.#stopping) this.#startNext()
  }

  #noteEnd(place: Place, { process: ended }: Worker, how: string): void {
    const { readySince } = place
    place.worker = undefined
    place.port = undefined
    place.readySince = undefined
    if (this.#stopping) {
      if (how !== '0' && readySince !== undefined) this.#exitCode = 1
      this.#finishIfOver()
      return
    }
    if (this.#url === undefined) {
      // It has said itself what it lacks.
      this.#finish(Number(how) || 1)
      return
    }
    place.deaths = nextDeath(place.deaths, readySince === undefined ? 0 : performance.now() - readySince)
    const { delay } = place.deaths
    this.#options.onDeath?.({ pid: ended.pid, how, delay })
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      this.#start(place)
    }, delay)
    this.#timers.add(timer)
  }

  #tellKeeper(text: string): void {
    for (const { worker, isKeeper, readySince } of this.#places) {
      if (isKeeper && worker !== undefined && readySince !== undefined) send(worker, { kind: 'told', text })
    }
  }

  #stop(): void {
    // Whoever asks a second time does not want to wait.
    const isUrgent = this.#stopping
    this.#stopping = true
    for (const timer of this.#timers) clearTimeout(timer)
    this.#timers.clear()
    for (const { worker, readySince } of this.#places) {
      if (worker === undefined) continue
      if (readySince !== undefined) send(worker, { kind: 'stop', graceMs: isUrgent ? 0 : GRACE_MS })
      // One that has not begun to serve hears nothing but this.
      else worker.process.kill(isUrgent ? 'SIGKILL' : 'SIGTERM')
    }
    this.#finishIfOver()
  }

  #finishIfOver(): void {
    if (this.#places.every(({ worker }) => worker === undefined)) this.#finish(this.#exitCode)
  }
}

function send(worker: Worker, message: MessageToMember): void {
  // One that cannot be told any more has ended.
  if (worker.isConnected()) worker.send(message, () => undefined)
}
