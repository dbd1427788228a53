import { z } from "zod";
import type { Clock } from "../../core/clock.js";
import { isAppError } from "../../core/errors/app-error.js";
import type { ApiRequests } from "./requests/api-requests.js";
import { createOnce } from "./requests/create-once.js";

const tagSchema = z.object({ tag: z.object({ name: z.string() }) });

export class Tags {
  constructor(
    private readonly api: ApiRequests,
    private readonly clock: Clock,
  ) {}

  /** Creates a tag unless it exists. Needed for firewalls; a droplet's tags are created with it. */
  async ensure(name: string, signal: AbortSignal): Promise<void> {
    await createOnce(
      { find: async () => this.find(name, signal), create: async () => this.create(name, signal) },
      this.clock,
      signal,
    );
  }

  /** The droplets that have it remain. Succeeds when it is already gone. */
  async delete(name: string, signal: AbortSignal): Promise<void> {
    await this.api.remove({ path: pathOf(name), scopes: ["tag:delete"], signal });
  }

  private async find(name: string, signal: AbortSignal): Promise<string | undefined> {
    try {
      const call = { method: "GET", path: pathOf(name), scopes: ["tag:read"] } as const;
      return (await this.api.send({ ...call, schema: tagSchema, signal })).tag.name;
    } catch (error) {
      if (isAppError(error, "digitalocean-not-found")) return undefined;
      throw error;
    }
  }

  private async create(name: string, signal: AbortSignal): Promise<string> {
    const call = { method: "POST", path: "/v2/tags", scopes: ["tag:create"], body: { name } } as const;
    return (await this.api.send({ ...call, schema: tagSchema, signal })).tag.name;
  }
}

function pathOf(name: string): string {
  return `/v2/tags/${encodeURIComponent(name)}`;
}
