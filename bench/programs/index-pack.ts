import { readFile, writeFile } from 'node:fs/promises'
import { createNodeCodecs } from '../../src/codec/node/index.ts'
import { createPortableCodecs } from '../../src/codec/portable/index.ts'
import { objectFormat } from '../../src/object/object-format.ts'
import { indexPack } from '../../src/pack/indexer/index-pack.ts'

// `index-pack` with collision detection, which the command has no option for.
const [provider, pack = '', out = ''] = process.argv.slice(2)
const create = provider === 'portable' ? createPortableCodecs : createNodeCodecs
const codecs = create({ collisionDetection: true })
const { index } = await indexPack(await readFile(pack), { codecs, format: objectFormat('sha1', codecs) })
await writeFile(out, index)
