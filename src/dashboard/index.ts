/** `beampeer/dashboard`: looking at BEAM nodes. Explicit named exports, nothing else. */
export { Probe, type ProbeOptions, type ProbeUpdate } from './probe.js'
export type { DetailOptions, ProcessTerms } from './inspect.js'
export type {
  ApplicationSample,
  Children,
  CounterSample,
  EtsRow,
  LimitSample,
  LinkSample,
  MemorySample,
  NodeSample,
  NodeStatus,
  PortRow,
  ProcessDetail,
  ProcessOrder,
  ProcessRow,
  ProcessTable,
  RateSample,
  Sampled,
  SchedulerUse,
  SocketRow,
  TimelineEvent,
  TreeNode,
} from './samples.js'
export { examine, type DoctorLayer, type DoctorOptions, type DoctorStep } from './doctor.js'
export type { Finding } from './doctor-advice.js'
export { Metrics, type MetricsOptions } from './metrics.js'
export { MetricsServer } from './metrics-server.js'
export { Dashboard, serveDashboard, type DashboardOptions } from './server.js'
export { Replay, type ReplayOptions } from './replay.js'
