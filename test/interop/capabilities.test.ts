import { readdir, readFile } from 'node:fs/promises'
import { expect, it } from 'vitest'
import { FETCH_FEATURES } from '../../src/protocol/upload-pack/fetch-v2.ts'
import { LS_REFS_FEATURES } from '../../src/protocol/upload-pack/ls-refs.ts'
import { V0_CAPABILITIES } from '../../src/protocol/upload-pack/serve-v0.ts'
import { V2_CAPABILITIES } from '../../src/protocol/upload-pack/serve-v2.ts'
import { RECEIVE_CAPABILITIES } from '../../src/protocol/receive-pack/push-request.ts'

/** Every capability that can be advertised, from the tables that implement them. */
const ADVERTISED = [
  ...V0_CAPABILITIES.map(({ name }) => `v0/${name}`),
  ...V2_CAPABILITIES.map(({ name }) => `v2/${name}`),
  ...LS_REFS_FEATURES.map((feature) => `v2/ls-refs=${feature}`),
  ...FETCH_FEATURES.map((feature) => `v2/fetch=${feature}`),
  ...RECEIVE_CAPABILITIES.map(({ name }) => `push/${name}`),
]

/** The capabilities that tests of this folder see at work in packets. */
async function listExercised(): Promise<Set<string>> {
  const names = new Set<string>()
  const files = (await readdir(import.meta.dirname)).filter((name) => name.endsWith('.test.ts'))
  for (const file of files) {
    const text = await readFile(`${import.meta.dirname}/${file}`, 'utf8')
    for (const [, list = ''] of text.matchAll(/\bexercised\(([^;]*?)\)\n/g)) {
      for (const [, name = ''] of list.matchAll(/'((?:v0|v2|push)\/[^']+)'/g)) names.add(name)
    }
  }
  return names
}

it('every capability that is advertised is exercised, and nothing else is claimed to be', async () => {
  expect([...(await listExercised())].sort()).toEqual([...ADVERTISED].sort())
})
