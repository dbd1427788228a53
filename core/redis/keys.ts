/** Every Redis key and channel that Sluice uses. `sluice:flags:*`, `sluice:alert` and `app:*` are public, the rest private. */
export const keys = {
  /** Hash: app → `AppRecord`. */
  apps: "sluice:apps",
  /** Integer: the last user id given to an app. */
  lastUid: "sluice:last-uid",
  /** Hash: release number → `ReleaseRecord`. */
  releases: (app: string) => `sluice:releases:${app}`,
  /** Integer: the last release number given to an app. */
  releaseCounter: (app: string) => `sluice:release-counter:${app}`,
  /** Hash: app → `RouteTable`. */
  routes: "sluice:routes",
  /** Integer: the last revision of any route table. */
  revision: "sluice:revision",
  /** Sorted set: app → the revision of its last change; of apps that went, the newest. */
  routeChanges: "sluice:route-changes",
  /** Integer: whoever follows from before this revision may not find in `routeChanges` that an app went. */
  routesTrimmed: "sluice:routes-trimmed",
  /** Hash: digest → HTML of an app's own error page; also those of releases that are not live. */
  errorPages: (app: string) => `sluice:error-pages:${app}`,
  /** Hash: an app's own domain → the app. Written with the route tables, which say more. */
  domains: "sluice:domains",
  /** Channel: a revision was written (the message is its number). */
  routesChannel: "sluice:routes-changed",
  /** Hash: certificate id → `Certificate`, sealed. */
  certificates: "sluice:certificates",
  /** Hash: an authority's token → the answer that proxies give to a request for it. */
  challenges: "sluice:challenges",
  /** Integer: the revision of the last change of these two. */
  certificatesRevision: "sluice:certificates-revision",
  /** Integer: the revision of the last change of certificates: answers to challenges come and go more often. */
  certificatesChanged: "sluice:certificates-changed",
  /** Hash: directory of an authority → the account there (`AuthorityAccount`), sealed. */
  authorityAccounts: "sluice:authority-accounts",
  /** Hash: name, or directory of an authority → why no certificate came, and when it is tried again (`Trouble`). */
  certificateTroubles: "sluice:certificate-troubles",
  /** Hash: `RECORD VALUE` → when that TXT record was set (ms since 1970), while it is not removed. */
  challengeRecords: "sluice:challenge-records",
  /** Sorted set: what was asked of authorities in the last week (`AuthorityUse`), by when. */
  authorityUses: "sluice:authority-uses",
  /** Hash: proxy id → its last `ProxyReport`. Who is in it is a member, whether it reports or not. */
  proxies: "sluice:proxies",
  /** Hash: proxy id → when that came (ms since 1970, by Redis' clock). */
  proxiesSeen: "sluice:proxies-seen",
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
  /** Hash: app → how many instances the autoscaler wants, while that is not done (`ScaleRequest`). */
  scaleRequests: "sluice:scale-requests",
  /** List: how many instances production was to have, and why (`ScaleDecision`), newest first. */
  scaleDecisions: (app: string) => `sluice:scale-decisions:${app}`,
  /** Hash: app → `WebhookRecord` (its secrets sealed). */
  webhooks: "sluice:webhooks",
  /** Hash: number → `DeliveryRecord`; the last 200, and what is not finished. */
  deliveries: (app: string) => `sluice:deliveries:${app}`,
  /** Integer: the last delivery's number. */
  deliveryCounter: (app: string) => `sluice:delivery-counter:${app}`,
  /** Sorted set: a delivery's own id → when it came (ms since 1970). */
  deliveryIds: (app: string) => `sluice:delivery-ids:${app}`,
  /** Sorted set: numbers of deliveries that are not finished. */
  deliveryQueue: (app: string) => `sluice:delivery-queue:${app}`,
  /** Set: apps with such deliveries. */
  deliveryApps: "sluice:delivery-apps",
  /** Hash: branch → number of the newest delivery that names it. */
  newestDeliveries: (app: string) => `sluice:newest-deliveries:${app}`,
  /** Channel: an app has a new delivery (the message is its name). */
  deliveriesChannel: "sluice:delivery-came",
  /** List: deliveries that were refused (`RefusedDelivery`), newest first. */
  refusedDeliveries: (app: string) => `sluice:refused-deliveries:${app}`,
  /** Hash: branch → the commit at which its source was seen, and what it asked for was done. */
  sourceHeads: (app: string) => `sluice:source-heads:${app}`,
  /** Hash: release number → the deployment at GitHub that stands for it. */
  hostDeployments: (app: string) => `sluice:host-deployments:${app}`,
  /** Hash: branch → the track that was given to it (previews only). */
  branchTracks: (app: string) => `sluice:branch-tracks:${app}`,
  /** Stream: what happened (`NewEvent`), written by the scripts that do it; kept 90 days, and at most about 50,000. */
  events: "sluice:events",
  /** Hash: follower → id of the last event that it has handled. */
  eventCursors: "sluice:event-cursors",
  /** Text: who holds the right to release this app (`LockHolder`). */
  lock: (app: string) => `sluice:lock:${app}`,
  /** Hash: name → sealed value. */
  config: (app: string) => `sluice:config:${app}`,
  /** Hash: token id → `TokenRecord` (the hash of the token, not the token). */
  tokens: "sluice:tokens",
  /** Hash: key id → `KeyRecord` (an SSH public key). */
  sshKeys: "sluice:ssh-keys",
  /** Hash: id → who is notified of an app's releases (`ReceiverRecord`), address and secret sealed. */
  notifications: (app: string) => `sluice:notifications:${app}`,
  /** What an outbox has still to send; the scripts of `JobQueue` change them together. */
  outbox: (name: string) => ({
    /** Hash: job id → `OutboxJob`. */
    jobs: `sluice:outbox:${name}:jobs`,
    /** Sorted set: job id → when it was added. */
    ages: `sluice:outbox:${name}:ages`,
    /** Sorted set: lane → when there is something to do in it. */
    lanes: `sluice:outbox:${name}:lanes`,
    /** Hash: lane → until when nothing is taken of it: one of its jobs is worked on, or its receiver wants a pause. */
    closed: `sluice:outbox:${name}:closed`,
    /** Hash: a job's key → the newest job with it. */
    newest: `sluice:outbox:${name}:newest`,
    /** Hash: job id → the token of who works on it. */
    leases: `sluice:outbox:${name}:leases`,
    /** List: `GivenUpJob`, newest first. */
    givenUp: `sluice:outbox:${name}:given-up`,
    /** Followed by a lane's name: sorted set, job id → when it is due. */
    queuePrefix: `sluice:outbox:${name}:queue:`,
    /** Followed by what may be added only once: text, gone after a week. */
    oncePrefix: `sluice:outbox:${name}:once:`,
  }),
  /** Text: `yes` takes every canary out of the traffic. */
  alert: "sluice:alert",
  /** Hash: host → `HostRecord`. */
  hosts: "sluice:hosts",
  /** Stream: a host's samples by the second (`SampleSeries`); kept an hour. */
  sampleSeconds: (host: string) => `sluice:sample-seconds:${host}`,
  /** Stream: the same by the minute, without instances; kept 30 days. */
  sampleMinutes: (host: string) => `sluice:sample-minutes:${host}`,
  /** Text: what instances of apps that scale take of a host's processors (`InstanceLoads`); gone soon after its monitor. */
  instanceLoads: (host: string) => `sluice:instance-loads:${host}`,
  /** Hash: host → `FleetHost`. */
  fleetHosts: "sluice:fleet-hosts",
  /** Stream: what was done to a host (`FleetLogLine`); gone 30 days after its last line. */
  fleetLog: (host: string) => `sluice:fleet-log:${host}`,
  /** Hash: role → what the autoscaler wants of its hosts, while that is not done (`FleetRequest`). */
  fleetRequests: "sluice:fleet-requests",
  // None of the following may begin as `alert` does: who watches that key would hear of each of them.
  /** Text: the monitor that looks at the rules for all (`MonitorLead`); gone soon after it. */
  monitorLead: "sluice:monitor-lead",
  /** Hash: `RULE@HOST` → `RuleState`, where all is not well. */
  monitorStates: "sluice:monitor-states",
  /** Hash: id → `AlertRecord` that is active, or that some action has not handled yet. */
  monitorAlerts: "sluice:monitor-alerts",
  /** List: `AlertRecord`s that are over, newest first. */
  monitorHistory: "sluice:monitor-history",
  /** Hash: alert id → `Acknowledgement`. */
  monitorAcknowledged: "sluice:monitor-acknowledged",
  /** Hash: `RULE@HOST` → `Silence`. */
  monitorSilences: "sluice:monitor-silences",
  /** Text: why a monitor has set `alert`, since when and who (`Drain`); gone soon after the monitor. */
  monitorDrain: "sluice:monitor-drain",
  /** Text: a notice was sent; gone after two days. */
  monitorSent: (sender: string, notice: string, to: string) =>
    `sluice:monitor-sent:${sender}:${notice}:${to}`,
  /** Hash: flag → value. The channel of the same name: a flag was changed (the message is its name). */
  flags: (app: string) => `sluice:flags:${app}`,
  /** Text: which Redis is the primary (`RedisTerm`), where there are replicas. */
  redisTerm: "sluice:redis-term",
  /** Hash: `records`, `apps` → the users of that Redis (lines of `ACL LIST`), for its replicas. */
  redisUsers: "sluice:redis-users",
  /** Text: written by who wants to know that replicas have all that was written before. */
  redisMark: "sluice:redis-mark",
  /** List: the last changes of flags (`FlagChange`), newest first. */
  flagChanges: (app: string) => `sluice:flag-changes:${app}`,
} as const;

/** The keys of all apps, as a pattern for `SCAN`. */
export const ALL_APP_KEYS = "app:*";

/** The keys an app may write, as a pattern for Redis' ACL. */
export function appKeyPattern(app: string): string {
  return `app:${app}:*`;
}

/** The user of an app. */
export function redisUserOf(app: string): string {
  return `app-${app}`;
}

/** The app of a user; undefined when it is no app's. */
export function appOfRedisUser(user: string): string | undefined {
  return user.startsWith("app-") ? user.slice("app-".length) : undefined;
}
