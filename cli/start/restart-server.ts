import { readFile, readlink } from "node:fs/promises";
import { join } from "node:path";
import { AppError } from "../../core/errors/app-error.js";
import { definedVariables } from "../../core/exec/defined-variables.js";
import { captureCommand, describeExit } from "../../core/exec/exec.js";
import { untilUp } from "../../provisioning/tasks/sluice/sluice-service.js";
import type { Context } from "./context.js";
import { down } from "./down.js";
import { runningServer } from "./server-lock.js";

/** What keeps the server of a state folder running: systemd, or nothing, once `sluice up --detach` has started it. */
export type WayToRestart = { readonly unit: string } | "detached";

/** Undefined where no server runs on this machine. Throws `server-not-restartable` where a terminal has it. */
export async function wayToRestart({ home }: Context): Promise<WayToRestart | undefined> {
  const pid = await runningServer(home);
  if (pid === undefined) return undefined;
  const group = await readFile(`/proc/${pid}/cgroup`, "utf8");
  const unit = /\/system\.slice\/([\w@.-]+\.service)$/m.exec(group)?.[1];
  if (unit !== undefined && (await isMainProcess(unit, pid))) return { unit };
  const output = await readlink(`/proc/${pid}/fd/1`).catch(() => "");
  if (output === join(home.root, "up.log")) return "detached";
  throw new AppError("server-not-restartable", { file: home.settings() });
}

/** Traffic goes on meanwhile. Throws `start-failed`. */
export async function restartServer(context: Context, way: WayToRestart): Promise<void> {
  if (way === "detached") {
    await down(context, { keepTraffic: true });
    await run(context, [join(context.installation, "bin/sluice"), "up", "--detach"]);
  } else await run(context, ["sh", "-c", `systemctl restart ${way.unit} && { ${untilUp(way.unit)}; }`]);
}

async function isMainProcess(unit: string, pid: number): Promise<boolean> {
  const { stdout } = await captureCommand({
    argv: ["systemctl", "show", "--property=MainPID", "--value", unit],
    env: { PATH: "/usr/bin:/bin" },
  });
  return stdout.trim() === String(pid);
}

async function run(context: Context, argv: readonly [string, ...string[]]): Promise<void> {
  const { exit, stdout, stderr } = await captureCommand({ argv, env: definedVariables(context.env) });
  if (exit.status !== 0)
    throw new AppError("start-failed", { output: stderr || stdout || describeExit(exit) });
}
