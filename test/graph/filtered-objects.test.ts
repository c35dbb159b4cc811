import { beforeAll, describe, expect, it } from 'vitest'
import fc from 'fast-check'
import { encodeUtf8 } from '../../src/bytes/text.ts'
import { parseHex } from '../../src/bytes/hex.ts'
import { enumerateObjects } from '../../src/graph/enumerate-objects.ts'
import { parseObjectFilter, type BoundFilter, type ObjectFilter } from '../../src/graph/object-filter.ts'
import { parseSparsePatterns } from '../../src/graph/sparse-patterns.ts'
import { readObject } from '../../src/object/object-reader.ts'
import type { ObjectView } from '../../src/odb/object-view.ts'
import { git, gitLines, TEST_TIME, tryGit } from '../support/git.ts'
import { useScratch } from '../support/hooks.ts'
import { createRandom } from '../support/random.ts'
import { includedIds } from './included-ids.ts'
import { openViewOf, WAYS } from './views.ts'

const scratch = useScratch()

/** A history in which files and directories move up and down, so that one object lies at many paths and depths. */
function describeHistory(seed: number, commits: number): string {
  const random = createRandom(seed)
  const folders = ['', 'a/', 'a/b/', 'a/b/c/', 'd/', 'd/e/', 'lib/']
  let stream = ''
  for (let at = 1; at <= commits; at++) {
    stream += `commit refs/heads/main\nmark :${at}\ncommitter C <c@example.com> ${TEST_TIME + 60 * at} +0000\ndata 0\n`
    stream += at > 1 ? `from :${at - 1}\n` : 'M 100644 inline a/first\ndata 1\n1\n'
    if (at > 4 && random.chance(0.2)) stream += `merge :${at - 3}\n`
    for (let files = 1 + random.below(3); files > 0; files--) {
      const content = `${random.below(12)}`.repeat(1 + random.below(6) * random.below(40))
      const name = `${random.pick(folders)}${random.pick(['x', 'y.c', 'z.txt', 'foo'])}`
      stream += `M 100644 inline ${name}\ndata ${content.length}\n${content}\n`
    }
    if (random.chance(0.3)) stream += `C a ${random.pick(['copy', 'd/copy', 'lib/a'])}\n`
    stream += '\n'
  }
  stream += `tag v1\nfrom :${commits}\ntagger C <c@example.com> ${TEST_TIME} +0000\ndata 0\n`
  stream += `tag v2\nfrom :3\ntagger C <c@example.com> ${TEST_TIME} +0000\ndata 0\n`
  return stream
}

let path = ''
let all: string[] = []
beforeAll(async () => {
  path = scratch.fresh('moving.git')
  await git(['init', '--quiet', '--bare', path])
  const made = await tryGit(
    ['-c', 'fastimport.unpackLimit=0', 'fast-import', '--quiet', '--date-format=raw'],
    {
      cwd: path,
      input: describeHistory(7, 40),
    },
  )
  if (made.code !== 0) throw new Error(made.stderr)
  const file = await git(['hash-object', '-w', '--stdin'], { cwd: path, input: 'a file' })
  await git(['tag', '-a', '-m', 'a file', 'file', file], { cwd: path })
  await git(['tag', '-a', '-m', 'a folder', 'folder', 'main:a'], { cwd: path })
  all = await gitLines(['for-each-ref', '--format=%(objectname)'], { cwd: path })
})

async function bind(view: ObjectView, filter: ObjectFilter): Promise<BoundFilter> {
  if (filter.kind === 'combine') {
    return { kind: 'combine', filters: await Promise.all(filter.filters.map((part) => bind(view, part))) }
  }
  if (filter.kind !== 'sparse:oid') return filter
  const blob = await readObject(view, parseHex(filter.name))
  return { kind: 'sparse:oid', patterns: parseSparsePatterns(blob?.body ?? encodeUtf8('')) }
}

async function ours(view: ObjectView, spec: string, wants: readonly string[]): Promise<string[]> {
  const filter = await bind(view, parseObjectFilter(spec))
  return includedIds(
    await enumerateObjects(view, { wants: wants.map((id) => parseHex(id)), haves: [], filter }),
  )
}

async function gits(spec: string, wants: readonly string[]): Promise<string[]> {
  const lines = await gitLines(['rev-list', '--objects', '--no-object-names', `--filter=${spec}`, ...wants], {
    cwd: path,
  })
  return [...new Set(lines)].sort()
}

const SIMPLE = [
  'blob:none',
  'blob:limit=0',
  'blob:limit=5',
  'blob:limit=100',
  'blob:limit=1k',
  'tree:0',
  'tree:1',
  'tree:2',
  'tree:3',
  'tree:10',
  'object:type=commit',
  'object:type=tree',
  'object:type=blob',
  'object:type=tag',
] as const

const PATTERNS = [
  '/*\n!/*/\n/a/\n',
  '/*\n!/*/\n/a/\n!/a/*/\n/a/b/\n',
  'a/b\n',
  '*.c\n',
  '*\n!lib/\n',
  '**/copy\n',
  'd/**/x\n',
  'a/**\n!foo\n',
  '# nothing\n',
  '[xy]*\n!y.?\n',
  '/lib\n/x\n',
]

async function storePatterns(text: string): Promise<string> {
  return git(['hash-object', '-w', '--stdin'], { cwd: path, input: text })
}

describe.each(WAYS)('what a filter lets through of objects %s is what git lets through', (way) => {
  it('with one filter', async () => {
    const view = await openViewOf(path, way)
    for (const spec of SIMPLE) expect(await ours(view, spec, all), spec).toEqual(await gits(spec, all))
  })

  it('with several filters at once', async () => {
    const view = await openViewOf(path, way)
    for (const first of SIMPLE) {
      for (const second of ['blob:limit=100', 'tree:2', 'object:type=tree', 'object:type=blob']) {
        const spec = `combine:${first}+combine:${encodeURIComponent(second)}`
        expect(await ours(view, spec, all), spec).toEqual(await gits(spec, all))
      }
    }
  })

  it('when trees and files are asked for themselves', async () => {
    const view = await openViewOf(path, way)
    const wants = await gitLines(['rev-parse', 'main:a', 'main:lib', 'main~10:d'], { cwd: path })
    for (const spec of SIMPLE) {
      // Git loses what it was asked for where a filter has met it before; we never do.
      expect(await ours(view, spec, wants), spec).toEqual(expect.arrayContaining(await gits(spec, wants)))
      expect(await ours(view, spec, wants), spec).toEqual(expect.arrayContaining(wants))
      for (const want of wants) expect(await ours(view, spec, [want])).toEqual(await gits(spec, [want]))
    }
  })
})

it('sparse patterns choose what they choose in git', async () => {
  const ids = await Promise.all(PATTERNS.map(storePatterns))
  const view = await openViewOf(path, 'made by git')
  for (const [at, id] of ids.entries()) {
    for (const spec of [
      `sparse:oid=${id}`,
      `combine:sparse:oid=${id}+blob:limit=50`,
      `combine:tree:2+sparse:oid=${id}`,
    ]) {
      expect(await ours(view, spec, all), PATTERNS[at]).toEqual(await gits(spec, all))
    }
  }
})

it('random sparse patterns choose what they choose in git', async () => {
  const atom = fc.constantFrom(
    'a',
    'b',
    'lib',
    'foo',
    '*',
    '**',
    '?',
    '/',
    '/',
    '/',
    '!',
    '[a-d]',
    '[!x]',
    '[[:alpha:]]',
    '\\',
    '.c',
    ' ',
  )
  const line = fc.array(atom, { minLength: 1, maxLength: 5 }).map((atoms) => atoms.join(''))
  const file = fc.array(line, { minLength: 1, maxLength: 4 }).map((lines) => `${lines.join('\n')}\n`)
  await fc.assert(
    fc.asyncProperty(file, async (text) => {
      const id = await storePatterns(text)
      const view = await openViewOf(path, 'made by git')
      const spec = `sparse:oid=${id}`
      expect(await ours(view, spec, all)).toEqual(await gits(spec, all))
    }),
    { numRuns: 60 },
  )
})
