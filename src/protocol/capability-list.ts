/*
 * Capabilities as v0 and v1 write them: words divided by blanks, some of them `name=value` (gitprotocol-capabilities).
 */

/** What a table of capabilities has in each row, whatever the service: the name, and when and how it is offered. */
export interface CapabilityOffer<Context> {
  readonly name: string
  /**
   * What is advertised: `true` for the bare name, text for `name=text`, several texts for several such words, `false` for
   * nothing. Absent: always the bare name.
   */
  readonly offer?: (context: Context) => boolean | string | readonly string[]
}

/** The words that a table advertises, in the table's order. */
export function listOffers<Context>(
  table: readonly CapabilityOffer<Context>[],
  context: Context,
): readonly string[] {
  return table.flatMap(({ name, offer }) => {
    const offered = offer?.(context) ?? true
    if (offered === true) return [name]
    if (offered === false) return []
    return (typeof offered === 'string' ? [offered] : offered).map((value) => `${name}=${value}`)
  })
}

/** Where a table's capabilities belong: versions 0 and 1 of fetching, version 2, pushing. */
export type CapabilityPlace = 'v0' | 'v2' | 'push'

/** The rows of a table that a server offers, in the order of its choice. Without a choice all of them. */
export function chooseRows<Row extends { readonly name: string }>(
  table: readonly Row[],
  place: CapabilityPlace,
  chosen: readonly string[] | undefined,
): readonly Row[] {
  if (chosen === undefined) return table
  return chosen.flatMap((word) => table.filter(({ name }) => word === `${place}/${name}`))
}

/** Parses the words of a client: names to values, `''` where a word has none. Of a repeated name the first counts. */
export function parseCapabilityList(text: string): ReadonlyMap<string, string> {
  const capabilities = new Map<string, string>()
  for (const word of text.split(/[ \t\n]+/)) {
    const equals = word.indexOf('=')
    const name = equals < 0 ? word : word.slice(0, equals)
    if (name !== '' && !capabilities.has(name))
      capabilities.set(name, equals < 0 ? '' : word.slice(equals + 1))
  }
  return capabilities
}
