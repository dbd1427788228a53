import { z } from "zod";
import type { Clock } from "../../../core/clock.js";
import { AppError } from "../../../core/errors/app-error.js";
import { actionSchema, type Action, type Actions } from "../actions.js";
import type { ApiRequests } from "../requests/api-requests.js";
import { createOnce } from "../requests/create-once.js";
import { pollUntil, type Wait } from "../requests/poll-until.js";

/** A copy of a droplet's disk, as an image for new droplets. */
export interface Snapshot {
  /** To be used as `image` of a new droplet. */
  readonly id: number;
  readonly name: string;
  /** ISO 8601. */
  readonly createdAt: string;
  /** Slugs of the regions where it can be used. */
  readonly regions: readonly string[];
  readonly gigabytes: number;
  /** Of the disk that a droplet needs to be made of it. */
  readonly minDiskGigabytes: number;
}

/** What a token must have to make, find and remove snapshots: told together, since one is of no use without the others. */
export const SNAPSHOT_SCOPES = [
  ...["droplet:read", "droplet:update", "image:create"],
  ...["image:delete", "snapshot:read", "snapshot:delete"],
];

const snapshotSchema = z
  .object({
    id: z.coerce.number().int(),
    name: z.string(),
    created_at: z.string(),
    regions: z.array(z.string()),
    size_gigabytes: z.number(),
    min_disk_size: z.number(),
  })
  .transform(({ id, name, created_at, regions, size_gigabytes, min_disk_size }): Snapshot => ({
    ...{ id, name, regions },
    createdAt: created_at,
    gigabytes: size_gigabytes,
    minDiskGigabytes: min_disk_size,
  }));

export class Snapshots {
  constructor(
    private readonly api: ApiRequests,
    private readonly actions: Actions,
    private readonly clock: Clock,
  ) {}

  /** The account's snapshots of droplets. */
  async list(signal: AbortSignal): Promise<Snapshot[]> {
    const call = { path: "/v2/snapshots?resource_type=droplet", key: "snapshots", scopes: SNAPSHOT_SCOPES };
    return this.api.list({ ...call, schema: snapshotSchema, signal });
  }

  /** Takes a snapshot of a droplet unless one of this name exists. Takes minutes. A name must not be used for another state. */
  async ensure({ droplet, name }: { droplet: number; name: string }, wait: Wait): Promise<Snapshot> {
    const { signal } = wait;
    const find = async (): Promise<Snapshot | undefined> =>
      (await this.list(signal)).find((snapshot) => snapshot.name === name);
    const create = async (): Promise<Snapshot> => {
      // It is listed only when it is complete: this may be the one that an earlier call has begun.
      const running = await this.findRunning(droplet, signal);
      if (running !== undefined) await this.actions.wait(running, wait);
      const taken = running === undefined ? undefined : await find();
      return taken ?? this.take(await this.start(droplet, name, signal), find, wait);
    };
    return createOnce({ find, create }, this.clock, signal);
  }

  /** Succeeds when it is already gone. */
  async delete(id: number, signal: AbortSignal): Promise<void> {
    await this.api.remove({
      path: `/v2/snapshots/${id}`,
      scopes: SNAPSHOT_SCOPES,
      signal,
    });
  }

  private async findRunning(droplet: number, signal: AbortSignal): Promise<Action | undefined> {
    const call = { path: `/v2/droplets/${droplet}/actions`, key: "actions", scopes: SNAPSHOT_SCOPES };
    const all = await this.api.list({ ...call, schema: actionSchema, signal });
    return all.find(({ type, status }) => type === "snapshot" && status === "in-progress");
  }

  private async start(droplet: number, name: string, signal: AbortSignal): Promise<Action> {
    const { action } = await this.api.send({
      method: "POST",
      path: `/v2/droplets/${droplet}/actions`,
      scopes: SNAPSHOT_SCOPES,
      body: { type: "snapshot", name },
      schema: z.object({ action: actionSchema }),
      signal,
    });
    return action;
  }

  private async take(
    action: Action,
    find: () => Promise<Snapshot | undefined>,
    wait: Wait,
  ): Promise<Snapshot> {
    const begun = this.clock.now();
    await this.actions.wait(action, wait);
    const leftMs = Math.max(0, begun + wait.timeoutMs - this.clock.now());
    const taken = await pollUntil(find, this.clock, { ...wait, timeoutMs: leftMs });
    if (taken !== undefined) return taken;
    const { id, type } = action;
    throw new AppError("digitalocean-action-late", { type, id, seconds: wait.timeoutMs / 1000 });
  }
}
