import { AppError } from "../../../core/errors/app-error.js";
import { MACHINE_ADDRESS } from "../../../server/engines/runit/network/network-plan.js";
import { Networks } from "../../../server/engines/runit/network/networks.js";
import type { Context } from "../context.js";
import { keptPort } from "./kept-port.js";

export interface OwnNetworks {
  readonly networks: Networks;
  /** Where apps find their flags. */
  readonly flags: { readonly port: number; readonly url: string };
  /** How a URL of this machine reads from within. */
  readonly machineUrl: (url: string) => string;
}

/**
 * Networks for instances and tasks, in which `redisPort` of this machine is offered; undefined where they share the machine's:
 * only root can make some. Throws `networks-unavailable`.
 */
export async function openNetworks(
  { home, settings, path, isRoot }: Context,
  redisPort: number | undefined,
): Promise<OwnNetworks | undefined> {
  if (!isRoot || settings.instances.network === "host") return undefined;
  const port = await keptPort(home.flagsPort());
  try {
    const networks = await Networks.open({
      folder: home.networks(),
      owner: home.root,
      path,
      offered: [port, ...(redisPort === undefined ? [] : [redisPort])],
      allowed: settings.instances.allowNetworks,
    });
    const machineUrl = (text: string): string => {
      const inside = new URL(text);
      inside.hostname = MACHINE_ADDRESS;
      return inside.toString();
    };
    return { networks, machineUrl, flags: { port, url: `http://${MACHINE_ADDRESS}:${port}/flags` } };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new AppError("networks-unavailable", { reason }, { cause: error });
  }
}

/** Nothing of them stays. */
export async function removeNetworks({ home, path }: Pick<Context, "home" | "path">): Promise<void> {
  await Networks.removeAll({ folder: home.networks(), owner: home.root, path });
}
