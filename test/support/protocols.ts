/** The versions of the wire protocol that stock clients speak. */
export const PROTOCOLS = [0, 1, 2] as const

export type Protocol = (typeof PROTOCOLS)[number]

/** Arguments that make git speak one version of the protocol. */
export function speaking(protocol: Protocol): string[] {
  return ['-c', `protocol.version=${protocol}`]
}
