import { spawn, type ChildProcess } from 'node:child_process'
import { pinned, type Cores } from './cores.ts'
import type { OperationArguments } from './inside/operation.ts'
import type { OperationName } from './inside/operations.ts'
import type { Sample } from './measure.ts'
import { programPath } from './program-path.ts'

type Message = Sample | { readonly error: string } | { readonly ready: true }

/** A process of Node that stays and does one operation whenever it is asked: what "warm, in process" means. */
export class InsideProcess {
  readonly #child: ChildProcess
  #next: { resolve: (message: Message) => void; reject: (error: Error) => void } | undefined

  private constructor(command: readonly string[]) {
    const [program = '', ...args] = command
    this.#child = spawn(program, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
    this.#child.on('message', (message) => {
      this.#next?.resolve(message as Message)
    })
    this.#child.on('error', (error) => this.#next?.reject(error))
    this.#child.on('exit', (code, signal) =>
      this.#next?.reject(new Error(`${args.join(' ')} ended with ${String(signal ?? code)}`)),
    )
  }

  /** Starts one and waits until it is ready to work. */
  static async start(name: OperationName, args: OperationArguments, cores: Cores): Promise<InsideProcess> {
    const node = [process.execPath, '--max-old-space-size=8192', programPath('inside')]
    const inside = new InsideProcess(pinned(cores.measured, [...node, name, JSON.stringify(args)]))
    await inside.#message()
    return inside
  }

  /** Does the operation once. The time is taken in the process itself. */
  async run(): Promise<Sample> {
    const answer = this.#message()
    this.#child.send('run')
    const message = await answer
    if ('error' in message) throw new Error(message.error)
    if ('ready' in message) throw new Error('the process started twice')
    return message
  }

  close(): void {
    this.#child.kill('SIGTERM')
  }

  #message(): Promise<Message> {
    return new Promise((resolve, reject) => {
      this.#next = { resolve, reject }
    })
  }
}
