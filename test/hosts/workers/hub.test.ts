import { hubSuite } from '../hub-suite.ts'
import { startWorker } from '../../support/hubs/start-worker.ts'

hubSuite('workerd', () => startWorker())
