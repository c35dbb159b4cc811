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
      allowFilter: false,
      filters: { allow: true, kinds: {} },
      allowRefInWant: false,
      allowSidebandAll: false,
      advertiseObjectInfo: true,
      unborn: 'advertise',
      packfileUris: [],
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

  it('say which filters are allowed, the last word counting', () => {
    const filters = (text: string): unknown => parse(text).uploadPack.filters
    expect(parse('[uploadpack]\nallowFilter').uploadPack.allowFilter).toBe(true)
    expect(filters('[uploadpackfilter]\nallow = false\n[uploadpackfilter "blob:none"]\nallow\n')).toEqual({
      allow: false,
      kinds: { 'blob:none': true },
    })
    expect(filters('[uploadpackfilter "tree"]\nmaxDepth = 1k\n')).toEqual({
      allow: true,
      kinds: { tree: true },
      maxTreeDepth: 1024,
    })
    expect(filters('[uploadpackfilter "tree"]\nmaxDepth = 3\nallow = no\n')).toEqual({
      allow: true,
      kinds: { tree: false },
      maxTreeDepth: 3,
    })
  })

  it('take what git sends to other places', () => {
    const [object, pack] = ['1'.repeat(40), '2'.repeat(40)]
    expect(
      parse(`[uploadpack]\nblobPackfileUri = ${object} ${pack} https://cdn/p\n`).uploadPack.packfileUris,
    ).toEqual([{ object, pack, uri: 'https://cdn/p' }])
    const bundles =
      '[bundle]\nversion = 1\nmode = any\nheuristic = creationToken\n[bundle "one"]\nuri = https://cdn/b\ncreationToken = 7\n'
    expect(parse(bundles).uploadPack.bundles).toBeUndefined()
    expect(parse(`${bundles}[uploadpack]\nadvertiseBundleURIs\n`).uploadPack.bundles).toEqual({
      mode: 'any',
      heuristic: 'creationToken',
      bundles: [{ id: 'one', uri: 'https://cdn/b', creationToken: 7 }],
    })
  })

  it('refuse what does not parse', () => {
    expect(() => parse('[lsrefs]\nunborn = xx')).toThrow("invalid value for 'lsrefs.unborn': 'xx'")
    expect(() => parse('[uploadpack]\nblobPackfileUri = x')).toThrow(/must be of the form/)
    expect(() => parse('[receive]\ndenyDeletes = perhaps')).toThrow(/receive.denydeletes/i)
    expect(() => parse('[transfer]\nhideRefs')).toThrow(/no value/)
  })
})
