const RELATIVE = /^\.{1,2}[\\/]/
const CURL_PREFIX = /^(?:https?|ftps?)::/
const CURL_SCHEME = /^(?:https?|ftps?):\/\//

/**
 * Tells whether git refuses the URL in a `.gitmodules` file: it could be taken for an option, hide a newline from
 * a credential helper, or resolve to a URL without a host. The URL is given as bytes decoded one to one.
 */
export function isForbiddenSubmoduleUrl(url: string): boolean {
  if (url.startsWith('-')) return true
  if (RELATIVE.test(url)) return decodePercent(url).includes('\n') || escapesToHost(url)
  const prefix = CURL_PREFIX.exec(url)
  if (prefix !== null) return isForbiddenCurlUrl(url.slice(prefix[0].length))
  return CURL_SCHEME.test(url) && isForbiddenCurlUrl(url)
}

/** A relative URL that climbs and then begins with `:` or `/` would replace the host it is resolved against. */
function escapesToHost(url: string): boolean {
  let climbs = false
  let rest = url
  for (let step = RELATIVE.exec(rest); step !== null; step = RELATIVE.exec(rest)) {
    climbs ||= step[0].startsWith('..')
    rest = rest.slice(step[0].length)
  }
  return climbs && /^[:/]/.test(rest)
}

/** What git's credential code cannot take: no scheme, no host, or a newline hidden in a part. */
function isForbiddenCurlUrl(url: string): boolean {
  const schemeEnd = url.indexOf('://')
  if (schemeEnd <= 0) return true
  const rest = url.slice(schemeEnd + 3)
  const pathAt = rest.search(/[/?#]/)
  const authority = pathAt < 0 ? rest : rest.slice(0, pathAt)
  const host = authority.slice(rest.indexOf('@') < authority.length ? rest.indexOf('@') + 1 : 0)
  return host === '' || decodePercent(url).includes('\n')
}

/** Replaces `%xx`; other percent signs stay as they are. */
function decodePercent(text: string): string {
  return text.replace(/%([0-9a-f]{2})/gi, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 16)),
  )
}
