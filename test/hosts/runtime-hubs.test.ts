import { startBunHub, startDenoHub, startNodeHub, startProcessesHub } from '../support/hubs/start-program.ts'
import { hubSuite } from './hub-suite.ts'

hubSuite('Node, by the command', startNodeHub)
hubSuite('several processes of Node, by the code of the README', startProcessesHub)
hubSuite('Deno, by the code of the README', startDenoHub)
hubSuite('Bun, by the code of the README', startBunHub)
