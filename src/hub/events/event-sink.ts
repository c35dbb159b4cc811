import type { HubEvent } from './hub-event.ts'

/** Where events go. Those of one repository come in order, the next one when the one before was taken; each at least once. */
export interface EventSink {
  /** Tells sinks of one hub apart; stands in events as `eventSubscriptionId`. */
  readonly name: string
  /** Takes an event. What it throws makes the event come again later. */
  deliver(event: HubEvent, signal: AbortSignal): Promise<void>
}

/** Creates a sink that calls a function. */
export function createCallbackSink(
  name: string,
  callback: (event: HubEvent, signal: AbortSignal) => void | Promise<void>,
): EventSink {
  return { name, deliver: async (event, signal) => callback(event, signal) }
}

/** The part of a queue binding of Workers that is used. */
export interface QueueBinding {
  send(message: unknown): Promise<unknown>
}

/** Creates a sink that sends to a queue, as Cloudflare's event subscriptions do. */
export function createQueueSink(name: string, queue: QueueBinding): EventSink {
  return {
    name,
    deliver: async (event) => {
      const { id, type, source, metadata, payload } = event
      await queue.send({ type, source, metadata, payload, id })
    },
  }
}
