import { z } from "zod";
import type { Clock } from "../../../core/clock.js";
import { AppError, isAppError } from "../../../core/errors/app-error.js";
import type { Log } from "../../../core/log.js";
import { actionSchema, type Actions } from "../actions.js";
import type { ApiRequests } from "../requests/api-requests.js";
import { createOnce, isOutcomeUnknown } from "../requests/create-once.js";
import { dropletSchema, type Droplet } from "./droplet.js";
import { pollUntil, type Wait } from "../requests/poll-until.js";

export interface NewDroplet {
  /** A tag that is used for this droplet alone (letters, digits, `_`, `-`, `:`), by which it is found after a crash. */
  readonly mark: string;
  /** A host name: letters, digits, dots and dashes. */
  readonly name: string;
  readonly size: string;
  readonly region: string;
  /** A slug, or the id of a snapshot. */
  readonly image: string | number;
  /** Ids or fingerprints, at least one: otherwise root gets an expired password, and no key can log in. */
  readonly sshKeys: readonly (string | number)[];
  /** Besides the mark. Missing ones are created. */
  readonly tags: readonly string[];
  /** For cloud-init: see `userDataOf`. */
  readonly userData: string;
  /** Id. Default: the region's default VPC. */
  readonly vpc?: string;
}

const READ = ["droplet:read"];
/** After an action that shuts a droplet down. */
const OFF_MS = 60_000;
const OUTCOME_SEEN = [
  "digitalocean-action-failed",
  "digitalocean-action-late",
  "digitalocean-request-refused",
] as const;
const answerSchema = z.object({ droplet: dropletSchema });

export class Droplets {
  constructor(
    private readonly api: ApiRequests,
    private readonly actions: Actions,
    private readonly clock: Clock,
    private readonly log: Log,
  ) {}

  /** Creates a droplet, or returns the one that has its mark. It is not up yet: see `waitUntilActive`. */
  async create(droplet: NewDroplet, signal: AbortSignal): Promise<Droplet> {
    return createOnce(
      {
        find: async () => this.findByMark(droplet.mark, signal),
        create: async () => this.post(droplet, signal),
      },
      this.clock,
      signal,
    );
  }

  /** Undefined when there is none. */
  async find(id: number, signal: AbortSignal): Promise<Droplet | undefined> {
    try {
      const path = `/v2/droplets/${id}`;
      return (await this.api.send({ method: "GET", path, scopes: READ, schema: answerSchema, signal }))
        .droplet;
    } catch (error) {
      if (isAppError(error, "digitalocean-not-found")) return undefined;
      throw error;
    }
  }

  /** The oldest one with this mark. Others can exist when DigitalOcean was slow to list the first. */
  async findByMark(mark: string, signal: AbortSignal): Promise<Droplet | undefined> {
    const found = await this.listByTag(mark, signal);
    const [first, ...others] = found.sort((a, b) => a.id - b.id);
    if (first !== undefined && others.length > 0)
      this.log.warn(
        { mark, kept: first.id, others: others.map(({ id }) => id) },
        "several droplets have the same mark",
      );
    return first;
  }

  /** One can be missed while others are created or deleted: call `find` before treating it as gone. */
  async listByTag(tag: string, signal: AbortSignal): Promise<Droplet[]> {
    try {
      return await this.list(`?tag_name=${encodeURIComponent(tag)}`, [...READ, "tag:read"], signal);
    } catch (error) {
      // No droplet has ever had this tag.
      if (isAppError(error, "digitalocean-not-found")) return [];
      throw error;
    }
  }

  /** All droplets of the account, including those of other programs. */
  async listAll(signal: AbortSignal): Promise<Droplet[]> {
    return this.list("", READ, signal);
  }

  /** Waits until it is active and has a public address. Its sshd may take a few seconds more. */
  async waitUntilActive(id: number, wait: Wait): Promise<Droplet & { readonly publicAddress: string }> {
    let last: Droplet | undefined;
    const ready = await pollUntil(
      async () => {
        last = await this.find(id, wait.signal);
        if (last === undefined)
          throw new AppError("digitalocean-not-found", { request: `GET /v2/droplets/${id}` });
        const { status, publicAddress } = last;
        return status === "active" && publicAddress !== undefined ? { ...last, publicAddress } : undefined;
      },
      this.clock,
      wait,
    );
    if (ready !== undefined) return ready;
    const { name = String(id), status = "new" } = last ?? {};
    throw new AppError("digitalocean-droplet-late", { name, status, seconds: wait.timeoutMs / 1000 });
  }

  /** Shuts its system down, or powers it off where that does not end. Does nothing when it is off. `wait.timeoutMs` is for each. */
  async shutDown(id: number, wait: Wait): Promise<void> {
    const { signal } = wait;
    const isOff = async (): Promise<true | undefined> => (await this.isOff(id, signal)) || undefined;
    for (const type of ["shutdown", "power_off"] as const) {
      if (await isOff()) return;
      await this.act(id, type, wait);
      if (await pollUntil(isOff, this.clock, { timeoutMs: OFF_MS, signal })) return;
    }
    throw new AppError("digitalocean-droplet-on", { droplet: id });
  }

  /** Deletes it with its disk. Succeeds when it is already gone. Its tags remain: see `Tags.delete`. */
  async delete(id: number, signal: AbortSignal): Promise<void> {
    const path = `/v2/droplets/${id}`;
    await this.api.remove({ path, scopes: ["droplet:delete"], signal });
  }

  private async isOff(id: number, signal: AbortSignal): Promise<boolean> {
    const found = await this.find(id, signal);
    if (found === undefined)
      throw new AppError("digitalocean-not-found", { request: `GET /v2/droplets/${id}` });
    return found.status === "off";
  }

  /** Whether it had the effect is looked at afterwards: it is refused while an earlier one is under way. */
  private async act(id: number, type: "shutdown" | "power_off", wait: Wait): Promise<void> {
    try {
      const { action } = await this.api.send({
        method: "POST",
        path: `/v2/droplets/${id}/actions`,
        scopes: ["droplet:update"],
        body: { type },
        schema: z.object({ action: actionSchema }),
        signal: wait.signal,
      });
      await this.actions.wait(action, wait);
    } catch (error) {
      if (!isOutcomeUnknown(error) && !isAppError(error, ...OUTCOME_SEEN)) throw error;
    }
  }

  private async list(query: string, scopes: readonly string[], signal: AbortSignal): Promise<Droplet[]> {
    const path = `/v2/droplets${query}`;
    return this.api.list({ path, key: "droplets", schema: dropletSchema, scopes, signal });
  }

  private async post(droplet: NewDroplet, signal: AbortSignal): Promise<Droplet> {
    const { droplet: made } = await this.api.send({
      method: "POST",
      path: "/v2/droplets",
      scopes: ["droplet:create", "tag:create", "ssh_key:read", ...(droplet.vpc ? ["vpc:read"] : [])],
      body: bodyOf(droplet),
      schema: answerSchema,
      signal,
    });
    return made;
  }
}

function bodyOf({ mark, name, size, region, image, sshKeys, tags, userData, vpc }: NewDroplet): object {
  return {
    ...{ name, size, region, image },
    ssh_keys: sshKeys,
    tags: [...tags, mark],
    user_data: userData,
    ...(vpc === undefined ? {} : { vpc_uuid: vpc }),
  };
}
