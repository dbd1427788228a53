import { execa } from "execa";
import type { LabHost } from "./lab-host.js";

/** An address that can be moved between the hosts of a lab. This machine and all hosts can reach it. */
export class ReservedAddress {
  private holder: LabHost | undefined;

  constructor(readonly address: string) {}

  /** Moves it to a host, or to none: then connections to it fail. */
  async moveTo(host: LabHost | undefined): Promise<void> {
    const { holder } = this;
    this.holder = host;
    // Powering a host off removes the address as well.
    if (holder !== undefined) await execa("ip", ["-n", holder.name, ...this.on("del")], { reject: false });
    if (host !== undefined) await execa("ip", ["-n", host.name, ...this.on("add")]);
    const way = host === undefined ? ["blackhole", this.address] : [this.address, "via", host.address];
    await execa("ip", ["route", "replace", ...way]);
  }

  async remove(): Promise<void> {
    await this.moveTo(undefined);
    await execa("ip", ["route", "delete", "blackhole", this.address]);
  }

  private on(change: "add" | "del"): string[] {
    return ["addr", change, `${this.address}/32`, "dev", "lo"];
  }
}
