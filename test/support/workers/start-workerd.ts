import { spawn } from 'node:child_process'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Readable } from 'node:stream'
import { bundleReadyWorker } from '../hubs/start-worker.ts'
import type { RunningHub } from '../hubs/rest-client.ts'
import { startR2Server, type R2Server } from './r2-server.ts'

const account = '0123456789abcdef0123456789abcdef'
const apiToken = 'secret'

export interface WorkerdOptions {
  /** A folder for its configuration, objects and the bucket. */
  readonly folder: string
  /** The path of the program. Default: the ready Worker. */
  readonly program?: string
  readonly bindings?: Readonly<Record<string, string>>
  /** Flags for V8, such as a limit for the heap of every isolate. */
  readonly v8Flags?: readonly string[]
  /** The bucket of one that ran in the same folder before. It stays open. */
  readonly bucket?: R2Server
}

/** A workerd that runs our Worker and nothing else: the bucket is in this process. */
export interface RunningWorkerd extends RunningHub {
  readonly pid: number
  readonly bucket: R2Server
  /** The most memory that it has ever had in use, in MiB, and its CPU time in milliseconds. */
  readUsage(): Promise<{ readonly peak: number; readonly cpu: number }>
}

const text = (value: string): string => JSON.stringify(value)

/** Starts workerd by itself, without anything that stands between it and the Worker. */
export async function startWorkerd(options: WorkerdOptions): Promise<RunningWorkerd> {
  const { folder, v8Flags = [], bindings = {} } = options
  await mkdir(join(folder, 'objects'), { recursive: true })
  await writeFile(join(folder, 'worker.js'), await bundleReadyWorker(options.program))
  const bucket = options.bucket ?? (await startR2Server(join(folder, 'bucket')))
  const variables = Object.entries({ ACCOUNT: account, API_TOKEN: apiToken, ...bindings })
  const classes = { REPOSITORIES: 'RepositoryObject', REGISTRY: 'RegistryObject' }
  const config = `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  v8Flags = [${v8Flags.map(text).join(', ')}],
  services = [
    (name = "objects", disk = (path = ${text(join(folder, 'objects'))}, writable = true)),
    (name = "bucket", external = (address = ${text(bucket.address)}, http = ())),
    (name = "hub", worker = (
      modules = [(name = "worker.js", esModule = embed "worker.js")],
      compatibilityDate = "2026-04-01",
      durableObjectStorage = (localDisk = "objects"),
      durableObjectNamespaces = [
        ${Object.values(classes)
          .map((name) => `(className = ${text(name)}, uniqueKey = ${text(name)}, enableSql = true)`)
          .join(', ')}],
      bindings = [
        ${Object.entries(classes)
          .map(([name, target]) => `(name = ${text(name)}, durableObjectNamespace = ${text(target)})`)
          .join(', ')},
        (name = "PACKS", r2Bucket = "bucket"),
        ${variables.map(([name, value]) => `(name = ${text(name)}, text = ${text(value)})`).join(', ')}],
    )),
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "hub")],
);`
  await writeFile(join(folder, 'config.capnp'), config)
  const args = ['serve', '--experimental', '--control-fd=3', join(folder, 'config.capnp')]
  const child = spawn(resolve('node_modules/workerd/bin/workerd'), args, {
    stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
  })
  const ended = new Promise<void>((done) => child.once('close', done))
  const port = await readPort(child.stdio[3] as Readable)
  const pid = child.pid ?? 0
  return {
    origin: `http://127.0.0.1:${port}`,
    account,
    apiToken,
    pid,
    bucket,
    readUsage: async () => {
      const status = await readFile(`/proc/${pid}/status`, 'latin1')
      // Ticks of 10 ms, in the 14th and the 15th field; the name in the second may have spaces.
      const fields = (await readFile(`/proc/${pid}/stat`, 'latin1')).replace(/^.*\) /, '').split(' ')
      return {
        peak: Number(/^VmHWM:\s*(\d+) kB/m.exec(status)?.[1] ?? 0) / 1024,
        cpu: 10 * (Number(fields[11]) + Number(fields[12])),
      }
    },
    close: async () => {
      child.kill('SIGKILL')
      await ended
      if (options.bucket === undefined) await bucket.close()
    },
  }
}

async function readPort(control: Readable): Promise<number> {
  let said = ''
  for await (const chunk of control) {
    said += String(chunk)
    const port = /"event":"listen","socket":"http","port":(\d+)/.exec(said)?.[1]
    if (port !== undefined) return Number(port)
  }
  throw new Error(`workerd did not listen: ${said}`)
}
