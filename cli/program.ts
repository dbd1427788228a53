import { Command, InvalidArgumentError } from "commander";
import { makeContext, type Context } from "./context.js";
import { flags, type FlagOptions } from "./flags.js";
import { notifyVerb } from "./notify.js";
import { acknowledge, alerts, silence } from "./alerts.js";
import { forgetHost, hosts } from "./hosts.js";
import { runUp } from "./run-up.js";
import { testAlerts } from "./test-alerts.js";
import { parseSize, scale, type Sizes } from "./scale.js";
import { top } from "./top.js";
import { ROLES, type Role } from "./up.js";
import * as verbs from "./verbs.js";
import { deliveries, webhook, type DeliveriesOptions, type WebhookOptions } from "./webhook.js";

export interface Terminal {
  readonly env: NodeJS.ProcessEnv;
  print(line: string): void;
}

/** `sluice` and its verbs. Nothing happens before the arguments are understood. */
export function program(terminal: Terminal): Command {
  const sluice = new Command("sluice")
    .description("git push in, a running release out, without a dropped request")
    .exitOverride()
    .configureHelp({ sortSubcommands: false })
    .showHelpAfterError("(sluice --help lists the commands)");
  const verb = (name: string, description: string): Command =>
    sluice.command(name).description(description).exitOverride();
  const context = async (): Promise<Context> => makeContext(terminal.env, (line) => terminal.print(line));

  verb("up", "start Sluice, with Redis and HAProxy beside it; Ctrl-C stops the server, not the traffic")
    .option("--demo", "push the sample app, and stop everything at the end")
    .option("--detach", "return once all answers, and go on in the background")
    .option("--roles <roles>", `some of: ${ROLES.join(",")}`, parseRoles, [...ROLES])
    .action(async (options: { demo?: boolean; detach?: boolean; roles: Role[] }) =>
      runUp(await context(), options),
    );
  verb("down", "stop everything: the server, the instances, HAProxy, Redis")
    .option("--keep-traffic", "stop the server only, for an upgrade: the instances and the proxy go on")
    .action(async (options: { keepTraffic?: boolean }) => verbs.stop(await context(), options));
  verb("status", "what runs")
    .option("--json", "as JSON")
    .action(async (options: verbs.Format) => verbs.status(await context(), options));
  verb("apps", "the apps, and what serves them")
    .option("--json", "as JSON")
    .action(async (options: verbs.Format) => verbs.apps(await context(), options));
  verb("releases", "an app's releases, newest first")
    .argument("<app>")
    .option("--json", "as JSON")
    .action(async (app: string, options: verbs.Format) => verbs.releases(await context(), app, options));
  verb("rollback", "let an earlier release serve again; without a name the one before")
    .argument("<app>")
    .argument("[release]", "for example v41")
    .action(async (app: string, release: string | undefined) =>
      verbs.rollback(await context(), app, release),
    );
  verb("canary", "how the canary does beside production, and what was decided")
    .argument("<app>")
    .option("--json", "as JSON")
    .action(async (app: string, options: verbs.Format) => verbs.canary(await context(), app, options));
  verb("promote", "let the canary's release become production, without a build")
    .argument("<app>")
    .action(async (app: string) => verbs.promote(await context(), app));
  verb("abort", "take the canary out of the traffic at once")
    .argument("<app>")
    .action(async (app: string) => verbs.abort(await context(), app));
  verb("weight", "how many of the new visitors go to the canary")
    .argument("<app>")
    .argument("<percent>", "0 to 100", parsePercent)
    .action(async (app: string, percent: number) => verbs.weight(await context(), app, percent));
  verb("scale", "how many instances production has; it stays so with the next release")
    .argument("<app>")
    .argument("[sizes...]", "for example web=3 worker=1", parseSize)
    .option("--json", "as JSON")
    .action(async (app: string, sizes: Sizes | [], options: verbs.Format) =>
      scale(await context(), app, Array.isArray(sizes) ? {} : sizes, options),
    );
  verb("logs", "what an app's instances wrote")
    .argument("<app>")
    .option("--follow", "go on until Ctrl-C")
    .option("--release <release>", "one release, with what its making said")
    .option("--lines <count>", "how many of the last lines", parseCount, 100)
    .option("--json", "as JSON, a line each")
    .action(async (app: string, options: verbs.LogOptions) => verbs.logs(await context(), app, options));
  verb("webhook", "the URL, secret and deploy key for the app's Git host; makes the webhook")
    .argument("<app>")
    .option("--source <url>", "where its repository is fetched from")
    .option("--status-token <token>", 'with it the host is told what becomes of a commit; "" removes it')
    .option("--branches <name...>", "only these deploy; a * at the end stands for the rest of a name")
    .option("--json", "as JSON")
    .action(async (app: string, options: WebhookOptions) => webhook(await context(), app, options));
  verb("deliveries", "what the app's Git host delivered, and what came of it")
    .argument("<app>")
    .option("--replay <number>", "do one again")
    .option("--json", "as JSON")
    .action(async (app: string, options: DeliveriesOptions) => deliveries(await context(), app, options));
  verb("config", "show or change an app's environment variables; the next release gets them")
    .argument("<app>")
    .argument("[settings...]", "NAME=VALUE …")
    .option("--unset <name...>", "remove these")
    .option("--json", "as JSON")
    .action(async (app: string, settings: string[], options: verbs.ConfigOptions) =>
      verbs.config(await context(), app, settings, options),
    );
  verb("flags", "show or switch an app's feature flags; running instances see it at once")
    .argument("<app>")
    .argument("[name]")
    .argument("[value]", "1, 0, a text, a number, or a rule as JSON")
    .option("--unset <name...>", "remove these")
    .option("--changes", "who changed what, newest first")
    .option("--json", "as JSON")
    .action(async (app: string, name: string | undefined, value: string | undefined, options: FlagOptions) =>
      flags(await context(), app, { ...options, name, value }),
    );
  notifyVerb(verb("notify", "who is told of an app's releases; add, remove or test a receiver"), context);
  verb("destroy", "remove an app, its releases and its records")
    .argument("<app>")
    .requiredOption("--yes", "really")
    .action(async (app: string) => verbs.destroy(await context(), app));

  const hostsVerb = verb("hosts", "the machines, and how they do")
    .option("--json", "as JSON")
    .action(async (options: verbs.Format) => hosts(await context(), options));
  hostsVerb
    .command("forget")
    .description("forget a machine that is gone, with its figures and its alerts")
    .argument("<host>")
    .exitOverride()
    .action(async (host: string) => forgetHost(await context(), host));
  verb("top", "the machines and their last minute, live").action(async () =>
    top(await context(), { isTerminal: process.stdout.isTTY }),
  );
  const alertsVerb = verb("alerts", "what the monitor warns of, and what it warned of")
    .option("--json", "as JSON")
    .action(async (options: verbs.Format) => alerts(await context(), options));
  alertsVerb
    .command("ack")
    .description("say that you see to it: no reminders any more")
    .argument("<id>")
    .exitOverride()
    .action(async (id: string) => acknowledge(await context(), id));
  alertsVerb
    .command("silence")
    .description("no news of this rule on this machine for a while")
    .argument("<id>")
    .option("--minutes <count>", "how long", parseCount, 60)
    .exitOverride()
    .action(async (id: string, { minutes }: { minutes: number }) => silence(await context(), id, minutes));

  alertsVerb
    .command("test")
    .description("send a made-up alert to all who are told, and say what came of it")
    .exitOverride()
    .action(async () => testAlerts(await context()));

  const keys = verb("keys", "SSH public keys that may push")
    .option("--json", "as JSON")
    .action(async (options: verbs.Format) => verbs.keys(await context(), options));
  keys
    .command("add")
    .description("add a .pub file (- reads standard input)")
    .argument("<file>")
    .exitOverride()
    .action(async (file: string) => verbs.addKey(await context(), file));
  keys
    .command("remove")
    .description("remove a key")
    .argument("<id>")
    .exitOverride()
    .action(async (id: string) => verbs.remove(await context(), "keys", id));
  const tokens = verb("tokens", "tokens for git over HTTP and the API")
    .option("--json", "as JSON")
    .action(async (options: verbs.Format) => verbs.tokens(await context(), options));
  tokens
    .command("create")
    .description("make a token; it is shown once")
    .argument("<name>")
    .exitOverride()
    .action(async (name: string) => verbs.createToken(await context(), name));
  tokens
    .command("remove")
    .description("remove a token")
    .argument("<id>")
    .exitOverride()
    .action(async (id: string) => verbs.remove(await context(), "tokens", id));
  const hooks = verb("hooks", "hooks for your clone");
  hooks
    .command("install")
    .description("run lint and tests on what is staged before each commit of this clone")
    .exitOverride()
    .action(async () => verbs.installHook(await context()));
  verb("doctor", "check this machine and what runs on it").action(async () => verbs.doctor(await context()));
  return sluice;
}

function parseRoles(text: string): Role[] {
  return text.split(",").map((name) => {
    const role = ROLES.find((known) => known === name.trim());
    if (role === undefined) throw new InvalidArgumentError(`"${name}" is none of: ${ROLES.join(", ")}.`);
    return role;
  });
}

function parsePercent(text: string): number {
  if (!/^\d{1,3}(?:\.\d{1,2})?$/.test(text) || Number(text) > 100)
    throw new InvalidArgumentError("It must be a number from 0 to 100, with at most two decimals.");
  return Number(text);
}

function parseCount(text: string): number {
  if (!/^\d{1,5}$/.test(text)) throw new InvalidArgumentError("It must be a whole number.");
  return Number(text);
}
