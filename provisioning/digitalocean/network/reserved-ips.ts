import { z } from "zod";
import type { Clock } from "../../../core/clock.js";
import { AppError } from "../../../core/errors/app-error.js";
import { actionSchema, type Action, type Actions } from "../actions.js";
import type { ApiRequests } from "../requests/api-requests.js";
import { isOutcomeUnknown } from "../requests/create-once.js";
import { pollUntil, type Wait } from "../requests/poll-until.js";

/** A public address that can be moved between droplets. */
export interface ReservedIp {
  readonly address: string;
  /** Slug. */
  readonly region: string;
  /** Id of the droplet that has it. */
  readonly droplet?: number;
}

const MOST_TRIES = 3;
/** How long to check the address after a lost response before the request is repeated. */
const LOST_ANSWER_MS = 20_000;
const READ = ["reserved_ip:read", "droplet:read"];
const reservedIpSchema = z
  .object({
    ip: z.string(),
    region: z.object({ slug: z.string() }),
    droplet: z.object({ id: z.number().int().optional() }).nullish(),
  })
  .transform(({ ip, region, droplet }): ReservedIp => ({
    address: ip,
    region: region.slug,
    ...(droplet?.id === undefined ? {} : { droplet: droplet.id }),
  }));

export class ReservedIps {
  constructor(
    private readonly api: ApiRequests,
    private readonly actions: Actions,
    private readonly clock: Clock,
  ) {}

  async list(signal: AbortSignal): Promise<ReservedIp[]> {
    const call = { path: "/v2/reserved_ips", key: "reserved_ips", scopes: READ };
    return this.api.list({ ...call, schema: reservedIpSchema, signal });
  }

  async read(address: string, signal: AbortSignal): Promise<ReservedIp> {
    const call = { method: "GET", path: pathOf(address), scopes: READ } as const;
    return (await this.api.send({ ...call, schema: z.object({ reserved_ip: reservedIpSchema }), signal }))
      .reserved_ip;
  }

  /**
   * Moves the address to a droplet, whichever has it now, and checks afterwards who has it. Does nothing when the droplet
   * already has it. `wait.timeoutMs` is for one try; there are at most three.
   */
  async assign(address: string, droplet: number, wait: Wait): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      const { droplet: owner } = await this.read(address, wait.signal);
      if (owner === droplet) return;
      if (attempt > MOST_TRIES)
        throw new AppError("digitalocean-reserved-ip-elsewhere", {
          ...{ address, droplet },
          owner: owner === undefined ? "no droplet" : `droplet ${owner}`,
        });
      await this.move(address, droplet, wait);
    }
  }

  /** After a lost response, it waits for the address to arrive. */
  private async move(address: string, droplet: number, wait: Wait): Promise<void> {
    try {
      await this.actions.wait(await this.post(address, droplet, wait.signal), wait);
    } catch (error) {
      if (!isOutcomeUnknown(error)) throw error;
      const isThere = async (): Promise<true | undefined> =>
        (await this.read(address, wait.signal)).droplet === droplet || undefined;
      await pollUntil(isThere, this.clock, { timeoutMs: LOST_ANSWER_MS, signal: wait.signal });
    }
  }

  private async post(address: string, droplet: number, signal: AbortSignal): Promise<Action> {
    const { action } = await this.api.send({
      method: "POST",
      path: `${pathOf(address)}/actions`,
      scopes: ["reserved_ip:update"],
      body: { type: "assign", droplet_id: droplet },
      schema: z.object({ action: actionSchema }),
      signal,
    });
    return action;
  }
}

function pathOf(address: string): string {
  return `/v2/reserved_ips/${encodeURIComponent(address)}`;
}
