import { expect, it } from 'vitest'
import { parseGitProtocolHeader } from '../../src/protocol/protocol-version.ts'

it.each([
  [null, 0],
  ['', 0],
  ['version=2', 2],
  ['version=1', 1],
  ['version=0', 0],
  ['version=1:version=2', 2],
  ['version=2:version=1', 2],
  ['key:version=2:other=1', 2],
  ['version=3', 0],
  ['version=22', 0],
  ['Version=2', 0],
] as const)('the header %s asks for version %d', (header, version) => {
  expect(parseGitProtocolHeader(header)).toBe(version)
})
