import type { FileSystem, OpenFile } from '../../../src/storage/fs/index.ts'
import { localFileSystem } from '../../../src/storage/fs/file-system.ts'

/** Thrown by every operation once the world has stopped. */
export class Stopped extends Error {
  constructor() {
    super('the process was killed here')
  }
}

/** A file system that does so many changes and then nothing ever again: what is on disk is what a kill would leave. */
export interface StoppingFileSystem {
  readonly fileSystem: FileSystem
  /** How many changes were asked for. */
  readonly changes: () => number
  /** Closes what was left open, as the end of a process does. */
  readonly close: () => Promise<void>
}

const CHANGES = new Set(['chmod', 'link', 'mkdir', 'rename', 'rm', 'rmdir', 'unlink', 'utimes'])
const FILE_CHANGES = new Set(['chmod', 'write', 'writeFile'])

export function stoppingFileSystem(allowed: number): StoppingFileSystem {
  let changes = 0
  const open = new Set<OpenFile>()
  const step = (isChange: boolean): void => {
    if (isChange) changes++
    if (changes > allowed) throw new Stopped()
  }
  const guard = <T extends object>(
    target: T,
    isChange: (name: string, args: readonly unknown[]) => boolean,
  ): T =>
    new Proxy(target, {
      get(object, name) {
        const member: unknown = Reflect.get(object, name, object)
        if (typeof member !== 'function' || typeof name !== 'string') return member
        return async (...args: readonly unknown[]): Promise<unknown> => {
          // A process that is gone has closed its files.
          if (name !== 'close') step(isChange(name, args))
          const result: unknown = await Reflect.apply(member, object, args)
          if (name !== 'open') return result
          open.add(result as OpenFile)
          return guard(result as OpenFile, (called) => FILE_CHANGES.has(called))
        }
      },
    })
  const fileSystem = guard<FileSystem>({ ...localFileSystem }, (name, args) =>
    name === 'open' ? typeof args[1] === 'string' || (Number(args[1]) & 0o100) !== 0 : CHANGES.has(name),
  )
  const close = async (): Promise<void> => {
    await Promise.all([...open].map((file) => file.close()))
  }
  return { fileSystem, changes: () => changes, close }
}
