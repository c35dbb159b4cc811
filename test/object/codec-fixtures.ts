import { readFileSync } from 'node:fs'
import type { ObjectFormat } from '../../src/object/object-format.ts'
import { parseObjectType, type ObjectType } from '../../src/object/object-type.ts'
import { SHA1, SHA256 } from './test-formats.ts'

const FOLDER = new URL('../../fixtures/objects/', import.meta.url)

/** An object that real git stored: see fixtures/make-objects.sh. */
export interface ObjectFixture {
  readonly id: string
  readonly format: ObjectFormat
  readonly type: ObjectType
  readonly name: string
  readonly body: Uint8Array
}

export function readObjectFixtures(): readonly ObjectFixture[] {
  const lines = readFileSync(new URL('list', FOLDER), 'utf8').trim().split('\n')
  return lines.map((line) => {
    const [id = '', format, type = '', name = ''] = line.split(' ')
    const body = new Uint8Array(readFileSync(new URL(name, FOLDER)))
    return { id, format: format === 'sha256' ? SHA256 : SHA1, type: parseObjectType(type), name, body }
  })
}

/** The body of one fixture by its name. */
export function readObjectFixture(name: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(name, FOLDER)))
}
