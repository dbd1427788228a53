import type { Command } from "commander";
import type { Context } from "../start/context.js";

/** In the order of `sluice --help`. Each is read when it is called: none has to wait for what the others need. */
export const VERBS: readonly (readonly [name: string, description: string, load: () => Promise<Verb>])[] = [
  [
    "up",
    "start Sluice, with Redis and HAProxy beside it; Ctrl-C stops the server, not the traffic",
    async () => (await import("./machines/up.js")).upVerb,
  ],
  [
    "down",
    "stop everything: the server, the instances, HAProxy, Redis",
    async () => (await import("./machines/down.js")).downVerb,
  ],
  ["status", "what runs", async () => (await import("./machines/status.js")).statusVerb],
  ["apps", "the apps, and what serves them", async () => (await import("./apps/apps.js")).appsVerb],
  [
    "releases",
    "an app's releases, newest first",
    async () => (await import("./releases/releases.js")).releasesVerb,
  ],
  [
    "rollback",
    "let an earlier release serve again; without a name the one before",
    async () => (await import("./releases/rollback.js")).rollbackVerb,
  ],
  [
    "canary",
    "how the canary does beside production, and what was decided",
    async () => (await import("./releases/canary.js")).canaryVerb,
  ],
  [
    "promote",
    "let the canary's release become production, without a build",
    async () => (await import("./releases/promote.js")).promoteVerb,
  ],
  [
    "abort",
    "take the canary out of the traffic at once",
    async () => (await import("./releases/abort.js")).abortVerb,
  ],
  [
    "weight",
    "how many of the new visitors go to the canary",
    async () => (await import("./releases/weight.js")).weightVerb,
  ],
  [
    "scale",
    "how many instances production has; it stays so with the next release",
    async () => (await import("./apps/scale.js")).scaleVerb,
  ],
  ["logs", "what an app's instances wrote", async () => (await import("./apps/logs.js")).logsVerb],
  [
    "events",
    "what happened to the apps, and who did it",
    async () => (await import("./apps/events.js")).eventsVerb,
  ],
  [
    "webhook",
    "the URL, secret and deploy key for the app's forge; makes the webhook",
    async () => (await import("./repository/webhook.js")).webhookVerb,
  ],
  [
    "deliveries",
    "what the app's forge delivered, and what came of it",
    async () => (await import("./repository/deliveries.js")).deliveriesVerb,
  ],
  [
    "config",
    "show or change an app's environment variables; the next release gets them",
    async () => (await import("./apps/config.js")).configVerb,
  ],
  [
    "flags",
    "show or switch an app's feature flags; running instances see it at once",
    async () => (await import("./apps/flags.js")).flagsVerb,
  ],
  [
    "notify",
    "who is notified of an app's releases; add, remove or test a receiver",
    async () => (await import("./apps/notify.js")).notifyVerb,
  ],
  [
    "destroy",
    "remove an app, its releases and its records",
    async () => (await import("./apps/destroy.js")).destroyVerb,
  ],
  ["hosts", "the machines, and how they do", async () => (await import("./machines/hosts.js")).hostsVerb],
  [
    "top",
    "the machines and their last minute, live",
    async () => (await import("./machines/top.js")).topVerb,
  ],
  [
    "alerts",
    "what the monitor warns of, and what it warned of",
    async () => (await import("./machines/alerts.js")).alertsVerb,
  ],
  ["keys", "SSH public keys that may push", async () => (await import("./access/keys.js")).keysVerb],
  [
    "tokens",
    "tokens for git over HTTP and the API",
    async () => (await import("./access/tokens.js")).tokensVerb,
  ],
  ["hooks", "hooks for your clone", async () => (await import("./repository/hooks.js")).hooksVerb],
  [
    "doctor",
    "check this machine and what runs on it",
    async () => (await import("./machines/doctor.js")).doctorVerb,
  ],
];

/** Gives a command its arguments and options, and what it does. */
type Verb = (command: Command, context: () => Promise<Context>) => void;
