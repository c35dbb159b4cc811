import { decodeUtf8 } from '../../bytes/text.ts'

/**
 * The token that a Git client presents: `Bearer <token>`, or the password of `Basic` with any user name. `undefined` where there is
 * none; a user name without a password is none.
 */
export function readGitToken(authorization: string | null): string | undefined {
  const [, scheme = '', value = ''] = /^(\S+) +(\S+) *$/.exec(authorization ?? '') ?? []
  switch (scheme.toLowerCase()) {
    case 'bearer':
      return value
    case 'basic': {
      const text = decodeBase64(value) ?? ''
      const password = text.slice(text.indexOf(':') + 1)
      return text.includes(':') && password !== '' ? unescapePassword(password) : undefined
    }
    default:
      return undefined
  }
}

function decodeBase64(text: string): string | undefined {
  try {
    return decodeUtf8(Uint8Array.from(atob(text), (character) => character.charCodeAt(0)))
  } catch {
    // Neither base64 nor text: no credentials.
    return undefined
  }
}

/** Some clients send the password as it stood in an address, with its `?` and `=` still percent-encoded. */
function unescapePassword(password: string): string {
  return password.replace(/%3F/gi, '?').replace(/%3D/gi, '=')
}
