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
  /** Hash: flag → value. */
  flags: (app: string) => `sluice:flags:${app}`,
} as const;

/** The keys an app may write, as a pattern for Redis' ACL. */
export function appKeyPattern(app: string): string {
  return `app:${app}:*`;
}
