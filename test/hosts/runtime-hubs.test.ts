import { startBunHub, startDenoHub, startNodeHub } from '../support/hubs/start-program.ts'
import { hubSuite } from './hub-suite.ts'

hubSuite('Node, by the command', startNodeHub)
hubSuite('Deno, by the code of the README', startDenoHub)
hubSuite('Bun, by the code of the README', startBunHub)
