import { createInterface } from "node:readline/promises";
import { AppError } from "../../../core/errors/app-error.js";
import { RemoteError } from "../../client/remote-error.js";
import { missingPrograms, packagesOf } from "../../start/checks/preflight.js";
import type { Context } from "../../start/context.js";
import { chooseSwarm } from "../../start/engines/choose-swarm.js";
import { installPackages } from "../../start/engines/install-packages.js";
import { swarmPrograms } from "../../start/engines/swarm-programs.js";
import { restartServer, wayToRestart } from "../../start/restart-server.js";

interface UseSwarmOptions {
  /** Nobody is asked. */
  readonly isAgreed: boolean;
  /** Nothing may be changed. */
  readonly isTrial: boolean;
}

const EXPLANATION = [
  "-----> This Sluice runs instances on its own machine alone (engine runit)",
  "       Other hosts need the engine swarm: Docker runs the instances, and Sluice decides where.",
  "       What serves now is started there, checked, and gets the visitors; then the old instances drain.",
  "       docs/swarm.md says what is different, and docs/hosts.md what happens next.",
];

/**
 * Does what needs other hosts. The first time, if a person agrees, the settings of this machine's Sluice are changed for that
 * and it is restarted. Throws what `begin` does, and `engine-not-changed`.
 */
export async function useSwarm<T>(
  context: Context,
  { isAgreed, isTrial }: UseSwarmOptions,
  begin: () => Promise<T>,
): Promise<T> {
  try {
    return await begin();
  } catch (error) {
    const isMissing = error instanceof RemoteError && error.code === "fleet-needs-swarm";
    if (!isMissing || isTrial) throw error;
    if (!context.isRoot) throw new AppError("swarm-needs-root", {});
    const way = await wayToRestart(context);
    if (way === undefined) throw error;
    for (const line of EXPLANATION) context.print(line);
    const needed = swarmPrograms(context.settings.fleet);
    const packages = packagesOf(await missingPrograms(context, needed), needed);
    if (packages.length > 0) context.print(`       Debian packages for that: ${packages.join(" ")}`);
    if (!isAgreed && !(await agrees(context))) throw new AppError("engine-not-changed", {});
    if (packages.length > 0) await installPackages(context, packages);
    const changes = await chooseSwarm(context);
    for (const change of changes) context.print(`       ${change}`);
    await restartServer(context, way);
    context.print("-----> Sluice runs with the engine swarm");
    return begin();
  }
}

async function agrees(context: Context): Promise<boolean> {
  const input = context.input();
  if (!input.isTTY) return false;
  const lines = createInterface({ input, output: context.errors() });
  try {
    return /^y(es)?$/i.test((await lines.question("Change the engine to swarm now? [y/N] ")).trim());
  } finally {
    lines.close();
  }
}
