import type { Clock } from "../../core/clock.js";
import type { Log } from "../../core/log.js";
import type { Settings } from "../../core/settings/settings.js";
import type { DockerfileImages } from "../builds/dockerfile/dockerfile-images.js";
import type { ReleaseImages } from "../builds/image/release-images.js";
import type { AppRemovals } from "../apps/app-removals.js";
import type { Engine } from "../engines/engine.js";
import type { InstanceLogs } from "../engines/instance-logs.js";
import type { Tasks } from "../engines/tasks.js";
import type { Machine } from "../machine.js";
import type { ReleaseTurns } from "../releases/release-turns.js";
import type { DrainingInstances } from "../routes/draining-instances.js";
import type { Stores } from "../stores.js";

/** What releases are made with. */
export interface PipelineNeeds extends Machine, Stores {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly log: Log;
  readonly engine: Engine;
  readonly logs: InstanceLogs;
  readonly tasks: Tasks;
  /** Where the engine has several hosts. */
  readonly images?: ReleaseImages | undefined;
  readonly dockerfiles?: DockerfileImages | undefined;
  readonly leaving: DrainingInstances;
  readonly turns: ReleaseTurns;
  readonly removals: AppRemovals;
}
