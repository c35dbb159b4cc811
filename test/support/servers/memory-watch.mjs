// Loaded before a program (node --import): keeps the file that MEMORY_WATCH names at the most bytes that the heap, as it was taken from the
// system, and the buffers outside of it ever took together.
import { writeFileSync } from 'node:fs'
import process from 'node:process'
import { setInterval } from 'node:timers'

const EVERY_MS = 5
const path = process.env['MEMORY_WATCH']
let peak = 0

function look() {
  const { heapTotal, arrayBuffers } = process.memoryUsage()
  const bytes = heapTotal + arrayBuffers
  if (bytes <= peak) return
  peak = bytes
  writeFileSync(path, String(peak))
}

if (path !== undefined) {
  setInterval(look, EVERY_MS).unref()
  process.on('exit', look)
}
