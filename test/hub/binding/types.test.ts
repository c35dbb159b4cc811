import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'

test('the binding has the types that Cloudflare’s compiler settings promise for Artifacts', async () => {
  const compiler = join(import.meta.dirname, '../../../node_modules/typescript/bin/tsc')
  const project = join(import.meta.dirname, 'types')
  const child = spawn(process.execPath, [compiler, '--noEmit', '--pretty', 'false', '-p', project])
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString()
  })
  await new Promise((resolve) => child.on('close', resolve))
  // What the sources say of other globals is not what is checked here.
  expect(output.split('\n').filter((line) => line.includes('hub/binding'))).toEqual([])
})
