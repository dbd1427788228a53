import { closeSync, openSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Command } from "commander";
import { AppError } from "../../../core/errors/app-error.js";
import { systemClock } from "../../../core/clock.js";
import { definedVariables } from "../../../core/exec/defined-variables.js";
import { startDetached } from "../../../core/exec/start-detached.js";
import { readOrMakeSecret } from "../../../core/secrets.js";
import type { Context } from "../../start/context.js";
import { parseSomeOf } from "../arguments/parse-some-of.js";
import { openSettingsWarning } from "../../start/checks/open-settings.js";
import { checkHome } from "../../start/checks/preflight.js";
import { ROLES, USUAL_ROLES, type Role } from "../../start/roles/role.js";
import { controlUrl } from "../../../server/releases/public-url.js";
import { recoveringLines } from "../../show/recovering-lines.js";
import type { Running } from "../../start/up.js";

/** Printed once everything answers; apps that take long to recover may still be missing. */
const UP = "-----> Sluice is up";
const DETACH_TIMEOUT_MS = 60_000;
const POLL_MS = 50;
const RECOVERY_PATIENCE_MS = 10_000;

/** `sluice up`: in the foreground until a signal stops it, or in the background. */
export function upVerb(command: Command, context: () => Promise<Context>): void {
  command
    .option("--demo", "push the sample app; at the end, stop everything")
    .option("--detach", "return once everything answers, and keep running in the background")
    .option("--roles <roles>", `some of: ${ROLES.join(",")}`, parseSomeOf(ROLES), [...USUAL_ROLES])
    .action(async (options: UpOptions) =>
      options.detach ? detach(await context(), options) : foreground(await context(), options),
    );
}

interface UpOptions {
  readonly demo?: boolean;
  readonly detach?: boolean;
  readonly roles: readonly Role[];
}

async function foreground(context: Context, { demo = false, roles }: UpOptions): Promise<void> {
  const stopping = stopSignal();
  // The whole server: loaded here, so that no other command waits for it.
  const [{ up }, { stopServices }] = await Promise.all([
    import("../../start/up.js"),
    import("../../start/down.js"),
  ]);
  try {
    while (!stopping.aborted) await run(context, await up(context, roles), { demo, stopping });
  } finally {
    if (demo) await stopServices(context);
  }
}

/** Until a signal ends it, or Redis is elsewhere. */
async function run(
  context: Context,
  running: Running,
  { demo, stopping }: { readonly demo: boolean; readonly stopping: AbortSignal },
): Promise<void> {
  try {
    await Promise.race([waitForRecovery(running), aborted(stopping)]);
    announce(context, running);
    const warning = await openSettingsWarning(context.home);
    if (warning !== undefined) context.print(` !     ${warning}`);
    if (demo && (await showDemo(context, running.adminToken, stopping)))
      context.print("       Ctrl-C stops everything.");
    const place = await Promise.race([aborted(stopping), running.redisMoved]);
    context.print(
      place === undefined
        ? `\n-----> ${String(stopping.reason)}: stopping${demo ? " everything" : " the server; traffic continues (sluice down stops everything)"}`
        : `\n-----> Redis is at ${place} now: starting again; traffic continues`,
    );
  } finally {
    await running.stop();
  }
}

/** Waits until what ran before answers again. An app that takes longer is named in the output and delays nothing else. */
async function waitForRecovery({ recovering }: Running): Promise<void> {
  await recovering?.waitForAll(AbortSignal.timeout(RECOVERY_PATIENCE_MS)).catch(() => undefined);
}

function announce({ settings, home, isRoot, ...context }: Context, running: Running): void {
  const { adminToken, isNewToken, https, hostKey, recovering } = running;
  const named = (bind: string): string => (bind === "0.0.0.0" ? settings.domain : bind);
  const { controlBind, sshBind = controlBind } = settings;
  context.print(UP);
  context.print(`       traffic  http://APP.${settings.domain}:${settings.httpPort}`);
  context.print(
    https.taken === undefined
      ? https.httpsPort === undefined
        ? "                no https (httpsPort: 0)"
        : `                https://APP.${settings.domain}:${https.httpsPort}`
      : `                no https: another program has port ${https.taken} (SLUICE_HTTPS_PORT=${https.taken + 1000} sluice up)`,
  );
  const control = new URL(controlUrl({ ...settings, domain: named(controlBind) }));
  context.print(`       push     ${control.protocol}//git:TOKEN@${control.host}/git/APP.git`);
  context.print(
    `                ssh://git@${named(sshBind)}:${settings.sshPort}/APP   (sluice keys add FILE)`,
  );
  if (hostKey !== undefined) context.print(`                host key ${hostKey}`);
  context.print(`       state    ${home.root}`);
  if (!isRoot)
    context.print(
      "       trust    not root: all apps share one user and the machine's network (docs/security.md)",
    );
  for (const line of recoveringLines(recovering?.names() ?? [])) context.print(`       ${line}`);
  if (isNewToken) context.print(`       token    ${adminToken}   (shown only once; kept in ${home.token()})`);
}

/** Returns whether the sample app is live; not when `signal` has ended its push. */
async function showDemo(context: Context, token: string, signal: AbortSignal): Promise<boolean> {
  const { settings } = context;
  const { pushDemo } = await import("../../start/demo.js");
  const clone = await pushDemo(context, token, signal).catch((error: unknown) => {
    if (signal.aborted) return undefined;
    throw error;
  });
  if (clone === undefined) return false;
  const url = `http://hello.${settings.domain}:${settings.httpPort}`;
  context.print("-----> The sample app is live");
  context.print(`       open     ${url}`);
  context.print(`       or       curl http://127.0.0.1:${settings.httpPort}/version`);
  context.print(
    `       change   cd ${clone} && edit page.js, then: git commit -am "My change" && git push sluice master`,
  );
  return true;
}

/** The same command in its own session; its output goes to up.log. */
async function detach(context: Context, { demo = false, roles }: UpOptions): Promise<void> {
  await checkHome(context);
  const output = join(context.home.root, "up.log");
  const log = openSync(output, "w", 0o600);
  // As in bin/sluice: what lives for a moment is collected early, which keeps a busy server some 30 MB smaller.
  const flags = ["--max-semi-space-size=2"];
  const args = [...flags, join(context.installation, "bin/sluice"), "up", "--roles", roles.join(",")];
  const command = { argv: [process.execPath, ...args], env: definedVariables(context.env) } as const;
  const child = await startDetached(command, log).finally(() => closeSync(log));
  const ended = new Promise<boolean>((resolve) => child.once("exit", () => resolve(true)));
  const deadline = Date.now() + DETACH_TIMEOUT_MS;
  while (!(await readFile(output, "utf8")).includes(UP)) {
    const isOver = await Promise.race([ended, systemClock.sleep(POLL_MS).then(() => Date.now() > deadline)]);
    if (isOver)
      throw new AppError("start-failed", {
        output: (await readFile(output, "utf8")).replaceAll(" !     ", "").trim(),
      });
  }
  context.print((await readFile(output, "utf8")).trimEnd());
  // Ending this command ends the push; the server keeps running.
  const { secret } = await readOrMakeSecret(context.home.token());
  if (demo) await showDemo(context, secret, stopSignal());
}

/** Aborts at the first Ctrl-C, TERM or end of the terminal (HUP), which is its reason. A second signal does not interrupt the stopping. */
function stopSignal(): AbortSignal {
  const stopping = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    process.on(signal, () => stopping.abort(signal));
  return stopping.signal;
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
}
