import type { DockerfileImages } from "../../../server/builds/dockerfile/dockerfile-images.js";
import type { ReleaseImages } from "../../../server/builds/image/release-images.js";
import type { EngineHosts } from "../../../server/engines/engine-hosts.js";
import type { Engine } from "../../../server/engines/engine.js";
import type { Tasks } from "../../../server/engines/tasks.js";
import type { InstanceLogs } from "../../../server/engines/instance-logs.js";
import type { FlagsListener } from "../../../server/assemble.js";
import type { Networks } from "../../../server/engines/runit/network/networks.js";
import type { Sandbox } from "../../../core/exec/sandbox/sandbox.js";
import type { RoleOptions } from "../roles/role.js";

export interface EngineOptions {
  readonly role: RoleOptions;
  readonly sandbox: Sandbox;
  /** Of the apps' Redis, as this machine reaches it. */
  readonly redisUrl: string;
}

/** What runs the instances, and how these find what Sluice offers them. */
export interface OpenedEngine {
  readonly engine: Engine;
  readonly logs: InstanceLogs;
  /** For tasks. */
  readonly networks: Networks | undefined;
  /** Of the apps' Redis, as instances reach it. */
  readonly redisUrl: string;
  readonly flags: FlagsListener | undefined;
  /** Where the engine has several. */
  readonly hosts?: EngineHosts;
  readonly images?: ReleaseImages;
  /** Of images, with the certificate (PEM) of who vouches for it; undefined for a public authority. */
  readonly registry?: { readonly address: string; readonly authority: string | undefined };
  readonly dockerfiles?: DockerfileImages;
  /** For what the engine's instances run from; undefined: trees alone. */
  readonly tasksOf?: (local: Tasks) => Tasks;
  /** Of earlier settings, if it still runs something. */
  readonly former?: Engine | undefined;
}
