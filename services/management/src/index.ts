/** What every process does alike. What is where: `README.md` of this package. */
export { trackConnections } from './connections.ts';
export type { DrainOptions, DrainStep } from './drain.ts';
export { drainOnSignal, runSteps } from './drain.ts';
export type { Environment, EnvironmentOptions, ParsedEnvironment } from './environment.ts';
export { EXIT_CONFIG, parseEnvironment, processVariables, readEnvironment, settingNames } from './environment.ts';
export type { LoggerOptions } from './logger.ts';
export { createLogger, type Logger } from './logger.ts';
export type { AnsweredRequest } from './metrics.ts';
export { createRegistry, createRequestMetrics } from './metrics.ts';
export {
  commaList,
  corsHeaders,
  hostGuard,
  hostList,
  isAllowedHost,
  isAllowedOrigin,
  isUnclaimableHost,
  originList,
  preflightHeaders,
} from './origin.ts';
export type { Management, ManagementOptions, ManagementReply, ManagementRoute } from './server.ts';
export { startManagement } from './server.ts';
