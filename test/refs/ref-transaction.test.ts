import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { RefEdit, RefExpectation, RefOutcome } from '../../src/refs/ref-edit.ts'
import { createRefTable } from '../../src/refs/ref-table.ts'
import { assertRefEdits, judgeRefEdits } from '../../src/refs/ref-transaction.ts'
import type { RefTarget } from '../../src/refs/ref.ts'
import { errorCode } from './error-code.ts'
import { git, gitLines, tryGit } from '../support/git.ts'

const A = 'a'.repeat(40)
const B = 'b'.repeat(40)
const direct = (id: string): RefTarget => ({ kind: 'direct', id })
const symbolic = (target: string): RefTarget => ({ kind: 'symbolic', target })

/** Few names in few directories, so that conflicts are the rule. */
const NAMES = ['a', 'b', 'a/b', 'a/c', 'a/b/c', 'b/a', 'a-b'].map((name) => `refs/heads/${name}`)
const aName = fc.constantFrom(...NAMES)
const aTarget = fc.constantFrom(direct(A), direct(B), symbolic('refs/heads/x'))
const anExpectation = fc.constantFrom<RefExpectation>(
  { kind: 'any' },
  { kind: 'absent' },
  { kind: 'exists' },
  { kind: 'id', id: A },
  { kind: 'id', id: B },
  { kind: 'symbolic', target: 'refs/heads/x' },
  { kind: 'symbolic', target: 'refs/heads/y' },
)

type State = ReadonlyMap<string, RefTarget>

/** States without conflicts inside. */
const aState = fc.array(fc.tuple(aName, aTarget), { maxLength: 5 }).map((entries) => {
  const state = new Map<string, RefTarget>()
  for (const [name, target] of entries) if (!clashes(name, state.keys())) state.set(name, target)
  return state
})

const someEdits = fc
  .array(fc.record({ name: aName, expect: anExpectation, target: fc.option(aTarget) }), { maxLength: 5 })
  .map((edits) => [...new Map(edits.map((edit) => [edit.name, edit])).values()])

function clashes(name: string, others: Iterable<string>): boolean {
  return [...others].some((other) => other.startsWith(`${name}/`) || name.startsWith(`${other}/`))
}

function meets(found: RefTarget | undefined, expect: RefExpectation): boolean {
  if (expect.kind === 'any') return true
  if (expect.kind === 'absent') return found === undefined
  if (expect.kind === 'exists') return found !== undefined
  const wanted = expect.kind === 'id' ? direct(expect.id) : symbolic(expect.target)
  return JSON.stringify(found) === JSON.stringify(wanted)
}

/** The rules in the fewest words: the verdict for one edit and the state it leaves. */
function naively(state: State, edit: RefEdit, others: readonly string[]): { verdict: string; state: State } {
  const found = state.get(edit.name)
  if (!meets(found, edit.expect)) return { verdict: 'stale', state }
  if (found === undefined && clashes(edit.name, [...state.keys(), ...others]))
    return { verdict: 'name-conflict', state }
  const after = new Map(state)
  if (edit.target === null) after.delete(edit.name)
  else after.set(edit.name, edit.target)
  return { verdict: 'applied', state: after }
}

function verdict(outcome: RefOutcome): string {
  return outcome.kind === 'applied' ? 'applied' : outcome.rejection.reason
}

function judge(state: State, edits: readonly RefEdit[], atomic: boolean): RefOutcome[] {
  return judgeRefEdits(edits, createRefTable([...state].map(([name, target]) => ({ name, target }))), {
    atomic,
  })
}

describe('ref transactions', () => {
  test('edits that stand alone are judged in order, each after what the ones before it did', () => {
    fc.assert(
      fc.property(aState, someEdits, (before, edits) => {
        let state: State = before
        const expected = edits.map((edit) => {
          const result = naively(state, edit, [])
          state = result.state
          return result.verdict
        })
        expect(judge(before, edits, false).map(verdict)).toEqual(expected)
      }),
      { numRuns: 500 },
    )
  })

  test('an atomic transaction applies all edits or none', () => {
    fc.assert(
      fc.property(aState, someEdits, (before, edits) => {
        const names = edits.map((edit) => edit.name)
        const alone = edits.map((edit) => naively(before, edit, names).verdict)
        const failed = alone.some((one) => one !== 'applied')
        const expected = alone.map((one) => (failed && one === 'applied' ? 'atomic' : one))
        expect(judge(before, edits, true).map(verdict)).toEqual(expected)
      }),
      { numRuns: 500 },
    )
  })

  test('outcomes say what was there and which name is in the way', () => {
    const state = new Map([
      ['refs/heads/a', direct(A)],
      ['refs/heads/s', symbolic('refs/heads/a')],
    ])
    const edits: RefEdit[] = [
      { name: 'refs/heads/a', expect: { kind: 'id', id: B }, target: null },
      { name: 'refs/heads/s', expect: { kind: 'any' }, target: direct(B) },
      { name: 'refs/heads/a/x', expect: { kind: 'absent' }, target: direct(B) },
      { name: 'refs/heads', expect: { kind: 'any' }, target: direct(B) },
      { name: 'refs/heads/none', expect: { kind: 'exists' }, target: direct(B) },
    ]
    expect(judge(state, edits, false)).toEqual([
      { kind: 'rejected', name: 'refs/heads/a', rejection: { reason: 'stale', found: direct(A) } },
      { kind: 'applied', name: 'refs/heads/s', before: symbolic('refs/heads/a') },
      {
        kind: 'rejected',
        name: 'refs/heads/a/x',
        rejection: { reason: 'name-conflict', conflictsWith: 'refs/heads/a' },
      },
      {
        kind: 'rejected',
        name: 'refs/heads',
        rejection: { reason: 'name-conflict', conflictsWith: 'refs/heads/a' },
      },
      { kind: 'rejected', name: 'refs/heads/none', rejection: { reason: 'stale', found: null } },
    ])
  })

  test('a locked ref is refused and takes an atomic transaction with it', () => {
    const edits: RefEdit[] = ['refs/heads/a', 'refs/heads/b'].map((name) => ({
      name,
      expect: { kind: 'any' },
      target: direct(A),
    }))
    const locked = new Set(['refs/heads/b'])
    expect(judgeRefEdits(edits, createRefTable(), { atomic: false, locked }).map(verdict)).toEqual([
      'applied',
      'locked',
    ])
    expect(judgeRefEdits(edits, createRefTable(), { atomic: true, locked }).map(verdict)).toEqual([
      'atomic',
      'locked',
    ])
  })

  test('thousands of edits against thousands of refs are judged without comparing each with each', () => {
    const refs = Array.from({ length: 20_000 }, (_, at) => ({
      name: `refs/pull/${at}/head`,
      target: direct(A),
    }))
    const table = createRefTable(refs)
    let asked = 0
    const counting = {
      find: (name: string) => (asked++, table.find(name)),
      names: (directory: string) => (asked++, table.names(directory)),
    }
    const edits: RefEdit[] = refs.map(({ name }, at) =>
      at % 2 === 0
        ? { name, expect: { kind: 'any' }, target: null }
        : { name: `${name}s/${at}`, expect: { kind: 'absent' }, target: direct(B) },
    )
    for (const atomic of [true, false]) {
      expect(judgeRefEdits(edits, counting, { atomic }).every((outcome) => outcome.kind === 'applied')).toBe(
        true,
      )
    }
    expect(asked).toBeLessThan(20 * edits.length)
  })

  test('malformed transactions are refused before anything is looked up', () => {
    const edit = (change: Partial<RefEdit>): RefEdit => ({
      name: 'refs/heads/a',
      expect: { kind: 'any' },
      target: direct(A),
      ...change,
    })
    const code = (...edits: RefEdit[]): string =>
      errorCode(() => {
        assertRefEdits(edits, 40)
      })
    expect(code(edit({}), edit({ name: 'HEAD' }), edit({ name: 'refs/heads/b', target: null }))).toBe('none')
    expect(code(edit({}), edit({}))).toBe('INVALID_ARGUMENT')
    expect(code(edit({ name: 'HEAD', target: null }))).toBe('INVALID_ARGUMENT')
    expect(code(edit({ name: 'refs/heads/a..b' }))).toBe('INVALID_REF_NAME')
    expect(code(edit({ name: '../config' }))).toBe('INVALID_REF_NAME')
    expect(code(edit({ target: symbolic('refs/heads/\n') }))).toBe('INVALID_REF_NAME')
    expect(code(edit({ target: direct(A.slice(1)) }))).toBe('INVALID_ID')
    expect(code(edit({ target: direct(A.toUpperCase()) }))).toBe('INVALID_ID')
    expect(code(edit({ target: direct('a'.repeat(64)) }))).toBe('INVALID_ID')
    expect(code(edit({ target: direct('0'.repeat(40)) }))).toBe('INVALID_ARGUMENT')
    expect(code(edit({ expect: { kind: 'id', id: '0'.repeat(40) } }))).toBe('INVALID_ARGUMENT')
    expect(code(edit({ expect: { kind: 'symbolic', target: 'x' } }))).toBe('INVALID_REF_NAME')
  })

  describe('beside git update-ref --stdin', () => {
    let directory = ''
    let ids: readonly [string, string] = ['', '']
    beforeAll(async () => {
      directory = await mkdtemp(join(tmpdir(), 'packstone-transactions-'))
      await git(['init', '-q', '--bare', directory])
      const tree = await git(['hash-object', '-t', 'tree', '-w', '--stdin'], { cwd: directory, input: '' })
      const commit = (message: string): Promise<string> =>
        git(['commit-tree', '-m', message, tree], { cwd: directory })
      ids = [await commit('x'), await commit('y')]
    })
    afterAll(() => rm(directory, { recursive: true }))

    test('atomic transactions succeed exactly when git lets them, and leave the same refs', async () => {
      const zero = '0'.repeat(40)
      const expectation = fc.constantFrom<RefExpectation>(
        { kind: 'any' },
        { kind: 'absent' },
        { kind: 'id', id: ids[0] },
        { kind: 'id', id: ids[1] },
      )
      const target = fc.option(fc.constantFrom(direct(ids[0]), direct(ids[1])))
      const edits = fc
        .array(fc.record({ name: aName, expect: expectation, target }), { minLength: 1, maxLength: 3 })
        .map((drawn) => [...new Map(drawn.map((edit) => [edit.name, edit])).values()])
        // git has no word for "delete what must not exist".
        .filter((drawn) => drawn.every((edit) => edit.target !== null || edit.expect.kind !== 'absent'))
      let state: State = new Map()
      const verdicts = { applied: 0, rejected: 0 }
      for (const [at, drawn] of fc.sample(edits, { numRuns: 150, seed: 11 }).entries()) {
        if (at % 10 === 5) await git(['pack-refs', '--all'], { cwd: directory })
        const lines = drawn.map((edit) => {
          const id = edit.target?.kind === 'direct' ? ` ${edit.target.id}` : ''
          const old =
            edit.expect.kind === 'id' ? ` ${edit.expect.id}` : edit.expect.kind === 'absent' ? ` ${zero}` : ''
          return `${edit.target === null ? 'delete' : 'update'} ${edit.name}${id}${old}\n`
        })
        const theirs = await tryGit(['update-ref', '--no-deref', '--stdin'], {
          cwd: directory,
          input: lines.join(''),
        })
        const outcomes = judge(state, drawn, true)
        const applied = outcomes.every((outcome) => outcome.kind === 'applied')
        expect([lines, theirs.stderr, applied]).toEqual([lines, theirs.stderr, theirs.code === 0])
        verdicts[applied ? 'applied' : 'rejected']++
        if (applied) for (const edit of drawn) state = naively(state, edit, []).state
        const refs = await gitLines(['for-each-ref', '--format=%(refname) %(objectname)'], {
          cwd: directory,
        })
        const ours = [...state].map(([name, value]) => `${name} ${value.kind === 'direct' ? value.id : ''}`)
        expect(ours.sort()).toEqual(refs.sort())
      }
      expect(Math.min(verdicts.applied, verdicts.rejected)).toBeGreaterThan(20)
    })
  })
})
