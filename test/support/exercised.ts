/** How packets show a capability at work, where it is not by the client's sending its name. */
const SIGNS: Readonly<Record<string, RegExp>> = {
  'v0/symref': /< .*symref=HEAD:/,
  'v0/object-format': /< .*object-format=sha1/,
  'v0/shallow': /> deepen 1/,
  'v0/deepen-since': /> deepen-since /,
  'v0/deepen-not': /> deepen-not /,
  'v0/filter': /> filter /,
  'v0/allow-tip-sha1-in-want': /< .*allow-tip-sha1-in-want/,
  'v0/allow-reachable-sha1-in-want': /< .*allow-reachable-sha1-in-want/,
  'v2/ls-refs': /> command=ls-refs/,
  'v2/fetch': /> command=fetch/,
  'v2/fetch=shallow': /> deepen /,
  'v2/fetch=ref-in-want': /> want-ref /,
  'v2/object-info': /> command=object-info/,
  'v2/bundle-uri': /> command=bundle-uri/,
  'push/ofs-delta': /< .*ofs-delta/,
  'push/symref': /< .*symref=HEAD:/,
  'push/report-status': /> .*report-status/,
  'push/delete-refs': /> .* 0{40} refs\//,
}

/**
 * Fails unless packets, as `GIT_TRACE_PACKET` writes them, show each of these capabilities at work. Names are `v0/…` (and 1), `v2/…`
 * with features behind an equals sign, and `push/…`; a test collects them from the sources and compares them with what is
 * advertised.
 */
export function exercised(trace: string, ...capabilities: readonly string[]): void {
  for (const capability of capabilities) {
    const word = capability.replace(/^.*[/=]/, '')
    const sign = SIGNS[capability] ?? new RegExp(`> (.*[ \\0])?${word}([ =]|$)`, 'm')
    if (!sign.test(trace)) throw new Error(`no packet shows ${capability} at work`)
  }
}
