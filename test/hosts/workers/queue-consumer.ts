interface Batch {
  readonly messages: readonly { readonly body: { readonly type: string } }[]
}

const types: string[] = []

/** A Worker that consumes the queue of events, and lists their types in the order in which they came. */
export default {
  queue(batch: Batch): void {
    types.push(...batch.messages.map(({ body }) => body.type))
  },
  fetch: (): Response => Response.json(types),
}
