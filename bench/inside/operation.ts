import { createNodeCodecs } from '../../src/codec/node/index.ts'
import type { Codecs } from '../../src/codec/ports.ts'
import { createPortableCodecs } from '../../src/codec/portable/index.ts'

/** Does the work once; resolves with the bytes that it made or moved. */
export type Operation = () => Promise<number>

/** What an operation works on: paths, and names of options. */
export type OperationArguments = Readonly<Record<string, string>>

/** Loads what the work needs and is not part of it. */
export type CreateOperation = (args: OperationArguments) => Promise<Operation>

export function argument(args: OperationArguments, name: string): string {
  const value = args[name]
  if (value === undefined) throw new Error(`the operation needs '${name}'`)
  return value
}

export function codecsOf(args: OperationArguments): Codecs {
  const options = { collisionDetection: args['collisionDetection'] === 'true' }
  return args['provider'] === 'portable' ? createPortableCodecs(options) : createNodeCodecs(options)
}
