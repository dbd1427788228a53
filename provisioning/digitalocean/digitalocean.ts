import type { Clock } from "../../core/clock.js";
import type { Log } from "../../core/log.js";
import { Account } from "./account.js";
import { Actions } from "./actions.js";
import { ApiRequests } from "./requests/api-requests.js";
import { Droplets } from "./droplets/droplets.js";
import { Firewalls } from "./network/firewalls.js";
import { Regions } from "./regions.js";
import { ReservedIps } from "./network/reserved-ips.js";
import { Sizes } from "./droplets/sizes.js";
import { Snapshots } from "./droplets/snapshots.js";
import { SshKeys } from "./ssh-keys.js";
import { Tags } from "./tags.js";
import { Vpcs } from "./network/vpcs.js";

export interface DigitalOceanOptions {
  /** Of the API, without `/v2`. */
  readonly url: string;
  readonly token: string;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * The part of DigitalOcean's API v2 (docs.digitalocean.com/reference/api) that hosts need. A request times out after 30 s.
 * Idempotent requests are tried up to five times. Methods that create something look it up first, so that they can be called
 * again after a crash. All failures are `AppError`s whose code begins with `digitalocean-`.
 */
export class DigitalOcean {
  readonly account: Account;
  readonly actions: Actions;
  readonly droplets: Droplets;
  readonly firewalls: Firewalls;
  readonly regions: Regions;
  readonly reservedIps: ReservedIps;
  readonly sizes: Sizes;
  readonly snapshots: Snapshots;
  readonly sshKeys: SshKeys;
  readonly tags: Tags;
  readonly vpcs: Vpcs;

  constructor(options: DigitalOceanOptions) {
    const { clock, log } = options;
    const api = new ApiRequests(options);
    this.account = new Account(api);
    this.actions = new Actions(api, clock);
    this.droplets = new Droplets(api, this.actions, clock, log);
    this.regions = new Regions(api);
    this.reservedIps = new ReservedIps(api, this.actions, clock);
    this.sizes = new Sizes(api);
    this.snapshots = new Snapshots(api, this.actions, clock);
    this.sshKeys = new SshKeys(api, clock);
    this.tags = new Tags(api, clock);
    this.vpcs = new Vpcs(api, clock);
    this.firewalls = new Firewalls(api, this.tags, clock);
  }
}
