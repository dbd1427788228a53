import type { Command } from "commander";
import type { Context } from "../start/context.js";

/** In the order of `sluice --help`. Each is loaded only when it is called, so none waits for what the others need. */
export const VERBS: readonly (readonly [name: string, description: string, load: () => Promise<Verb>])[] = [
  [
    "up",
    "start Sluice with its Redis and HAProxy; Ctrl-C stops the server, not the traffic",
    async () => (await import("./machines/up.js")).upVerb,
  ],
  [
    "down",
    "stop everything: the server, the instances, HAProxy, Redis",
    async () => (await import("./machines/down.js")).downVerb,
  ],
  ["status", "show what is running", async () => (await import("./machines/status.js")).statusVerb],
  [
    "apps",
    "list the apps and the releases that serve them",
    async () => (await import("./apps/apps.js")).appsVerb,
  ],
  [
    "releases",
    "list an app's releases, newest first",
    async () => (await import("./releases/releases.js")).releasesVerb,
  ],
  [
    "rollback",
    "make an earlier release serve again (default: the previous one)",
    async () => (await import("./releases/rollback.js")).rollbackVerb,
  ],
  [
    "canary",
    "compare the canary with production, and show the decisions",
    async () => (await import("./releases/canary.js")).canaryVerb,
  ],
  [
    "promote",
    "make the canary's release production, without a build",
    async () => (await import("./releases/promote.js")).promoteVerb,
  ],
  [
    "abort",
    "take the canary out of the traffic at once",
    async () => (await import("./releases/abort.js")).abortVerb,
  ],
  [
    "weight",
    "set the percentage of new visitors who go to the canary",
    async () => (await import("./releases/weight.js")).weightVerb,
  ],
  [
    "scale",
    "show or set production's number of instances; later releases keep it",
    async () => (await import("./apps/scale.js")).scaleVerb,
  ],
  ["logs", "show what an app's instances wrote", async () => (await import("./apps/logs.js")).logsVerb],
  [
    "events",
    "what happened to the apps, and who did it",
    async () => (await import("./apps/events.js")).eventsVerb,
  ],
  [
    "webhook",
    "show or create the webhook: URL, secret and deploy key for the app's forge",
    async () => (await import("./repository/webhook.js")).webhookVerb,
  ],
  [
    "deliveries",
    "list what the app's forge delivered, and the results",
    async () => (await import("./repository/deliveries.js")).deliveriesVerb,
  ],
  [
    "config",
    "show or change an app's environment variables; the next release gets them",
    async () => (await import("./apps/config.js")).configVerb,
  ],
  [
    "domains",
    "show, add or remove an app's own domains",
    async () => (await import("./apps/domains.js")).domainsVerb,
  ],
  [
    "certs",
    "show certificates, give an app one of your own, or remove it",
    async () => (await import("./apps/certs.js")).certsVerb,
  ],
  [
    "flags",
    "show or switch an app's feature flags; running instances see changes at once",
    async () => (await import("./apps/flags.js")).flagsVerb,
  ],
  [
    "notify",
    "show who is notified of an app's releases; add, remove or test receivers",
    async () => (await import("./apps/notify.js")).notifyVerb,
  ],
  [
    "destroy",
    "remove an app, its releases and its records",
    async () => (await import("./apps/destroy.js")).destroyVerb,
  ],
  [
    "provision",
    "configure a machine for a role, or make a droplet for it",
    async () => (await import("./hosts/provision.js")).provisionVerb,
  ],
  ["hosts", "list the hosts and their state", async () => (await import("./hosts/hosts.js")).hostsVerb],
  [
    "redis",
    "show the replica of Redis on this host; make it the primary when the server's machine is lost",
    async () => (await import("./hosts/redis.js")).redisVerb,
  ],
  [
    "top",
    "show the hosts and their last minute, live",
    async () => (await import("./machines/top.js")).topVerb,
  ],
  [
    "alerts",
    "list active and past alerts; acknowledge, silence or test them",
    async () => (await import("./machines/alerts.js")).alertsVerb,
  ],
  [
    "keys",
    "list, add or remove SSH public keys that may push",
    async () => (await import("./access/keys.js")).keysVerb,
  ],
  [
    "tokens",
    "list, create or remove tokens for Git over HTTP and the API",
    async () => (await import("./access/tokens.js")).tokensVerb,
  ],
  [
    "whoami",
    "show what the token that this command uses may do",
    async () => (await import("./access/whoami.js")).whoamiVerb,
  ],
  ["hooks", "install Git hooks in your clone", async () => (await import("./repository/hooks.js")).hooksVerb],
  [
    "doctor",
    "check this machine and what runs on it",
    async () => (await import("./machines/doctor.js")).doctorVerb,
  ],
];

/** Defines a command's arguments, options and action. */
type Verb = (command: Command, context: () => Promise<Context>) => void;
