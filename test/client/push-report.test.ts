import { describe, expect, it } from 'vitest'
import { readPushReport } from '../../src/client/push-report.ts'
import { gitError } from '../support/git-error.ts'
import { chunked, FLUSH, wire, type WirePart } from '../protocol/wire.ts'

const read = (...parts: readonly WirePart[]): ReturnType<typeof readPushReport> =>
  readPushReport(chunked(wire(...parts), [3, 30]))

describe('a report', () => {
  it('says what became of the pack and of each ref, with the options of version 2', async () => {
    const report = await read(
      'unpack ok\n',
      'ok refs/heads/a\n',
      'ok refs/for/main\n',
      'option refname refs/pull/7/head\n',
      `option old-oid ${'0'.repeat(40)}\n`,
      'option forced-update\n',
      'ok refs/for/main\n',
      'option refname refs/pull/8/head\n',
      'ng refs/heads/b non-fast-forward (rejected)\n',
      'ng refs/heads/c\n',
      FLUSH,
    )
    expect(report.unpackError).toBeUndefined()
    expect(Object.fromEntries(report.refs)).toEqual({
      'refs/heads/a': { kind: 'ok', changes: [] },
      'refs/for/main': {
        kind: 'ok',
        changes: [
          { refname: 'refs/pull/7/head', 'old-oid': '0'.repeat(40), 'forced-update': '' },
          { refname: 'refs/pull/8/head' },
        ],
      },
      'refs/heads/b': { kind: 'refused', message: 'non-fast-forward (rejected)' },
      'refs/heads/c': { kind: 'refused', message: 'failed' },
    })
  })

  it('says why a pack was not taken', async () => {
    const report = await read('unpack index-pack failed\n', 'ng refs/heads/a unpacker error\n', FLUSH)
    expect(report.unpackError).toBe('index-pack failed')
  })

  it.each([
    [[]],
    [[FLUSH]],
    [['unpack ok\n']],
    [['ok refs/heads/a\n', FLUSH]],
    [['unpack ok\n', 'option refname a\n', FLUSH]],
    [['unpack ok\n', 'perhaps refs/heads/a\n', FLUSH]],
    [['unpack ok\n', 'ok\n', FLUSH]],
  ])('that is malformed is refused: %j', async (parts) => {
    await expect(read(...parts)).rejects.toThrow(gitError('PROTOCOL'))
  })
})
