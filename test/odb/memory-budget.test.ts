import fc from 'fast-check'
import { expect, test } from 'vitest'
import { BLOB } from '../../src/object/object-type.ts'
import { createObjectCaches } from '../../src/odb/memory-budget.ts'

test('blocks and objects together never weigh more than the bound, blocks never more than half, and objects may have all of it', () => {
  const step = fc.record({ blocks: fc.boolean(), key: fc.nat(9), weight: fc.nat(60) })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const { blocks, objects } = createObjectCaches(100)
      const [blockSpace, objectSpace] = [blocks.openSpace(), objects.openSpace()]
      const body = new Uint8Array(0)
      for (const { blocks: isBlock, key, weight } of steps) {
        if (isBlock) blockSpace.set(key, body, weight)
        else objectSpace.set(key, { type: BLOB, body }, weight)
        expect(blocks.bytes).toBeLessThanOrEqual(50)
        expect(blocks.bytes + objects.bytes).toBeLessThanOrEqual(100)
        expect(objects.maxBytes).toBe(100 - blocks.bytes)
      }
    }),
  )
})
