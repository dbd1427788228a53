/** Every Redis key and channel that Sluice uses. `sluice:flags:*`, `sluice:alert` and `app:*` are public, the rest private. */
export const keys = {
  /** Hash: app → `AppRecord`. */
  apps: "sluice:apps",
  /** Hash: release number → `ReleaseRecord`. */
  releases: (app: string) => `sluice:releases:${app}`,
  /** Integer: the last release number given to an app. */
  releaseCounter: (app: string) => `sluice:release-counter:${app}`,
  /** Hash: app → `RouteTable`. */
  routes: "sluice:routes",
  /** Integer: the last revision of any route table. */
  revision: "sluice:revision",
  /** Sorted set: app → the revision of its last change; apps that went stay in it. */
  routeChanges: "sluice:route-changes",
  /** Channel: a revision was written (the message is its number). */
  routesChannel: "sluice:routes-changed",
  /** Hash: proxy id → `ProxyReport` (when it was last seen, and which revision it has applied). */
  proxies: "sluice:proxies",
  /** Channel: a proxy applied a revision. */
  proxiesChannel: "sluice:proxies-changed",
  /** Hash: `APP/vN` → connections and idle time that one proxy counts; gone when the proxy is. */
  load: (proxy: string) => `sluice:load:${proxy}`,
  /** Set: `APP/vN` that sleep and have a visitor who waits. */
  wake: "sluice:wake",
  /** Channel: a release is to be woken (the message is its name). */
  wakeChannel: "sluice:wake-asked",
  /** Stream: an app's traffic, an entry for each second and proxy with some (`TrafficSeries`); kept an hour. */
  trafficSeconds: (app: string) => `sluice:traffic-seconds:${app}`,
  /** Stream: the same by the minute; kept 30 days. */
  trafficMinutes: (app: string) => `sluice:traffic-minutes:${app}`,
  /** Sorted set: `vN TRACK` → when it had traffic last. */
  trafficReleases: (app: string) => `sluice:traffic-releases:${app}`,
  /** Hash: what was counted in all, by figure and latency bucket; gone 30 days after its last traffic. */
  trafficTotals: (app: string, release: string, track: string) =>
    `sluice:traffic-totals:${app}:${release}:${track}`,
  /** Hash: counter → how far it stood when it was written to the series. */
  trafficBaseline: (proxy: string) => `sluice:traffic-baseline:${proxy}`,
  /** Hash: app → the first minute (ms since 1970) whose seconds were not added up yet. */
  trafficUnsummed: (proxy: string) => `sluice:traffic-unsummed:${proxy}`,
  /** Hash: release number → how it did as the canary (`CanaryRecord`). */
  canaries: (app: string) => `sluice:canaries:${app}`,
  /** Text: who holds the right to release this app (`LockHolder`). */
  lock: (app: string) => `sluice:lock:${app}`,
  /** Hash: name → sealed value. */
  config: (app: string) => `sluice:config:${app}`,
  /** Hash: token id → `TokenRecord` (the hash of the token, not the token). */
  tokens: "sluice:tokens",
  /** Hash: key id → `KeyRecord` (an SSH public key). */
  sshKeys: "sluice:ssh-keys",
  /** Text: `yes` takes every canary out of the traffic. */
  alert: "sluice:alert",
  /** Hash: host → `HostRecord`. */
  hosts: "sluice:hosts",
  /** Stream: a host's samples by the second (`SampleSeries`); kept an hour. */
  sampleSeconds: (host: string) => `sluice:sample-seconds:${host}`,
  /** Stream: the same by the minute, without instances; kept 30 days. */
  sampleMinutes: (host: string) => `sluice:sample-minutes:${host}`,
  // None of the following may begin as `alert` does: who watches that key would hear of each of them.
  /** Text: the monitor that looks at the rules for all (`MonitorLead`); gone soon after it. */
  monitorLead: "sluice:monitor-lead",
  /** Hash: `RULE@HOST` → `RuleState`, where all is not well. */
  monitorStates: "sluice:monitor-states",
  /** Hash: id → `AlertRecord` that is not over, or that not everybody was told of. */
  monitorAlerts: "sluice:monitor-alerts",
  /** List: `AlertRecord`s that are over, newest first. */
  monitorHistory: "sluice:monitor-history",
  /** Hash: alert id → `Acknowledgement`. */
  monitorAcknowledged: "sluice:monitor-acknowledged",
  /** Hash: `RULE@HOST` → `Silence`. */
  monitorSilences: "sluice:monitor-silences",
  /** Text: why a monitor has set `alert`, since when and who (`Drain`); gone soon after the monitor. */
  monitorDrain: "sluice:monitor-drain",
  /** Hash: flag → value. */
  flags: (app: string) => `sluice:flags:${app}`,
} as const;

/** The keys an app may write, as a pattern for Redis' ACL. */
export function appKeyPattern(app: string): string {
  return `app:${app}:*`;
}
