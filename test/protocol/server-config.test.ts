import { describe, expect, it } from 'vitest'
import { parseGitConfig } from '../../src/config/git-config.ts'
import { parseProtocolOptions } from '../../src/protocol/server-config.ts'

const parse = (text: string): ReturnType<typeof parseProtocolOptions> =>
  parseProtocolOptions(parseGitConfig(text))

describe('options from a config', () => {
  it('are git’s defaults where nothing is set, except that objects are checked', () => {
    const { uploadPack, receivePack } = parse('')
    expect(uploadPack).toEqual({
      hiddenRefs: [],
      keepAliveSeconds: 5,
      allowTipSha1InWant: false,
      allowReachableSha1InWant: false,
      allowAnySha1InWant: false,
    })
    expect(receivePack).toEqual({
      hiddenRefs: [],
      keepAliveSeconds: 5,
      denyNonFastForwards: false,
      denyDeletes: false,
      denyDeleteCurrent: 'refuse',
      advertiseAtomic: true,
      advertisePushOptions: false,
      shallowUpdate: false,
      procReceiveRefs: [],
      fsck: { strict: true, severities: {} },
    })
  })

  it('keep the order of hidden refs over both sections', () => {
    const { uploadPack, receivePack } = parse(
      '[transfer]\nhideRefs = refs/a\n[uploadpack]\nhideRefs = !refs/a/b\n[receive]\nhideRefs = refs/c\n[transfer]\nhiderefs = refs/d\n',
    )
    expect(uploadPack.hiddenRefs).toEqual(['refs/a', '!refs/a/b', 'refs/d'])
    expect(receivePack.hiddenRefs).toEqual(['refs/a', 'refs/c', 'refs/d'])
  })

  it('do not check objects when receive.fsckObjects, or else transfer.fsckObjects, says so', () => {
    const fsck = (text: string): unknown => parse(text).receivePack.fsck
    expect(fsck('[transfer]\nfsckObjects = false')).toBe(false)
    expect(fsck('[transfer]\nfsckObjects\n[receive]\nfsckObjects = false')).toBe(false)
    expect(fsck('[transfer]\nfsckObjects = false\n[receive]\nfsckObjects')).toMatchObject({ strict: true })
    expect(fsck('[receive "fsck"]\nmissingEmail = ignore')).toEqual({
      strict: true,
      severities: { missingEmail: 'ignore' },
    })
  })

  it('take what hooks are for', () => {
    const { receivePack } = parse(
      '[receive]\nadvertisePushOptions\nshallowUpdate = 1\nprocReceiveRefs = refs/for\nprocReceiveRefs = ad:refs/x\n',
    )
    expect(receivePack).toMatchObject({
      advertisePushOptions: true,
      shallowUpdate: true,
      procReceiveRefs: ['refs/for', 'ad:refs/x'],
    })
  })

  it('take policies and limits', () => {
    const { receivePack, uploadPack } = parse(
      '[receive]\ndenyNonFastForwards\ndenyDeletes = yes\ndenyDeleteCurrent = warn\nmaxInputSize = 2k\n' +
        '[uploadpack]\nallowAnySHA1InWant = 1\nkeepAlive = 0\n',
    )
    expect(receivePack).toMatchObject({
      denyNonFastForwards: true,
      denyDeletes: true,
      denyDeleteCurrent: 'warn',
      maxInputSize: 2048,
    })
    expect(uploadPack).toMatchObject({ allowAnySha1InWant: true, keepAliveSeconds: 0 })
    expect(parse('[receive]\ndenyDeleteCurrent = false').receivePack.denyDeleteCurrent).toBe('ignore')
    expect(parse('[receive]\ndenyDeleteCurrent').receivePack.denyDeleteCurrent).toBe('refuse')
  })

  it('refuse what does not parse', () => {
    expect(() => parse('[receive]\ndenyDeletes = perhaps')).toThrow(/receive.denydeletes/i)
    expect(() => parse('[transfer]\nhideRefs')).toThrow(/no value/)
  })
})
