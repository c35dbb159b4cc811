/** `details.reason` of the `FORBIDDEN` error for a host that no import may reach. */
export const PRIVATE_ADDRESS = 'private-address'

/** First address and prefix length of each range of IPv4 that is not public (IANA's special-purpose registry, and multicast). */
const SPECIAL_IPV4: readonly (readonly [string, number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
]

/**
 * Tells whether an address is one of the public internet. Of IPv6 only global unicast counts, without the parts of it that stand for
 * IPv4 addresses or for documentation: mapped, link-local, unique-local and tunnelled addresses do not.
 *
 * @param address as resolvers give it: without brackets.
 */
export function isPublicAddress(address: string): boolean {
  const ipv4 = parseIpv4(address)
  if (ipv4 !== undefined) return !SPECIAL_IPV4.some(([first, length]) => isInRange(ipv4, first, length))
  const groups = parseIpv6(address)
  if (groups === undefined) return false
  const [first = 0, second = 0] = groups
  if ((first & 0xe000) !== 0x2000) return false
  // 2001::/23 is for protocols such as Teredo, 2001:db8::/32 and 3fff::/20 for documentation, 2002::/16 is 6to4.
  if (first === 0x2001 && (second < 0x200 || second === 0xdb8)) return false
  return first !== 0x2002 && !(first === 0x3fff && second < 0x1000)
}

/** Tells whether an address is of this machine itself, also as IPv6 with an IPv4 address mapped into it. */
export function isLoopbackAddress(address: string): boolean {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1]
  const ipv4 = parseIpv4(mapped ?? address)
  if (ipv4 !== undefined) return isInRange(ipv4, '127.0.0.0', 8)
  const groups = parseIpv6(address)
  return groups !== undefined && groups.every((group, at) => group === (at === 7 ? 1 : 0))
}

function isInRange(address: number, first: string, length: number): boolean {
  const size = 2 ** (32 - length)
  return Math.floor(address / size) === Math.floor((parseIpv4(first) ?? 0) / size)
}

function parseIpv4(text: string): number | undefined {
  const parts = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)?.slice(1).map(Number)
  if (parts === undefined || parts.some((part) => part > 255)) return undefined
  return parts.reduce((sum, part) => sum * 256 + part, 0)
}

/** The eight groups of an IPv6 address; `undefined` for what is none, and for one with an IPv4 address or a zone in it. */
function parseIpv6(text: string): readonly number[] | undefined {
  const halves = text.split('::')
  if (!/^[0-9a-f:]+$/i.test(text) || halves.length > 2) return undefined
  const [front = [], back = []] = halves.map((half) => (half === '' ? [] : half.split(':')))
  const missing = 8 - front.length - back.length
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined
  const groups = [...front, ...Array.from({ length: missing }, () => '0'), ...back]
  if (groups.some((group) => !/^[0-9a-f]{1,4}$/i.test(group))) return undefined
  return groups.map((group) => Number.parseInt(group, 16))
}
