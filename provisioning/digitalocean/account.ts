import { z } from "zod";
import type { ApiRequests } from "./requests/api-requests.js";

export interface AccountState {
  /** How many droplets it may have at the same time. */
  readonly dropletLimit: number;
  /** A `locked` account cannot create anything. */
  readonly status: "active" | "warning" | "locked";
  readonly statusMessage: string;
}

const accountSchema = z.object({
  account: z.object({
    droplet_limit: z.number().int(),
    status: z.enum(["active", "warning", "locked"]),
    status_message: z.string(),
  }),
});

export class Account {
  constructor(private readonly api: ApiRequests) {}

  /** Also a cheap way to check the token. */
  async read(signal: AbortSignal): Promise<AccountState> {
    const call = { method: "GET", path: "/v2/account", scopes: ["account:read"] } as const;
    const { account } = await this.api.send({ ...call, schema: accountSchema, signal });
    return {
      dropletLimit: account.droplet_limit,
      status: account.status,
      statusMessage: account.status_message.trim(),
    };
  }
}
