import { z } from "zod";
import type { Clock } from "../../core/clock.js";
import { AppError } from "../../core/errors/app-error.js";
import type { ApiRequests } from "./requests/api-requests.js";
import { pollUntil, type Wait } from "./requests/poll-until.js";

/** An operation that DigitalOcean works on. */
export interface Action {
  readonly id: number;
  /** Such as `snapshot` or `assign_ip`. */
  readonly type: string;
  readonly status: "in-progress" | "completed" | "errored";
}

export const actionSchema = z.object({
  id: z.number().int(),
  type: z.string(),
  status: z.enum(["in-progress", "completed", "errored"]),
});

export class Actions {
  constructor(
    private readonly api: ApiRequests,
    private readonly clock: Clock,
  ) {}

  /** Waits until it has completed. Throws when it has failed. */
  async wait(action: Action, wait: Wait): Promise<void> {
    const ended = await pollUntil(
      async () => {
        const now = await this.read(action.id, wait.signal);
        return now.status === "in-progress" ? undefined : now;
      },
      this.clock,
      wait,
    );
    const { id, type } = action;
    if (ended === undefined)
      throw new AppError("digitalocean-action-late", { type, id, seconds: wait.timeoutMs / 1000 });
    if (ended.status === "errored") throw new AppError("digitalocean-action-failed", { type, id });
  }

  private async read(id: number, signal: AbortSignal): Promise<Action> {
    const call = { method: "GET", path: `/v2/actions/${id}`, scopes: ["actions:read"] } as const;
    return (await this.api.send({ ...call, schema: z.object({ action: actionSchema }), signal })).action;
  }
}
