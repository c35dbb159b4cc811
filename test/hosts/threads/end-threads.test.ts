import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { useScratch } from '../../support/hooks.ts'

const scratch = useScratch()
const built = pathToFileURL(resolve('dist/threads.js')).href

test('a process whose threads are ended while an answer is on its way lives until they have', async () => {
  const program = scratch.fresh('program.mjs')
  await writeFile(
    program,
    `import { createThreads } from ${JSON.stringify(built)}
    const threads = createThreads({ count: 2 })
    await threads.resolve({})
    threads.resolve({}).catch(() => undefined)
    // Time for the answer to lie there, unread, when the thread is told to end.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300)
    await threads.close()
    console.log('ended')`,
  )
  const { stdout } = await promisify(execFile)(process.execPath, [program])
  expect(stdout).toBe('ended\n')
})
