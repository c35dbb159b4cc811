import { beforeAll, describe, expect, it } from 'vitest'
import fc from 'fast-check'
import { isGitError } from '../../src/errors.ts'
import { parseObjectFilter } from '../../src/graph/object-filter.ts'
import { git, tryGit } from '../support/git.ts'
import { useScratch } from '../support/hooks.ts'

const scratch = useScratch()
let repository = ''
beforeAll(async () => {
  repository = scratch.fresh('filters')
  await git(['init', '--quiet', repository])
  await git(['commit', '--quiet', '--allow-empty', '-m', 'one'], { cwd: repository })
})

/** What git says to a filter: nothing, or its message. */
async function gitVerdict(spec: string): Promise<string> {
  const { code, stderr } = await tryGit(['rev-list', '--objects', `--filter=${spec}`, 'HEAD'], {
    cwd: repository,
  })
  return code === 0 ? '' : stderr.replace(/^fatal: /, '').trimEnd()
}

function ourVerdict(spec: string): string {
  try {
    parseObjectFilter(spec)
    return ''
  } catch (error) {
    if (!isGitError(error, 'INVALID_ARGUMENT')) throw error
    return error.message
  }
}

describe('filters are understood and refused in the words of git', () => {
  it.each([
    'blob:none',
    'blob:limit=0',
    'blob:limit=10k',
    'blob:limit=0x1F',
    'blob:limit=017g',
    'blob:limit=089',
    'blob:limit=',
    'blob:limit=-1',
    'blob:limit=1x',
    'blob:limit=99999999999999999999999',
    'tree:0',
    'tree:3',
    'tree:2k',
    'tree:',
    'tree:x',
    'object:type=blob',
    'object:type=commit',
    'object:type=tree',
    'object:type=tag',
    'object:type=Blob',
    'object:type=',
    'sparse:path=x',
    'combine:',
    'combine:+',
    'combine:blob:none',
    'combine:blob:none+',
    'combine:blob:none++tree:1',
    'combine:blob%3anone+tree:1',
    'combine:blob%3Anone+combine:tree%3a1%2btree%3a2',
    'combine:tree:1+a~b',
    'combine:a%zz',
    'combine:tree:1+%00',
    'bogus',
    '',
    'blob:none ',
  ])('%s', async (spec) => {
    expect(ourVerdict(spec)).toBe(await gitVerdict(spec))
  })

  it('made of random pieces', async () => {
    const piece = fc.constantFrom(
      'combine:',
      'blob:none',
      'tree:1',
      'tree%3a2',
      'blob:limit=1k',
      '+',
      '+',
      '%',
      '%2b',
      'x',
      '!',
      'object:type=tag',
    )
    const spec = fc.array(piece, { minLength: 1, maxLength: 5 }).map((pieces) => pieces.join(''))
    await fc.assert(
      fc.asyncProperty(spec, async (text) => {
        expect(ourVerdict(text)).toBe(await gitVerdict(text))
      }),
      { numRuns: 60 },
    )
  })

  it('and nesting without end is refused, not followed', () => {
    expect(ourVerdict('combine:'.repeat(5000))).toMatch(/levels deep/)
  })
})
