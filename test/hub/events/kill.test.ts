import { spawn } from 'node:child_process'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { build } from 'tsup'
import { expect, onTestFinished, test } from 'vitest'
import { createCallbackSink } from '../../../src/hub/events/event-sink.ts'
import { createSqliteRegistry } from '../../../src/hub/registry/sqlite/sqlite-registry.ts'
import { openNodeDatabase } from '../../../src/storage/sqlite/drivers/node.ts'
import { createSqliteStorage } from '../../../src/storage/sqlite/index.ts'
import { eventually } from '../../support/eventually.ts'
import { useScratch } from '../../support/hooks.ts'
import { createTestHub } from '../support.ts'

const scratch = useScratch()

/** Builds the child process where it finds the packages that it needs. */
async function buildChild(): Promise<string> {
  const folder = join('node_modules', '.cache', `packstone-events-${process.pid}`)
  await mkdir(folder, { recursive: true })
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  await build({
    entry: { child: join(import.meta.dirname, 'child.ts') },
    format: 'esm',
    outDir: folder,
    outExtension: () => ({ js: '.mjs' }),
    external: ['@photostructure/sqlite'],
    config: false,
    silent: true,
  })
  return join(folder, 'child.mjs')
}

/** Runs the child until it has said so many lines, and kills it in the middle of its work; its whole lines. */
async function killAfterLines(script: string, path: string, count: number): Promise<string[]> {
  const child = spawn(process.execPath, [script, path], { stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString()
    if (output.split('\n').length > count) child.kill('SIGKILL')
  })
  await new Promise((resolve) => child.on('close', resolve))
  return output.split('\n').slice(0, -1)
}

test('no event of an acknowledged push is lost by a kill, and those of a repository stay in order', async () => {
  const script = await buildChild()
  const path = scratch.fresh('hub.db')
  const lines = await killAfterLines(script, path, 25)
  const named = (word: string): string[] =>
    lines.flatMap((line) => (line.startsWith(`${word} `) ? [line.slice(word.length + 1)] : []))
  const [acknowledged, told] = [named('commit'), named('event')]
  expect(acknowledged.length).toBeGreaterThan(0)

  const database = await openNodeDatabase({ path })
  const later: string[] = []
  const sink = createCallbackSink('child', (event) => {
    if (event.type.endsWith('.pushed')) later.push(String(event.payload['after']))
  })
  const stores = { storage: createSqliteStorage({ database }), registry: createSqliteRegistry({ database }) }
  const { hub, call } = createTestHub({ ...stores, events: { sinks: [sink] } })
  await hub.resume()
  const log = await call('GET', '/namespaces/team/repos/busy/log?limit=1000')
  const history = (log.json.result as { hash: string }[]).map(({ hash }) => hash).reverse()
  await eventually(() => {
    expect(later.at(-1)).toBe(history.at(-1))
  })
  expect(history.slice(0, acknowledged.length)).toEqual(acknowledged)
  expect(told).toEqual(history.slice(0, told.length))
  // What was told before the kill may be told again, and from there on everything comes once.
  const first = history.indexOf(later[0] ?? '')
  expect(first).toBeLessThanOrEqual(told.length)
  expect(later).toEqual(history.slice(first))
  await hub.close()
})
