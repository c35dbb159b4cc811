import { describe, expect, it } from 'vitest'
import { parseGitRoute, type GitRoute } from '../../src/http/git-route.ts'

function route(method: string, target: string): GitRoute {
  return parseGitRoute(method, new URL('http://localhost' + target))
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

  it('refuses what a client without smart HTTP asks for, with 403', () => {
    for (const target of [
      '/a.git/info/refs',
      '/a.git/HEAD',
      '/a.git/objects/info/packs',
      '/a.git/objects/12/34567890123456789012345678901234567890',
    ]) {
      expect(route('GET', target)).toMatchObject({ kind: 'refused', status: 403 })
    }
    expect(route('GET', '/a.git/info/refs?service=git-fly')).toMatchObject({ kind: 'refused', status: 403 })
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
