import type { Begun } from "../../core/api/machines/provision.js";
import type { FleetHosts } from "../../core/records/fleet/fleet-hosts.js";

/** Of the newest orders: a client that got no answer asks again within a minute. */
const KEPT = 100;

/** The answers to orders, by their idempotency keys. */
export class OrderAnswers {
  /** Also of hosts that are gone by now. */
  private readonly newest = new Map<string, Promise<Begun>>();

  constructor(private readonly hosts: Pick<FleetHosts, "list">) {}

  /** What the order with this key was answered; it is carried out now unless it was before, or has failed. */
  async once(key: string | undefined, order: () => Promise<Begun>): Promise<Begun> {
    if (key === undefined) return order();
    const known = this.newest.get(key);
    if (known !== undefined) return known;
    const answer = this.ofRecord(key).then(async (saved) => saved ?? order());
    this.newest.set(key, answer);
    for (const oldest of [...this.newest.keys()].slice(0, -KEPT)) this.newest.delete(oldest);
    return answer.catch((error: unknown) => {
      this.newest.delete(key);
      throw error;
    });
  }

  private async ofRecord(key: string): Promise<Begun | undefined> {
    const host = (await this.hosts.list()).find(({ idempotencyKey }) => idempotencyKey === key);
    return host && { host: host.name, after: host.logAfter ?? "0" };
  }
}
