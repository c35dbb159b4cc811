import { writeFile } from 'node:fs/promises'
import { pathToFileURL } from 'node:url'
import { expect, test } from 'vitest'
import { Thread } from '../../../src/hosts/threads/thread.ts'
import type { ThreadTask } from '../../../src/hosts/threads/thread-tasks.ts'
import { gitError } from '../../support/git-error.ts'
import { useScratch } from '../../support/hooks.ts'

const scratch = useScratch()
const task = (key: number): ThreadTask => {
  return { kind: 'search', key, load: { count: 0, bodies: new Uint8Array(8) } }
}

/** A thread that runs this for each `task`, and answers with what it evaluates to. */
async function startThread(code: string): Promise<Thread> {
  const file = scratch.fresh('thread.mjs')
  await writeFile(
    file,
    `import { parentPort } from 'node:worker_threads'
    parentPort.on('message', (task) => {
      if (task.kind === 'end') parentPort.close()
      else parentPort.postMessage(${code})
    })`,
  )
  return new Thread(pathToFileURL(file), { provider: 'node', collisionDetection: false })
}

test('answers come to those who asked, in the order of asking', async () => {
  const thread = await startThread(`{ kind: 'failed', code: 'STORAGE', message: 'task ' + task.key }`)
  const asked = [1, 2, 3].map((key) => thread.ask(task(key)).catch(String))
  expect(await Promise.all(asked)).toEqual([1, 2, 3].map((key) => `GitError: a thread failed: task ${key}`))
  await thread.end()
})

test('a task that fails is an error of its code, and the thread goes on', async () => {
  const thread = await startThread(
    `task.key === 1 ? { kind: 'failed', code: 'CORRUPT_DELTA', message: 'no' } : { kind: 'resolve', isDone: true }`,
  )
  await expect(thread.ask(task(1))).rejects.toThrow(gitError('CORRUPT_DELTA', 'no'))
  expect(await thread.ask(task(2))).toEqual({ kind: 'resolve', isDone: true })
  await thread.end()
})

test('a task that cannot be posted is refused, and those after it get their own answers', async () => {
  const thread = await startThread(`{ kind: 'resolve', isDone: task.key === 2 }`)
  const withFunction = { ...task(1), count: () => 1 }
  await expect(thread.ask(withFunction)).rejects.toThrow('could not be cloned')
  const asked = [2, 3].map((key) => thread.ask(task(key)))
  expect(await Promise.all(asked)).toEqual([true, false].map((isDone) => ({ kind: 'resolve', isDone })))
  await thread.end()
})

test('a thread that dies fails whoever waits for it, and whoever asks later', async () => {
  const thread = await startThread(`(() => { throw new RangeError('out of luck') })()`)
  const asked = [thread.ask(task(1)), thread.ask(task(2))]
  for (const one of asked) await expect(one).rejects.toThrow(gitError('STORAGE', 'has ended'))
  await expect(thread.ask(task(3))).rejects.toMatchObject({ cause: { message: 'out of luck' } })
})

test('a thread that is ended answers what it was asked before', async () => {
  const thread = await startThread(`{ kind: 'resolve', isDone: task.key === 2 }`)
  const asked = [1, 2].map((key) => thread.ask(task(key)))
  await thread.end()
  expect(await Promise.all(asked)).toEqual([false, true].map((isDone) => ({ kind: 'resolve', isDone })))
  await expect(thread.ask(task(3))).rejects.toThrow(gitError('STORAGE', 'has ended'))
  await thread.end()
})
