import { Command } from "commander";
import { nearestWord } from "../core/nearest-word.js";
import { installedVersion, makeContext, type Context, type Terminal } from "./start/context.js";
import { abortVerb } from "./verbs/releases/abort.js";
import { alertsVerb } from "./verbs/machines/alerts.js";
import { appsVerb } from "./verbs/apps/apps.js";
import { canaryVerb } from "./verbs/releases/canary.js";
import { configVerb } from "./verbs/apps/config.js";
import { deliveriesVerb } from "./verbs/repository/deliveries.js";
import { destroyVerb } from "./verbs/apps/destroy.js";
import { doctorVerb } from "./verbs/machines/doctor.js";
import { downVerb } from "./verbs/machines/down.js";
import { eventsVerb } from "./verbs/apps/events.js";
import { flagsVerb } from "./verbs/apps/flags.js";
import { hooksVerb } from "./verbs/repository/hooks.js";
import { hostsVerb } from "./verbs/machines/hosts.js";
import { keysVerb } from "./verbs/access/keys.js";
import { logsVerb } from "./verbs/apps/logs.js";
import { notifyVerb } from "./verbs/apps/notify.js";
import { promoteVerb } from "./verbs/releases/promote.js";
import { releasesVerb } from "./verbs/releases/releases.js";
import { rollbackVerb } from "./verbs/releases/rollback.js";
import { scaleVerb } from "./verbs/apps/scale.js";
import { statusVerb } from "./verbs/machines/status.js";
import { tokensVerb } from "./verbs/access/tokens.js";
import { topVerb } from "./verbs/machines/top.js";
import { upVerb } from "./verbs/machines/up.js";
import { webhookVerb } from "./verbs/repository/webhook.js";
import { weightVerb } from "./verbs/releases/weight.js";

/** Gives a command its arguments and options, and what it does. */
type Verb = (command: Command, context: () => Promise<Context>) => void;

const VERBS: readonly (readonly [name: string, description: string, verb: Verb])[] = [
  ["up", "start Sluice, with Redis and HAProxy beside it; Ctrl-C stops the server, not the traffic", upVerb],
  ["down", "stop everything: the server, the instances, HAProxy, Redis", downVerb],
  ["status", "what runs", statusVerb],
  ["apps", "the apps, and what serves them", appsVerb],
  ["releases", "an app's releases, newest first", releasesVerb],
  ["rollback", "let an earlier release serve again; without a name the one before", rollbackVerb],
  ["canary", "how the canary does beside production, and what was decided", canaryVerb],
  ["promote", "let the canary's release become production, without a build", promoteVerb],
  ["abort", "take the canary out of the traffic at once", abortVerb],
  ["weight", "how many of the new visitors go to the canary", weightVerb],
  ["scale", "how many instances production has; it stays so with the next release", scaleVerb],
  ["logs", "what an app's instances wrote", logsVerb],
  ["events", "what happened to the apps, and who did it", eventsVerb],
  ["webhook", "the URL, secret and deploy key for the app's forge; makes the webhook", webhookVerb],
  ["deliveries", "what the app's forge delivered, and what came of it", deliveriesVerb],
  ["config", "show or change an app's environment variables; the next release gets them", configVerb],
  ["flags", "show or switch an app's feature flags; running instances see it at once", flagsVerb],
  ["notify", "who is notified of an app's releases; add, remove or test a receiver", notifyVerb],
  ["destroy", "remove an app, its releases and its records", destroyVerb],

  ["hosts", "the machines, and how they do", hostsVerb],
  ["top", "the machines and their last minute, live", topVerb],
  ["alerts", "what the monitor warns of, and what it warned of", alertsVerb],
  ["keys", "SSH public keys that may push", keysVerb],
  ["tokens", "tokens for git over HTTP and the API", tokensVerb],
  ["hooks", "hooks for your clone", hooksVerb],
  ["doctor", "check this machine and what runs on it", doctorVerb],
];

/** `sluice` and its verbs. Nothing happens before the arguments are understood. */
export async function program(terminal: Terminal): Promise<Command> {
  const sluice = new Command("sluice")
    .description("git push in, a running release out, without a dropped request")
    .version(await installedVersion(), "--version", "print the version")
    .exitOverride()
    .configureHelp({ sortSubcommands: false })
    .showHelpAfterError("(sluice --help lists the commands)");
  const context = async (): Promise<Context> => makeContext(terminal);
  for (const [name, description, verb] of VERBS) verb(sluice.command(name).description(description), context);
  // Instead of commander's own suggestion, which takes `deploy` for `destroy`.
  sluice.on("command:*", ([word = ""]: string[]) => {
    const near = nearestWord(
      word,
      VERBS.map(([name]) => name),
    );
    const suggestion = near === undefined ? "" : `\n(Did you mean ${near}?)`;
    sluice.error(`error: unknown command '${word}'${suggestion}`, { code: "commander.unknownCommand" });
  });
  return sluice;
}
