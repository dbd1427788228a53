import { AppError } from "../../../core/errors/app-error.js";
import { captureCommand } from "../../../core/exec/exec.js";
import { installScript } from "../../../provisioning/tasks/system/install-script.js";
import type { Context } from "../context.js";

/** Installs Debian packages on this machine, as root. Throws `packages-not-installed`. */
export async function installPackages(context: Context, packages: readonly string[]): Promise<void> {
  const began = Date.now();
  context.print(`-----> Installing ${packages.join(" ")}`);
  const { exit, stdout } = await captureCommand({
    argv: ["bash", "-c", installScript(packages)],
    env: { ...context.networkEnv, PATH: `${context.path}:/usr/sbin:/sbin` },
  });
  if (exit.status !== 0)
    throw new AppError("packages-not-installed", {
      packages,
      output: stdout.trim().split("\n").slice(-5).join("\n"),
    });
  context.print(`       installed in ${((Date.now() - began) / 1000).toFixed(1)} s`);
}
