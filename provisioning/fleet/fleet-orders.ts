import type {
  Begun,
  BilledDroplet,
  HostProgress,
  ProvisionRequest,
} from "../../core/api/machines/provision.js";
import { AppError } from "../../core/errors/app-error.js";
import type { Actor } from "../../core/records/events/actor.js";
import { isSizedRole, type FleetHost, type FleetRole } from "../../core/records/fleet/fleet-host.js";
import { DryRuns } from "./dry-runs.js";
import type { Fleet } from "./fleet.js";
import type { FleetNeeds } from "./fleet-needs.js";
import { hostEvent } from "./host-event.js";
import { parseHostName } from "./host-name.js";
import { OrderAnswers } from "./order-answers.js";
import { newDroplet } from "./droplets/new-droplet.js";
import { sealIdentity } from "./seals.js";
import { SnapshotOrders } from "./snapshot-orders.js";

const MEET_TIMEOUT_MS = 20_000;
const BILL_TIMEOUT_MS = 10_000;

/** What people ask of the hosts. It is saved, and `Fleet` does it. */
export class FleetOrders {
  private readonly dryRuns: DryRuns;
  private readonly answers: OrderAnswers;
  readonly snapshots: SnapshotOrders;

  constructor(
    private readonly needs: FleetNeeds,
    private readonly fleet: Pick<Fleet, "wake">,
  ) {
    this.dryRuns = new DryRuns(needs);
    this.answers = new OrderAnswers(needs.hosts);
    this.snapshots = new SnapshotOrders(needs, fleet);
  }

  async list(): Promise<FleetHost[]> {
    return this.needs.hosts.list();
  }

  /** What DigitalOcean bills; none without a token. */
  async billed(): Promise<BilledDroplet[]> {
    const { droplets, hosts } = this.needs;
    if (droplets === undefined) return [];
    // First the bill: what is ordered between the two has a record already.
    const all = await droplets.list(AbortSignal.timeout(BILL_TIMEOUT_MS));
    const known = await hosts.list();
    return all.map(({ id, name, monthlyUsd, tags }) => {
      const host = known.find(({ droplet }) => droplet !== undefined && tags.includes(droplet.mark));
      return { id, name, monthlyUsd, host: host?.name ?? null };
    });
  }

  /**
   * A machine that there is gets a role; without an address, a droplet is made for it, unless one that somebody has ordered is
   * under way.
   */
  async provision(request: ProvisionRequest, actor: Actor): Promise<Begun> {
    const { role, address, idempotencyKey } = request;
    if (role === "redis" && !this.needs.access.canReplicate) throw new AppError("redis-is-its-owners", {});
    return this.answers.once(idempotencyKey, async () =>
      address === undefined ? this.orderDroplet(request, actor) : this.takeIn(request, address, actor),
    );
  }

  private async orderDroplet(request: ProvisionRequest, actor: Actor): Promise<Begun> {
    const { role, name, keepFailed, another, idempotencyKey } = request;
    const known = (await this.list()).find((host) => isOrdered(host, role));
    if (known !== undefined && name === undefined && !another)
      return { host: known.name, after: known.logAfter ?? "0", orderedBy: known.by };
    const host = await newDroplet({ role, name, keepFailed, by: actor.by }, this.needs);
    return this.add({ ...host, idempotencyKey }, actor);
  }

  private async takeIn(request: ProvisionRequest, address: string, actor: Actor): Promise<Begun> {
    const { role, dryRun, idempotencyKey } = request;
    const known = (await this.list()).find((host) => host.address === address);
    if (known !== undefined && !dryRun) return this.configureAgain(known.name, actor, role, idempotencyKey);
    const host = known ?? (await this.meet(request, address, actor));
    if (dryRun) return this.dryRuns.begin({ ...host, roles: [...new Set([...host.roles, role])] });
    const twin = (await this.list()).find(({ machineId }) => machineId === host.machineId);
    if (twin !== undefined)
      throw new AppError("fleet-machine-known", { address, host: twin.name, id: String(host.machineId) });
    return this.add({ ...host, idempotencyKey }, actor);
  }

  /** Configures a host that is known once more, for one role more if one is named. */
  async configureAgain(
    name: string,
    actor: Actor,
    role?: FleetRole,
    idempotencyKey?: string,
  ): Promise<Begun> {
    const { hosts, log } = this.needs;
    const host = await this.known(name);
    if (host.phase !== "ready" && host.phase !== "failed")
      throw new AppError("fleet-host-busy", { host: name, phase: host.phase });
    if (host.address === undefined) throw new AppError("droplet-gone", { host: name });
    const roles = [...new Set([...host.roles, ...(role === undefined ? [] : [role])])];
    const after = await log.end(name);
    const begun = { roles, phase: "configuring", since: this.now(), failure: undefined } as const;
    const asked = { logAfter: after, idempotencyKey };
    const event = role === undefined ? undefined : hostEvent("host.added", host, `role ${role}`, actor);
    await hosts.update(name, (before) => ({ ...before, ...begun, ...asked }), event);
    this.fleet.wake();
    return { host: name, after };
  }

  /** `force`: even the last one of a role, and one that is gone for good. */
  async remove(name: string, { force }: { readonly force: boolean }, actor: Actor): Promise<Begun> {
    const { hosts, log } = this.needs;
    const host = await this.known(name);
    const role = await this.roleWithoutOthers(host);
    if (role !== undefined && !force) throw new AppError("fleet-host-last", { host: name, role });
    const after = await log.end(name);
    const begun = { phase: "leaving", since: this.now(), isGone: force } as const;
    const event = hostEvent("host.leaving", host, undefined, actor);
    await hosts.update(name, (before) => ({ ...before, ...begun }), event);
    this.fleet.wake();
    return { host: name, after };
  }

  /** What was done to a host since a line of its log. */
  async progress(name: string, after: string): Promise<HostProgress> {
    const { hosts, log } = this.needs;
    const isDryRun = this.dryRuns.isRunning(name);
    const host = await hosts.find(name);
    const lines = await log.read(name, after);
    const isAtWork = host !== undefined && host.phase !== "ready" && host.phase !== "failed";
    return { lines, active: isDryRun || isAtWork, phase: host?.phase ?? null };
  }

  private async add(host: FleetHost, actor: Actor): Promise<Begun> {
    const { hosts, log } = this.needs;
    const after = await log.end(host.name);
    const event = hostEvent("host.added", host, host.reason, actor);
    if (!(await hosts.add({ ...host, logAfter: after }, event)))
      throw new AppError("fleet-host-exists", { host: host.name });
    this.fleet.wake();
    return { host: host.name, after };
  }

  /** A record of a machine that was logged in to. */
  private async meet(request: ProvisionRequest, address: string, actor: Actor): Promise<FleetHost> {
    const { role, port, user, identity, privateAddress, keepFailed } = request;
    const { setup, box } = this.needs;
    const at = this.now();
    const draft: FleetHost = {
      ...{ v: 1, name: address, roles: [role], phase: "configuring", since: at, createdAt: at, by: actor.by },
      ...{
        address,
        port,
        user,
        privateAddress,
        keepFailed,
        isGone: false,
        peers: [],
        proxies: [],
        replicas: [],
        hasReservedAddress: false,
      },
    };
    const sealedIdentity = identity === undefined ? undefined : sealIdentity(identity, address, box);
    const signal = AbortSignal.timeout(MEET_TIMEOUT_MS);
    const { hostname, machineId, hostKey } = await setup.meet({ ...draft, sealedIdentity }, signal);
    const name = parseHostName(request.name ?? hostname);
    return { ...draft, name, machineId, hostKey, sealedIdentity };
  }

  private async known(name: string): Promise<FleetHost> {
    const hosts = await this.list();
    const host = hosts.find((one) => one.name === name);
    if (host !== undefined) return host;
    throw new AppError("fleet-host-unknown", { host: name, known: hosts.map((one) => one.name) });
  }

  /** The server's own host counts where it runs instances. */
  private async roleWithoutOthers({ name, roles }: FleetHost): Promise<FleetRole | undefined> {
    const { settings } = this.needs;
    if (settings.serverRunsInstances) return undefined;
    const others = (await this.list()).filter((host) => host.name !== name && host.phase === "ready");
    return roles.filter(isSizedRole).find((role) => !others.some((host) => host.roles.includes(role)));
  }

  private now(): string {
    return new Date(this.needs.clock.now()).toISOString();
  }
}

/** Whether it is a droplet for that role which somebody has ordered and which was not ready yet. */
function isOrdered(
  { roles, phase, droplet, reason, readyAfterSeconds }: FleetHost,
  role: FleetRole,
): boolean {
  const isUnderWay = phase === "creating" || phase === "configuring";
  // One that Sluice makes by itself has a reason.
  const isByCommand = droplet !== undefined && reason === undefined;
  return roles.includes(role) && isUnderWay && isByCommand && readyAfterSeconds === undefined;
}
