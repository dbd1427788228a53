import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { atLowPriority } from "../../../../core/exec/low-priority.js";
import { quote } from "../../../../core/exec/quote.js";
import { insideRules } from "./firewall-rules.js";
import { setParameter } from "./kernel-parameter.js";
import type { NetworkPlan } from "./network-plan.js";
import type { NetworkTools } from "./network-tools.js";

const FOLDER = "/run/netns";
/** Those of the reader's namespace. A container's /sys may show those of another. */
const DEVICES = "/proc/sys/net/ipv4/conf";
const INSIDE = "eth0";
/** Exit status of the script. */
const TAKEN = 3;

/** Network namespaces (network_namespaces(7)), each with a cable to this machine. Needs root. */
export class Namespaces {
  constructor(private readonly tools: NetworkTools) {}

  static fileOf({ namespace }: NetworkPlan): string {
    return join(FOLDER, namespace);
  }

  async has({ device }: NetworkPlan): Promise<boolean> {
    return (await readdir(DEVICES)).includes(device);
  }

  /**
   * False when the namespace is there: another state folder of this machine has it. `note`: the file by which it is found again;
   * when that is gone in the end, so is the namespace. `isAwaited`: otherwise what serves visitors comes first.
   */
  async make(plan: NetworkPlan, note: string, isAwaited: boolean): Promise<boolean> {
    const script = ["/bin/sh", "-c", scriptFor(plan, note)] as const;
    const { status, stderr } = await this.tools.attempt(isAwaited ? script : atLowPriority(script));
    if (status !== 0 && status !== TAKEN) throw new Error(`ip netns: ${stderr.trim()}`);
    return status === 0;
  }

  /** Also one whose making was cut short, or is being cut short. */
  async remove(plan: NetworkPlan): Promise<void> {
    const { namespace, device } = plan;
    const isThere = async (): Promise<boolean> => this.has(plan);
    // The cable may come between two looks: then it is ours all the same.
    const isOurs = (await isThere()) || (await this.isBare(namespace)) || (await isThere());
    if (!isOurs) return;
    if (await isThere()) await this.removeBy(["ip", "link", "delete", device], isThere);
    await this.removeBy(["ip", "netns", "delete", namespace], async () =>
      (await readdir(FOLDER)).includes(namespace),
    );
  }

  /** What has gone by itself meanwhile is no error. */
  private async removeBy(
    argv: readonly [string, ...string[]],
    isThere: () => Promise<boolean>,
  ): Promise<void> {
    const { status, stderr } = await this.tools.attempt(argv);
    if (status !== 0 && (await isThere())) throw new Error(`${argv.join(" ")}: ${stderr.trim()}`);
  }

  /** Without a cable. One with another's cable is another state folder's. */
  private async isBare(namespace: string): Promise<boolean> {
    const { status, stdout } = await this.tools.attempt(["ip", "-n", namespace, "-brief", "link"]);
    return status === 0 && stdout.split("\n").every((line) => line === "" || line.startsWith("lo "));
  }
}

/** One script, as each program that the server starts keeps it busy for longer than the shell. */
function scriptFor(plan: NetworkPlan, note: string): string {
  const { namespace, device, gateway, address } = plan;
  const file = Namespaces.fileOf(plan);
  // Both ends may send to 127.0.0.1 what the rules lead there, and nothing else.
  const routeLocal = (of: string): string => setParameter(`net/ipv4/conf/${of}/route_localnet`, "1");
  return `set -e
[ ! -e ${file} ] || exit ${TAKEN}
ip netns add ${namespace}
ip -batch - <<END
link add ${device} type veth peer name ${INSIDE} netns ${namespace}
addr add ${gateway}/30 dev ${device}
link set ${device} up
END
${routeLocal(device)}
ip -n ${namespace} -batch - <<END
link set lo up
addr add ${address}/30 dev ${INSIDE}
link set ${INSIDE} up
route add default via ${gateway}
END
nsenter --net=${file} -- /bin/sh -c ${quote(`${routeLocal(INSIDE)} && exec nft -f -`)} <<END
${insideRules({ device: INSIDE })}END
[ -e ${quote(note)} ] || ip netns delete ${namespace}
`;
}
