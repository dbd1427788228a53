import { execa } from "execa";
import type { LabHost } from "./lab-host.js";

/** A network that some hosts have besides their own, with one cable to each of them and to this machine: 10.77.N. */
export class SharedSegment {
  private constructor(
    readonly number: number,
    private readonly bridge: string,
  ) {}

  /** `device`: of the bridge on this machine. */
  static async open(number: number, device: string): Promise<SharedSegment> {
    await execa("ip", ["link", "add", device, "type", "bridge"]);
    await execa("ip", ["addr", "add", `10.77.${number}.1/24`, "dev", device]);
    await execa("ip", ["link", "set", device, "up"]);
    return new SharedSegment(number, device);
  }

  /** Address number `last` of this network. */
  address(last: number): string {
    return `10.77.${this.number}.${last}`;
  }

  /** Gives a host an address there; to be done again after its power was off. */
  async join(host: LabHost): Promise<void> {
    const inside = ["-n", host.name];
    const cable = `${this.bridge}-${host.number}`;
    // A namespace that is gone may keep its end for a while.
    await execa("ip", ["link", "delete", cable], { reject: false });
    await execa("ip", ["link", "add", cable, "type", "veth", "peer", "name", "eth1", "netns", host.name]);
    await execa("ip", ["link", "set", cable, "master", this.bridge, "up"]);
    await execa("ip", [...inside, "addr", "add", `${this.address(host.number)}/24`, "dev", "eth1"]);
    await execa("ip", [...inside, "link", "set", "eth1", "up"]);
  }

  async remove(): Promise<void> {
    await removeSegment(this.bridge);
  }
}

/** The bridge and its cables, as far as they are there. */
export async function removeSegment(bridge: string): Promise<void> {
  const { stdout } = await execa("ip", ["-o", "link", "show", "type", "veth"]);
  const cables = [...stdout.matchAll(/^\d+: ([^@:\s]+)/gm)].map(([, name = ""]) => name);
  for (const device of [...cables.filter((name) => name.startsWith(`${bridge}-`)), bridge])
    await execa("ip", ["link", "delete", device], { reject: false });
}
