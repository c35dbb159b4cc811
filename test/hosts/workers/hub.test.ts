import { hubSuite } from '../hub-suite.ts'
import { startWorker } from './start-worker.ts'

hubSuite('workerd', () => startWorker())
