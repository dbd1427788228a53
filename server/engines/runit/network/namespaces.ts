import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { insideRules } from "./firewall-rules.js";
import type { NetworkPlan } from "./network-plan.js";
import type { NetworkTools } from "./network-tools.js";

const FOLDER = "/run/netns";
const DEVICES = "/sys/class/net";
const INSIDE = "eth0";

/** Network namespaces (network_namespaces(7)), each with a cable to this machine. Needs root. */
export class Namespaces {
  constructor(private readonly tools: NetworkTools) {}

  static fileOf({ namespace }: NetworkPlan): string {
    return join(FOLDER, namespace);
  }

  async has({ device }: NetworkPlan): Promise<boolean> {
    return (await readdir(DEVICES)).includes(device);
  }

  /** False when the namespace is there: another state folder of this machine has it. */
  async make(plan: NetworkPlan): Promise<boolean> {
    const { namespace, device, gateway, address } = plan;
    const { status, stderr } = await this.tools.attempt(["ip", "netns", "add", namespace]);
    if (status !== 0) {
      if (/exists/i.test(stderr)) return false;
      throw new Error(`ip netns add: ${stderr}`);
    }
    const outside = [
      `link add ${device} type veth peer name ${INSIDE} netns ${namespace}`,
      `addr add ${gateway}/30 dev ${device}`,
      `link set ${device} up`,
    ];
    await this.tools.run(["ip", "-batch", "-"], outside.join("\n"));
    // It may send to what is offered at 127.0.0.1, which its rules allow or not.
    await writeFile(`/proc/sys/net/ipv4/conf/${device}/route_localnet`, "1");
    const inside = [
      `link set lo up`,
      `addr add ${address}/30 dev ${INSIDE}`,
      `link set ${INSIDE} up`,
      `route add default via ${gateway}`,
    ];
    await this.tools.run(["ip", "-n", namespace, "-batch", "-"], inside.join("\n"));
    const settle = `echo 1 >/proc/sys/net/ipv4/conf/${INSIDE}/route_localnet && exec nft -f -`;
    const enter = ["nsenter", `--net=${Namespaces.fileOf(plan)}`, "--", "/bin/sh", "-c", settle] as const;
    await this.tools.run(enter, insideRules({ device: INSIDE }));
    return true;
  }

  /** Also one whose making was cut short. */
  async remove(plan: NetworkPlan): Promise<void> {
    const { namespace, device } = plan;
    const isWhole = await this.has(plan);
    if (isWhole) await this.tools.run(["ip", "link", "delete", device]);
    else if (!(await this.isBare(namespace))) return;
    await this.tools.run(["ip", "netns", "delete", namespace]);
  }

  /** Without a cable. One with another's cable is another state folder's. */
  private async isBare(namespace: string): Promise<boolean> {
    const { status, stdout } = await this.tools.attempt(["ip", "-n", namespace, "-brief", "link"]);
    return status === 0 && stdout.split("\n").every((line) => line === "" || line.startsWith("lo "));
  }
}
