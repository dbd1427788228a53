import type { Clock } from "../../../core/clock.js";
import { silentLog, type Log } from "../../../core/log.js";
import { DigitalOcean } from "../../../provisioning/digitalocean/digitalocean.js";
import type { NewDroplet } from "../../../provisioning/digitalocean/droplets/droplets.js";
import type { Boot, CloudHost } from "../../lab/digitalocean/cloud-host.js";
import { FakeDigitalOcean } from "../../lab/digitalocean/fake-digitalocean.js";
import { HurriedClock } from "./hurried-clock.js";

/** A host that is only an address. */
export const HOST: CloudHost = {
  address: "10.77.1.2",
  cutOff: async () => undefined,
  shutDown: async () => undefined,
  saveDisk: async () => ({ remove: async () => undefined }),
  remove: async () => undefined,
};

export const ORDER: NewDroplet = {
  ...{ mark: "sluice-mark:1", name: "web-1", size: "s-1vcpu-2gb", region: "fra1", image: "debian-12-x64" },
  ...{ sshKeys: [], tags: ["sluice"], userData: "#cloud-config\n" },
};

/** A DigitalOcean of the test's own, and clients of it. */
export class DigitalOceanTrial {
  readonly clock = new HurriedClock();
  readonly signal = new AbortController().signal;

  private constructor(readonly server: FakeDigitalOcean) {}

  static async start(boot: Boot = async () => HOST): Promise<DigitalOceanTrial> {
    return new DigitalOceanTrial(
      await FakeDigitalOcean.start({
        boot,
        reserveAddress: async () => ({ address: "10.77.254.1", moveTo: async () => undefined }),
      }),
    );
  }

  client({
    token = this.server.token,
    url = this.server.url,
    clock = this.clock,
    log = silentLog,
  }: { token?: string; url?: string; clock?: Clock; log?: Log } = {}): DigitalOcean {
    return new DigitalOcean({ url, token, clock, log });
  }

  /** How many requests of an operation the server got. */
  count(operation: string): number {
    return this.server.requests.filter((name) => name === operation).length;
  }

  async close(): Promise<void> {
    await this.server.close();
  }
}
