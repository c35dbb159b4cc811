import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { expect, it } from 'vitest'
import { packstoneCommand } from '../support/servers/packstone.ts'
import { runPackstone } from './run-packstone.ts'

it('misuse ends with code 2 and says on stderr what is wrong', async () => {
  const calls: [string[], RegExp][] = [
    [['fly'], /^packstone: unknown command 'fly'/],
    [['serve', '--fast'], /^packstone: unknown option '--fast'/],
    [['serve', '--port', 'x'], /^packstone: .*port.*0 to 65535/],
    [['index-pack'], /^packstone: missing required argument/],
    [['index-pack', 'name-without-suffix'], /^packstone: .*--out/],
    [['cat-file', '.'], /^packstone: cat-file needs --batch or --batch-check/],
    [['cat-file', '--batch', '--batch-check', '.'], /^packstone: option '--batch'.*cannot be used/],
    [['pack', '.'], /^packstone: pack needs --all/],
    [['serve', '--allow-push'], /^packstone: --allow-push needs --bare or --plain/],
    [['serve', '--hooks'], /^packstone: --hooks needs --bare/],
    [['serve', '--plain', '--demo'], /^packstone: .*--demo.*--plain|--plain.*--demo/],
  ]
  for (const [args, message] of calls) {
    const { code, stdout, stderr } = await runPackstone(args)
    expect([code, stdout.toString()], args.join(' ')).toEqual([2, ''])
    expect(stderr).toMatch(message)
  }
})

it('a failure ends with code 1 and one line on stderr', async () => {
  const calls = [
    ['ls-refs', '/nowhere'],
    ['pack', '--all', '/nowhere'],
    ['cat-file', '--batch', '/nowhere'],
    ['index-pack', '/nowhere/a.pack'],
    ['verify-pack', '/nowhere/a.idx'],
    ['serve', '--bare', '/nowhere'],
  ]
  for (const args of calls) {
    const { code, stdout, stderr } = await runPackstone(args)
    expect([code, stdout.toString()], args.join(' ')).toEqual([1, ''])
    expect(stderr).toMatch(/^packstone: .*nowhere.*\n$/)
  }
})

it('help and version are no failure', async () => {
  const help = await runPackstone(['--help'])
  expect([help.code, help.stderr]).toEqual([0, ''])
  expect(help.stdout.toString()).toMatch(/serve .*\n.*index-pack/s)
  const { version } = JSON.parse(await readFile('package.json', 'utf8')) as { version: string }
  const said = await runPackstone(['--version'])
  expect([said.code, said.stdout.toString()]).toEqual([0, `${version}\n`])
})

it('the command starts without loading an HTTP server, a pack writer or a progress bar', async () => {
  const seen = new Set<string>()
  const external = new Set<string>()
  const follow = async (file: string): Promise<void> => {
    if (seen.has(file)) return
    seen.add(file)
    for (const [, name = ''] of (await readFile(file, 'utf8')).matchAll(
      /^(?:import|export)\b[^;'"]*["']([^"']+)["']/gm,
    )) {
      if (name.startsWith('.')) await follow(join(dirname(file), name))
      else external.add(name)
    }
  }
  await follow(packstoneCommand())
  expect(seen.size).toBeGreaterThan(1)
  expect([...external].filter((name) => /http|zlib|pako|cli-progress/.test(name))).toEqual([])
})
