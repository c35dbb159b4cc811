import { describe, expect, it } from 'vitest'
import { parseGitRoute, type GitRoute } from '../../src/http/git-route.ts'

function route(method: string, target: string): GitRoute {
  const { pathname, searchParams } = new URL('http://localhost' + target)
  return parseGitRoute(method, pathname, searchParams)
}

describe('parseGitRoute', () => {
  it('recognises the four requests of smart HTTP', () => {
    expect(route('GET', '/team/a.git/info/refs?service=git-upload-pack')).toEqual({
      kind: 'advertisement',
      path: 'team/a.git',
      service: 'git-upload-pack',
    })
    expect(route('HEAD', '/a/info/refs?service=git-receive-pack')).toEqual({
      kind: 'advertisement',
      path: 'a',
      service: 'git-receive-pack',
    })
    expect(route('POST', '/a/git-upload-pack')).toEqual({
      kind: 'service',
      path: 'a',
      service: 'git-upload-pack',
    })
    expect(route('POST', '/a/b/c/git-receive-pack')).toEqual({
      kind: 'service',
      path: 'a/b/c',
      service: 'git-receive-pack',
    })
  })

  it('decodes the path and forgets doubled slashes', () => {
    expect(route('POST', '//caf%C3%A9//a%20b/git-upload-pack')).toMatchObject({ path: 'café/a b' })
  })

  it('recognises the files that a client without smart HTTP reads', () => {
    const hex = '12'.repeat(20)
    const files = {
      HEAD: { kind: 'head' },
      'info/refs': { kind: 'refs' },
      'objects/info/packs': { kind: 'packs' },
      [`objects/12/${hex.slice(2)}`]: { kind: 'loose', id: hex },
      [`objects/pack/pack-${hex}.pack`]: { kind: 'pack', name: `pack-${hex}`, file: 'pack' },
      [`objects/pack/pack-${hex}${hex.slice(16)}.idx`]: {
        kind: 'pack',
        name: `pack-${hex}${hex.slice(16)}`,
        file: 'idx',
      },
    }
    for (const [name, file] of Object.entries(files)) {
      expect(route('GET', `/team/a.git/${name}`)).toEqual({ kind: 'file', path: 'team/a.git', file })
      expect(route('HEAD', `/a/${name}`)).toMatchObject({ kind: 'file', path: 'a' })
      expect(route('POST', `/a/${name}`)).toEqual({ kind: 'wrong-method', allow: 'GET, HEAD' })
    }
  })

  it('refuses a service that nobody knows', () => {
    expect(route('GET', '/a.git/info/refs?service=git-fly')).toMatchObject({ kind: 'refused', status: 403 })
  })

  it('knows no other file of a repository', () => {
    const hex = '12'.repeat(20)
    for (const name of [
      'config',
      'shallow',
      'packed-refs',
      'hooks/post-receive',
      'refs/heads/main',
      'objects/info/alternates',
      'objects/info/http-alternates',
      `objects/12/${hex}`,
      `objects/1/2${hex.slice(2)}`,
      `objects/zz/${hex.slice(2)}`,
      `objects/pack/pack-${hex}.keep`,
      `objects/pack/pack-..pack`,
      `objects/pack/%2e%2e/config`,
      `objects/12/..%2f..%2fconfig`,
    ]) {
      const found = route('GET', `/a.git/${name}`)
      expect(found.kind, name).toBe('refused')
    }
  })

  it('does not know any other address', () => {
    for (const target of [
      '/',
      '/a.git',
      '/a.git/config',
      '/info/refs?service=git-upload-pack',
      '/git-upload-pack',
    ]) {
      expect(route(target === '/git-upload-pack' ? 'POST' : 'GET', target)).toMatchObject({
        kind: 'refused',
        status: 404,
      })
    }
  })

  it('names the methods that an address takes', () => {
    expect(route('POST', '/a/info/refs?service=git-upload-pack')).toEqual({
      kind: 'wrong-method',
      allow: 'GET, HEAD',
    })
    expect(route('GET', '/a/git-upload-pack')).toEqual({ kind: 'wrong-method', allow: 'POST' })
    expect(route('PUT', '/a/git-receive-pack')).toEqual({ kind: 'wrong-method', allow: 'POST' })
  })

  it('lets no path through that could leave its folder', () => {
    for (const path of [
      '/a%2f..%2f..%2fetc',
      '/..%5c..%5cetc',
      '/%00',
      '/a%0ab',
      '/..%2f',
      '/a\\..\\b%5c',
      '/%ff%fe',
    ]) {
      expect(route('POST', `${path}/git-upload-pack`), path).toMatchObject({ kind: 'refused', status: 400 })
    }
    // Plain dots never get here: an address is resolved before it is looked at.
    expect(route('POST', '/a/../../b/%2e%2e/c/git-upload-pack')).toMatchObject({ path: 'c' })
  })
})
