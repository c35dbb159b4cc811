/** What a process that serves tells the one that watches it. */
export type MessageFromMember =
  | { readonly kind: 'ready'; readonly url: string; readonly description: string }
  | { readonly kind: 'tell'; readonly text: string }

/** What it is told. */
export type MessageToMember =
  { readonly kind: 'stop'; readonly graceMs: number } | { readonly kind: 'told'; readonly text: string }

/** What a new process is given, in its environment. */
export interface Assignment {
  readonly isKeeper: boolean
  readonly isFirst: boolean
  readonly secret: string
  /** The port to listen on. */
  readonly port: number
}

const VARIABLE = 'PACKSTONE_PROCESS'

/** The environment of a new process, beside what it inherits. */
export function encodeAssignment(assignment: Assignment): Record<string, string> {
  return { [VARIABLE]: JSON.stringify(assignment) }
}

/** Reads what this process was given and takes it out of the environment, which programs that it starts inherit. */
export function takeAssignment(): Assignment | undefined {
  const { [VARIABLE]: text } = process.env
  if (text === undefined) return undefined
  Reflect.deleteProperty(process.env, VARIABLE)
  // Whoever started this process wrote it.
  return JSON.parse(text) as Assignment
}

export function isMessageFromMember(value: unknown): value is MessageFromMember {
  return kindOf(value) === 'ready' || kindOf(value) === 'tell'
}

export function isMessageToMember(value: unknown): value is MessageToMember {
  return kindOf(value) === 'stop' || kindOf(value) === 'told'
}

/** Messages come from processes of this very module, unless the program sends some of its own. */
function kindOf(value: unknown): unknown {
  return typeof value === 'object' && value !== null && 'kind' in value ? value.kind : undefined
}
