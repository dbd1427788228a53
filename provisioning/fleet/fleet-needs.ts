import type { Clock } from "../../core/clock.js";
import type { Log } from "../../core/log.js";
import type { FleetHosts } from "../../core/records/fleet/fleet-hosts.js";
import type { FleetLog } from "../../core/records/fleet/fleet-log.js";
import type { FleetHost, FleetRole } from "../../core/records/fleet/fleet-host.js";
import type { RedisPlaces } from "../../core/redis/replicas/redis-places.js";
import type { SecretBox } from "../../core/secrets.js";
import type { FleetSettings } from "../../core/settings/fleet-settings.js";
import type { SshKeyPair } from "../../core/ssh-key-pair.js";
import type { Droplets } from "./droplets/droplets.js";
import type { Snapshots } from "./droplets/snapshots.js";
import type { Peers } from "./peers.js";

/** A host as the engine knows it, whose instances it runs. */
export interface EngineHost {
  /** The engine's own. */
  readonly id: string;
  /** From which it has joined, as the engine saw it. */
  readonly address: string;
  /** What it is labelled for; none where it is for all. */
  readonly roles: readonly string[];
  readonly isServer: boolean;
  readonly state: "ready" | "down" | "unknown";
  /** Whether it takes no more instances, and those that it has are moved to others. */
  readonly draining: boolean;
  /** Ids of the instances that run there, or that it has not let go. */
  readonly instances: readonly string[];
}

/** What the hosts join to run instances. Each method can be called again with the same effect, and throws `engine-unavailable`. */
export interface FleetEngine {
  list(): Promise<EngineHost[]>;
  joinToken(): Promise<{ readonly token: string; readonly manager: string }>;
  labelRoles(id: string, roles: readonly string[]): Promise<void>;
  setDraining(id: string, draining: boolean): Promise<void>;
  /** Forgets a host that runs nothing, or is down. */
  remove(id: string): Promise<void>;
}

/** What a host needs to reach Sluice's Redis. */
export interface RedisAccess {
  /** With its password. */
  readonly url: string;
  /** Certificate (PEM) of who vouches for the server; empty for a public authority. */
  readonly ca: string;
  /** Where Redis is, and its replicas; undefined where that is its owner's affair. */
  readonly places: RedisPlaces | undefined;
  /** What makes a host's Redis a replica; undefined for one without that role. */
  readonly replica: ReplicaAccess | undefined;
}

/** What a replica needs, beside a user of its primary. */
export interface ReplicaAccess {
  readonly password: string;
  /** SHA-256 of the server's password there, hexadecimal. */
  readonly serverPasswordHash: string;
  /** PEM: by which other hosts know it. */
  readonly certificate: string;
  readonly key: string;
}

/** How a host reaches Sluice's Redis, with the rights that its roles need. */
export interface HostAccess {
  /** Whether there can be replicas: it is Sluice's own Redis. */
  readonly canReplicate: boolean;
  give(
    host: { readonly name: string; readonly roles: readonly FleetRole[]; readonly address: string },
    replicas: RedisPlaces["replicas"],
  ): Promise<RedisAccess>;
  /** Whether both Redis of the host at this address have all that the server's have. */
  isReplicaInSync(address: string): Promise<boolean>;
  /** Keeps for the server's next start where the replicas are. */
  noteReplicas(replicas: RedisPlaces["replicas"]): Promise<void>;
  /** Its connections end. */
  take(host: string): Promise<void>;
}

/** What the rest of Sluice knows of a host that runs some of its roles. */
export interface HostReports {
  /** Whether its monitor has reported since, and its proxy follows if it has one. `since`: ms since 1970. */
  hasJoined(host: string, roles: readonly FleetRole[], since: number): Promise<boolean>;
  /** Whether its proxy has reported lately that it follows the routes. */
  isFollowing(host: string): Promise<boolean>;
  /** Whether its proxy or its monitor has reported lately. */
  isReporting(host: string): Promise<boolean>;
  /** Nobody waits for it any more, and its figures are removed. */
  forget(host: string): Promise<void>;
}

/** Configures hosts over SSH. */
export interface HostSetup {
  /** Logs in, and changes nothing. Throws why it cannot. */
  meet(
    host: FleetHost,
    signal: AbortSignal,
  ): Promise<{ readonly hostname: string; readonly machineId: string; readonly hostKey: string }>;
  /** Whether it answers over SSH, with whatever. Changes nothing. */
  answers(host: FleetHost, signal: AbortSignal): Promise<boolean>;
  /** Makes it what its roles need. Resolves with what was learnt of it. Throws what a task of it, or the connection, failed with. */
  configure(
    host: FleetHost,
    options: HostSetupOptions,
  ): Promise<Pick<FleetHost, "hostKey" | "machineId" | "node" | "privateAddress" | "version">>;
  /** Gives it what every host of a role has, without secrets and what makes a machine one of its own. Nobody can log in then. */
  prepareSnapshot(host: FleetHost, role: FleetRole, signal: AbortSignal): Promise<Pick<FleetHost, "version">>;
  /** Replaces the key pair that made its first contact safe, and was readable on it. */
  rotateHostKey(host: FleetHost, pair: SshKeyPair, signal: AbortSignal): Promise<void>;
  /** Stops Sluice there and leaves the Swarm. */
  abandon(host: FleetHost, signal: AbortSignal): Promise<void>;
}

export interface HostSetupOptions {
  readonly mode: "apply" | "dry-run";
  readonly peers: Peers;
  readonly signal: AbortSignal;
  /** In whose log the lines are; the host's own by default. */
  readonly logAs?: string;
}

export interface FleetNeeds {
  readonly hosts: FleetHosts;
  readonly log: FleetLog;
  readonly settings: FleetSettings;
  /** For messages. */
  readonly settingsFile: string;
  readonly engine: FleetEngine;
  readonly access: HostAccess;
  readonly reports: HostReports;
  readonly setup: HostSetup;
  /** Undefined without a token of DigitalOcean. */
  readonly droplets: Droplets | undefined;
  /** Undefined without a token of DigitalOcean. */
  readonly snapshots: Snapshots | undefined;
  /** Id of the Sluice that hosts get. */
  readonly release: string;
  /** Sluice's own, by which it reaches the hosts. */
  readonly key: SshKeyPair;
  /** By which marks and tags of this installation are known. */
  readonly installation: string;
  readonly box: SecretBox;
  readonly clock: Clock;
  readonly serverLog: Log;
}
