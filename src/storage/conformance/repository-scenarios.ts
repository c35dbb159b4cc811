import { hexLengthOf, type ObjectFormatName } from '../../object/object-format.ts'
import type { Storage } from '../storage.ts'
import { assertEqual, assertRejects, assertTrue } from './assertions.ts'
import { scenario, type Scenario } from './conformance-case.ts'
import {
  applyEdits,
  direct,
  edit,
  listPackNames,
  readTarget,
  readWhole,
  sampleId,
  samplePackName,
  stagePack,
  symbolic,
} from './samples.ts'

const SHA1_MAIN = { objectFormat: 'sha1', head: 'refs/heads/main' } as const

const MALFORMED_KEYS = [
  ...['', '/', 'a/', '/a', 'a//b', '.', '..', '../a', 'a/../b', 'a/.', '.git', 'a/.b', 'a.lock', 'a.lock/b'],
  ...['a b', 'a\\b', 'a\0b', 'a\nb', 'ä', 'a?b', 'a%2e', 'c:', 'a'.repeat(300), 'a/'.repeat(300) + 'a'],
]

/** Creating, opening, listing and deleting repositories of the given formats. */
export function repositoryScenarios(formats: readonly ObjectFormatName[]): readonly Scenario[] {
  return [
    ...formats.map((objectFormat): Scenario => {
      return {
        name: `a new ${objectFormat} repository is empty, has the head it was created with, and stores ids of its format`,
        run: async ({ storage }) => {
          await storage.create('team/new', { objectFormat, head: 'refs/heads/größe' })
          const repository = await mustOpen(storage, 'team/new')
          assertEqual(repository.objectFormat, objectFormat, 'object format')
          assertEqual(await readTarget(repository, 'HEAD'), symbolic('refs/heads/größe'), 'HEAD')
          assertEqual(await repository.listRefs(''), [], 'refs')
          assertEqual(await repository.listPacks(), [], 'packs')
          assertEqual(await repository.readShallow(), [], 'shallow commits')
          assertTrue((await repository.readConfig()).includes('[core]'), 'the config has no section [core]')
          const target = { kind: 'direct', id: sampleId(1, hexLengthOf(objectFormat)) } as const
          await applyEdits(repository, [edit('refs/heads/a', target)])
          assertEqual(await readTarget(repository, 'refs/heads/a'), target, 'stored ref')
          const other = sampleId(1, hexLengthOf(objectFormat === 'sha1' ? 'sha256' : 'sha1'))
          const wrong = edit('refs/heads/b', { kind: 'direct', id: other })
          await assertRejects(
            () => repository.commit({ refs: [wrong] }),
            'INVALID_ID',
            'an id of the other format',
          )
        },
      }
    }),
    ...SCENARIOS,
  ]
}

const SCENARIOS: readonly Scenario[] = [
  scenario(
    'a key is created once, and the second attempt leaves the first repository as it is',
    async ({ storage }) => {
      const repository = await storage.create('a', SHA1_MAIN)
      await applyEdits(repository, [edit('refs/heads/main', direct(1))])
      const again = { objectFormat: 'sha1', head: 'refs/heads/other' } as const
      await assertRejects(() => storage.create('a', again), 'ALREADY_EXISTS', 'creating a twice')
      const opened = await mustOpen(storage, 'a')
      assertEqual(await readTarget(opened, 'HEAD'), symbolic('refs/heads/main'), 'HEAD')
      assertEqual(await readTarget(opened, 'refs/heads/main'), direct(1), 'refs/heads/main')
    },
  ),
  scenario('of many concurrent creations of one key exactly one succeeds', async ({ storage }) => {
    const attempts = Array.from({ length: 20 }, (_, at) =>
      storage.create('race/one', { objectFormat: 'sha1', head: `refs/heads/b${at}` }),
    )
    const results = await Promise.allSettled(attempts)
    const winners = results.flatMap((result, at) => (result.status === 'fulfilled' ? [at] : []))
    assertEqual(winners.length, 1, 'number of creations that succeeded')
    for (const [at, attempt] of attempts.entries()) {
      if (at !== winners[0]) await assertRejects(() => attempt, 'ALREADY_EXISTS', 'a creation that lost')
    }
    const head = await readTarget(await mustOpen(storage, 'race/one'), 'HEAD')
    assertEqual(head, symbolic(`refs/heads/b${winners[0] ?? -1}`), `HEAD, which the winner's head must be`)
    assertEqual((await storage.list()).keys, ['race/one'], 'keys')
  }),
  scenario(
    'a repository that does not exist opens as undefined and deletes as false',
    async ({ storage }) => {
      await storage.create('a/b', SHA1_MAIN)
      for (const key of ['none', 'a/none', 'a/b/none', 'a']) {
        assertEqual(await storage.open(key), undefined, `open('${key}')`)
        assertEqual(await storage.delete(key), false, `delete('${key}')`)
      }
      await mustOpen(storage, 'a/b')
    },
  ),
  scenario('malformed keys and heads are refused and leave nothing behind', async ({ storage }) => {
    for (const key of MALFORMED_KEYS) {
      const what = JSON.stringify(key.slice(0, 40))
      await assertRejects(() => storage.create(key, SHA1_MAIN), 'INVALID_ARGUMENT', `create(${what})`)
      await assertRejects(() => storage.open(key), 'INVALID_ARGUMENT', `open(${what})`)
      await assertRejects(() => storage.delete(key), 'INVALID_ARGUMENT', `delete(${what})`)
    }
    for (const head of ['main', 'refs/heads/a..b', '']) {
      const options = { objectFormat: 'sha1', head } as const
      await assertRejects(
        () => storage.create('a', options),
        'INVALID_REF_NAME',
        `create with head '${head}'`,
      )
    }
    assertEqual(await storage.open('a'), undefined, 'the repository of the malformed head')
    assertEqual((await storage.list()).keys, [], 'keys')
  }),
  scenario('listing goes through many pages, in byte order, each key once', async ({ storage }) => {
    const keys = ['A', 'Z', 'a-b', 'a.b', 'a/b', 'a/c', 'a0', 'aB', 'ab', 'b_c', 'z/y/x', 'x.git']
    for (let at = 0; at < 12; at++) keys.push(`many/${at}`)
    for (const key of keys) await storage.create(key, SHA1_MAIN)
    const sorted = [...keys].sort()
    for (const limit of [1, 5, 8, keys.length - 1, keys.length, keys.length + 1]) {
      assertEqual(await listAll(storage, limit), sorted, `keys in pages of ${limit}`)
    }
    assertEqual((await storage.list()).keys, sorted, 'keys without a limit')
    const last = await storage.list({ limit: keys.length })
    assertEqual(last.cursor, undefined, 'cursor of a page that ends with the last key')
  }),
  scenario('a cursor goes on where its page ended, also when that key is gone', async ({ storage }) => {
    for (const key of ['a', 'b', 'c', 'd', 'e']) await storage.create(key, SHA1_MAIN)
    const first = await storage.list({ limit: 2 })
    assertEqual(first.keys, ['a', 'b'], 'first page')
    assertTrue(first.cursor !== undefined, 'the first page has no cursor, although there are more keys')
    await storage.delete('b')
    const rest = await storage.list({ limit: 10, cursor: first.cursor })
    assertEqual(rest.keys, ['c', 'd', 'e'], 'second page')
  }),
  scenario(
    'a deleted repository is gone with all its data, and its key is free again',
    async ({ storage }) => {
      const repository = await storage.create('a', SHA1_MAIN)
      const pack = await stagePack(repository, 1)
      await repository.commit({ addPacks: [pack], refs: [edit('refs/heads/main', direct(1))] })
      assertEqual(await storage.delete('a'), true, 'delete')
      assertEqual(await storage.open('a'), undefined, 'open after delete')
      assertEqual((await storage.list()).keys, [], 'keys')
      const again = await storage.create('a', { objectFormat: 'sha1', head: 'refs/heads/new' })
      assertEqual(await again.listPacks(), [], 'packs of the new repository')
      assertEqual(await again.listRefs(''), [], 'refs of the new repository')
      assertEqual(await readTarget(again, 'HEAD'), symbolic('refs/heads/new'), 'HEAD of the new repository')
    },
  ),
  scenario(
    'a handle on a deleted repository refuses to commit and brings nothing back',
    async ({ storage }) => {
      const repository = await storage.create('a', SHA1_MAIN)
      const pack = await stagePack(repository, 1)
      await repository.commit({ addPacks: [pack] })
      const file = await repository.openPackFile(pack.name, 'pack')
      await storage.delete('a')
      const refs = [edit('refs/heads/main', direct(1))]
      await assertRejects(() => repository.commit({ refs }), 'NOT_FOUND', 'a commit')
      await assertRejects(() => repository.commit({ refs, atomic: true }), 'NOT_FOUND', 'an atomic commit')
      const bytes = await readWhole(file).catch(() => undefined)
      if (bytes !== undefined) assertEqual([...bytes], [...pack.packBytes], 'bytes of a file that was open')
      await file.close()
      assertEqual(await storage.open('a'), undefined, 'open')
      assertEqual((await storage.list()).keys, [], 'keys')
    },
  ),
  scenario('repositories do not see each other', async ({ storage }) => {
    const keys = ['a', 'ab', 'a-b', 'b/a', 'b/ab']
    for (const [at, key] of keys.entries()) {
      const repository = await storage.create(key, SHA1_MAIN)
      const pack = await stagePack(repository, at)
      await repository.commit({ addPacks: [pack], refs: [edit('refs/heads/main', direct(at))] })
      await repository.writeConfig(`${await repository.readConfig()}[test]\n\tkey = ${at}\n`)
    }
    await storage.delete('a')
    for (const [at, key] of keys.entries()) {
      if (key === 'a') continue
      const repository = await mustOpen(storage, key)
      assertEqual(await listPackNames(repository), [samplePackName(at)], `packs of ${key}`)
      assertEqual(await readTarget(repository, 'refs/heads/main'), direct(at), `refs/heads/main of ${key}`)
      assertTrue(
        (await repository.readConfig()).endsWith(`\tkey = ${at}\n`),
        `the config of ${key} is another's`,
      )
    }
  }),
  scenario(
    'the config comes back as it was written, through every handle',
    async ({ createRepository, openRepository }) => {
      const repository = await createRepository()
      const other = await openRepository()
      const initial = await repository.readConfig()
      for (const text of [`${initial}[a "größe 😀"]\n\tb = "c\\"d"\r\n# no line break at the end`, initial]) {
        await repository.writeConfig(text)
        assertEqual(await repository.readConfig(), text, 'config')
        assertEqual(await other.readConfig(), text, 'config through another handle')
      }
    },
  ),
  scenario(
    'closing one handle, even twice, leaves others and later ones working',
    async ({ createRepository, openRepository }) => {
      const repository = await createRepository()
      const other = await openRepository()
      await applyEdits(repository, [edit('refs/heads/a', direct(1))])
      await repository.close()
      await repository.close()
      await applyEdits(other, [edit('refs/heads/b', direct(2))])
      const later = await openRepository()
      const names = (await later.listRefs('refs/')).map((ref) => ref.name)
      assertEqual(names, ['refs/heads/a', 'refs/heads/b'], 'refs')
    },
  ),
]

async function mustOpen(
  storage: Storage,
  key: string,
): Promise<NonNullable<Awaited<ReturnType<Storage['open']>>>> {
  const repository = await storage.open(key)
  assertTrue(repository !== undefined, `open('${key}') found nothing, although it was created`)
  return repository
}

async function listAll(storage: Storage, limit: number): Promise<string[]> {
  const keys: string[] = []
  let cursor: string | undefined
  for (let pages = 0; pages <= 100; pages++) {
    const page = await storage.list(cursor === undefined ? { limit } : { limit, cursor })
    assertTrue(page.keys.length <= limit, `a page has ${page.keys.length} keys, the limit was ${limit}`)
    keys.push(...page.keys)
    if (page.cursor === undefined) return keys
    cursor = page.cursor
  }
  throw new Error(`listing with limit ${limit} does not end after 100 pages`)
}
