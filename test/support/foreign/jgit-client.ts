import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { gitEnvironment } from '../git.ts'
import type { ForeignClient, ForeignPush } from './foreign-client.ts'

const JGIT = '/usr/bin/jgit'

/** What Debian's start script leaves out of the class path. */
const JARS = [
  'org.eclipse.jgit.lfs',
  'org.eclipse.jgit.http.apache',
  'httpclient',
  'httpcore',
  'commons-logging',
]

/** Quick to start, and quiet where no logger is installed. */
const JAVA_OPTIONS = '-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xshare:auto'

interface Run {
  readonly code: number
  readonly out: string
}

function runJgit(args: readonly string[], cwd?: string): Promise<Run> {
  const env = {
    ...gitEnvironment(),
    JGIT_CLASSPATH: JARS.map((name) => `/usr/share/java/${name}.jar`).join(':'),
    JAVA_TOOL_OPTIONS: JAVA_OPTIONS,
  }
  return new Promise((resolve) => {
    execFile(JGIT, [...args], { cwd, env, timeout: 240_000 }, (error, stdout, stderr) => {
      const noise = /^(SLF4J: .*|Picked up JAVA_TOOL_OPTIONS: .*)\n/gm
      resolve({ code: error === null ? 0 : 1, out: `${stdout}${stderr.replace(noise, '')}` })
    })
  })
}

async function jgit(args: readonly string[], cwd?: string): Promise<string> {
  const { code, out } = await runJgit(args, cwd)
  if (code !== 0) throw new Error(`jgit ${args.join(' ')} failed:\n${out}`)
  return out
}

/** The command line of JGit. Each call starts a Java machine, so that few calls should do much. */
export function createJgitClient(): ForeignClient {
  if (!existsSync(JGIT)) {
    throw new Error("the interop tests need Debian's package jgit-cli: apt-get install jgit-cli")
  }
  return {
    version: async () => (await jgit(['version'])).trim(),
    clone: async (url, path) => {
      await jgit(['clone', '--quiet', url, path])
    },
    fetch: async (path, { prune = false } = {}) => {
      await jgit(['fetch', ...(prune ? ['--prune'] : []), 'origin'], path)
    },
    push: async (path, _url, refspecs): Promise<ForeignPush> => {
      const { out } = await runJgit(['push', 'origin', ...refspecs], path)
      const targets = refspecs.map((refspec) => refspec.replace(/^.*:/, ''))
      return { refs: Object.fromEntries(targets.map((name) => [name, parseOutcome(out, name)])), said: out }
    },
    listRefs: async (url) => {
      const lines = (await jgit(['ls-remote', url])).split('\n').filter(Boolean)
      return Object.fromEntries(lines.map((line) => line.split('\t').reverse() as [string, string]))
    },
    close: () => Promise.resolve(),
  }
}

/** What JGit's report says of one ref: `null` when it was taken. */
function parseOutcome(report: string, name: string): string | null {
  const short = name.replace(/^refs\/(heads|tags)\//, '')
  const line = report.split('\n').find((text) => text.replace(/ \(.*\)$/, '').endsWith(` ${short}`))
  if (line === undefined) return `not reported: ${report}`
  return /^ [*+ =-] /.test(line) ? null : line.trim()
}
