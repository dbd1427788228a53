import { lookup } from "node:dns/promises";
import { isIPv4 } from "node:net";
import { AppError } from "../../../core/errors/app-error.js";
import { MACHINE_ADDRESS } from "../../../server/engines/runit/network/network-plan.js";
import { Networks } from "../../../server/engines/runit/network/networks.js";
import type { Log } from "../../../core/log.js";
import type { Context } from "../context.js";
import { keptPort } from "./kept-port.js";

export interface OwnNetworks {
  readonly networks: Networks;
  /** Where apps find their flags. */
  readonly flags: { readonly port: number; readonly url: string };
  /** Where apps find their Redis. */
  readonly redisUrl: string;
}

/**
 * Networks for instances and tasks, in which the apps' Redis and the flags are offered; undefined where they share the
 * machine's: only root can make some. Throws `networks-unavailable`.
 */
export async function openNetworks(
  { home, settings, path, isRoot }: Context,
  redisUrl: string,
  log: Log,
): Promise<OwnNetworks | undefined> {
  if (!isRoot || settings.instances.network === "host") return undefined;
  const port = await keptPort(home.flagsPort());
  const redis = await redisFor(redisUrl);
  try {
    const networks = await Networks.open({
      folder: home.networks(),
      owner: home.root,
      resolvConf: home.resolvConf(),
      path,
      log,
      offered: [port, ...redis.offered],
      allowed: [...settings.instances.allowNetworks, ...redis.allowed],
    });
    return {
      networks,
      flags: { port, url: `http://${MACHINE_ADDRESS}:${port}/flags` },
      redisUrl: redis.url,
    };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new AppError("networks-unavailable", { reason }, { cause: error });
  }
}

/** Nothing of them stays. */
export async function removeNetworks({ home, path }: Pick<Context, "home" | "path">): Promise<void> {
  await Networks.removeAll({ folder: home.networks(), owner: home.root, path });
}

interface ReachableRedis {
  readonly url: string;
  readonly offered: readonly number[];
  readonly allowed: readonly string[];
}

/** One on this machine is offered at its address for apps; one elsewhere may be in a private network. */
async function redisFor(text: string): Promise<ReachableRedis> {
  const url = new URL(text);
  if (url.hostname === "localhost" || url.hostname.startsWith("127.")) {
    const port = Number(url.port === "" ? "6379" : url.port);
    url.hostname = MACHINE_ADDRESS;
    return { url: url.toString(), offered: [port], allowed: [] };
  }
  const found = await lookup(url.hostname, { all: true, family: 4 }).catch(() => []);
  return { url: text, offered: [], allowed: found.map(({ address }) => address).filter(isIPv4) };
}
