import { fileURLToPath } from 'node:url'

/** The programs that run beside this one, each built into a file of its own beside it. */
export type ProgramName = 'git-server' | 'portable-server' | 'inside' | 'index-pack' | 'report-memory'

export function programPath(name: ProgramName): string {
  return fileURLToPath(new URL(`./${name}.mjs`, import.meta.url))
}
