import { AppError, isAppError } from "../../../core/errors/app-error.js";
import type { Clock } from "../../../core/clock.js";
import type { FleetHost, FleetRole } from "../../../core/records/fleet/fleet-host.js";
import type { FleetLog, FleetLogLine } from "../../../core/records/fleet/fleet-log.js";
import type { SecretBox } from "../../../core/secrets.js";
import type { SshKeyPair } from "../../../core/ssh-key-pair.js";
import { progressLine } from "../../converge/progress-line.js";
import { convergeHost, type ConvergeOptions, type TaskProgress } from "../../converge/converge-host.js";
import { SNAPSHOT, tasksOf } from "../../roles/roles.js";
import { RemoteHost } from "../../ssh/remote-host.js";
import type { SshLogin } from "../../ssh/ssh-login.js";
import { readSwarm } from "../../tasks/docker/swarm-membership.js";
import type { HostSetup, HostSetupOptions } from "../fleet-needs.js";
import { hostPlanOf, snapshotPlanOf, type HostPlanOptions } from "./host-plan-of.js";
import { addressTowards, checkPrivateAddress, machineIdOf } from "./own-words.js";
import { openIdentity } from "../seals.js";

/** A new machine has sshd(8) some time after it has an address. */
const BOOT_TIMEOUT_MS = 180_000;
/** What its user data says of its host key is done while it boots, perhaps after sshd(8) has started. */
const KEYS_TIMEOUT_MS = 30_000;
const RETRY_MS = 1000;
const HOST_KEY = "/etc/ssh/ssh_host_ed25519_key";

export interface SshSetupOptions {
  readonly plans: HostPlanOptions;
  /** Sluice's own. */
  readonly key: SshKeyPair;
  readonly box: SecretBox;
  readonly log: FleetLog;
  readonly clock: Clock;
  /** Of the server's host: the way there tells the address at which a host is reached. */
  readonly serverAddress: string;
}

/** Hosts that are configured over SSH. */
export class SshSetup implements HostSetup {
  constructor(private readonly options: SshSetupOptions) {}

  async meet(host: FleetHost, signal: AbortSignal): Promise<Awaited<ReturnType<HostSetup["meet"]>>> {
    const remote = await RemoteHost.connect(this.loginOf(host), signal);
    try {
      const hostname = await remote.output("hostname");
      return { hostname, machineId: await machineIdOf(remote, host.name), hostKey: remote.hostKey };
    } finally {
      remote.close();
    }
  }

  async answers(host: FleetHost, signal: AbortSignal): Promise<boolean> {
    try {
      (await RemoteHost.connect(this.loginOf(host), signal)).close();
      return true;
    } catch (error) {
      signal.throwIfAborted();
      return !isAppError(error, "host-unreachable");
    }
  }

  async configure(
    host: FleetHost,
    { mode, peers, signal, logAs = host.name }: HostSetupOptions,
  ): Promise<Awaited<ReturnType<HostSetup["configure"]>>> {
    const { plans, serverAddress } = this.options;
    const remote = await this.connect(host, signal);
    try {
      const others = {
        host: host.name,
        taken: peers.hosts.filter((address) => address !== host.privateAddress),
      };
      const privateAddress =
        host.privateAddress === undefined
          ? await addressTowards(remote, serverAddress, others)
          : checkPrivateAddress(host.privateAddress, others);
      const machineId = await machineIdOf(remote, host.name);
      const plan = await hostPlanOf(host, privateAddress, peers, plans);
      await this.converge(remote, logAs, { tasks: tasksOf(host.roles), plan, mode, signal });
      const node =
        plan.swarm === undefined || mode === "dry-run" ? host.node : (await readSwarm(remote)).NodeID;
      return { hostKey: remote.hostKey, machineId, node, privateAddress, version: plan.release.id };
    } finally {
      remote.close();
    }
  }

  async prepareSnapshot(host: FleetHost, role: FleetRole, signal: AbortSignal): Promise<{ version: string }> {
    const remote = await this.connect(host, signal);
    try {
      const plan = snapshotPlanOf(host, role, this.options.plans);
      await this.converge(remote, host.name, { tasks: SNAPSHOT, plan, mode: "apply", signal });
      return { version: plan.release.id };
    } finally {
      remote.close();
    }
  }

  async rotateHostKey(host: FleetHost, pair: SshKeyPair, signal: AbortSignal): Promise<void> {
    const remote = await this.connect(host, signal);
    try {
      await remote.write(
        HOST_KEY,
        pair.privateKey.endsWith("\n") ? pair.privateKey : `${pair.privateKey}\n`,
        "600",
      );
      await remote.write(`${HOST_KEY}.pub`, `${pair.publicKey}\n`);
      await remote.output("PATH=$PATH:/usr/sbin:/sbin; sshd -t && systemctl reload ssh");
    } finally {
      remote.close();
    }
  }

  async abandon(host: FleetHost, signal: AbortSignal): Promise<void> {
    const remote = await RemoteHost.connect(this.loginOf(host), signal);
    try {
      await remote.run(
        "systemctl disable --now sluice-address; systemctl disable --now sluice; [ ! -x /usr/local/bin/sluice ] || /usr/local/bin/sluice down",
      );
      await remote.run("docker swarm leave --force");
      await remote.run("systemctl disable sluice-firewall; nft delete table inet sluice");
    } finally {
      remote.close();
    }
  }

  private async converge(
    remote: RemoteHost,
    logAs: string,
    what: Pick<ConvergeOptions, "tasks" | "plan" | "mode" | "signal">,
  ): Promise<void> {
    const { log, clock } = this.options;
    // One line after the other, in their order.
    let logged: Promise<void> = Promise.resolve();
    const write = (line: FleetLogLine): void => {
      logged = logged.then(async () => log.add(logAs, line)).catch(() => undefined);
    };
    const onProgress = (progress: TaskProgress): void => {
      const line = progressLine(progress);
      if (line !== undefined) write(line);
    };
    try {
      const { ok, changed, seconds } = await convergeHost(remote, { ...what, onProgress, clock });
      const verb = what.mode === "apply" ? "changed" : "would change";
      write({ kind: "task", text: `${ok} ok, ${changed} ${verb}, in ${seconds.toFixed(1)} s` });
    } finally {
      await logged;
    }
  }

  /** Waits for a droplet that boots; one that was ready did. */
  private async connect(host: FleetHost, signal: AbortSignal): Promise<RemoteHost> {
    const { clock } = this.options;
    const beganAt = clock.now();
    let otherKeySince: number | undefined;
    for (;;) {
      try {
        return await RemoteHost.connect(this.loginOf(host), signal);
      } catch (error) {
        const now = clock.now();
        if (isAppError(error, "host-key-changed")) otherKeySince ??= now;
        const isOver = now - beganAt > BOOT_TIMEOUT_MS || now - (otherKeySince ?? now) > KEYS_TIMEOUT_MS;
        if (host.droplet === undefined || host.phase === "ready" || signal.aborted) throw error;
        if (isOver) throw neverReached(host, error) ?? error;
        await clock.sleep(RETRY_MS, signal);
      }
    }
  }

  private loginOf({ name, address, port, user, sealedIdentity, hostKey, nextHostKey }: FleetHost): SshLogin {
    const { key, box } = this.options;
    if (address === undefined) throw new Error(`${name} has no address`);
    const identity = sealedIdentity === undefined ? [] : [openIdentity(sealedIdentity, address, box)];
    return {
      ...{ host: name, address, port, user },
      privateKeys: [key.privateKey, ...identity],
      hostKeys: [hostKey, nextHostKey].filter((line) => line !== undefined),
    };
  }
}

/** For a droplet that has no network. One that was configured before may be back later. */
function neverReached({ name, address = "", machineId }: FleetHost, error: unknown): AppError | undefined {
  if (machineId !== undefined || !isAppError(error, "host-unreachable")) return undefined;
  const values = { host: name, address, seconds: BOOT_TIMEOUT_MS / 1000 };
  return new AppError("droplet-unreachable", values, { cause: error });
}
