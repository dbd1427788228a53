import { z } from "zod";
import type { Clock } from "../../../core/clock.js";
import { AppError, isAppError } from "../../../core/errors/app-error.js";
import type { Log } from "../../../core/log.js";
import type { ApiRequests } from "../requests/api-requests.js";
import { createOnce } from "../requests/create-once.js";
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
const answerSchema = z.object({ droplet: dropletSchema });

export class Droplets {
  constructor(
    private readonly api: ApiRequests,
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

  /** Deletes it with its disk. Succeeds when it is already gone. Its tags remain: see `Tags.delete`. */
  async delete(id: number, signal: AbortSignal): Promise<void> {
    const path = `/v2/droplets/${id}`;
    await this.api.remove({ path, scopes: ["droplet:delete"], signal });
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
