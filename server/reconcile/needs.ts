import type { Engine } from "../engines/engine.js";
import type { PipelineNeeds } from "../pipeline/needs.js";
import type { DrainingInstances } from "../routes/draining-instances.js";
import type { RecoveringApps } from "../releases/recovering-apps.js";

/** It finishes what the pipeline began, and starts what should run. */
export interface ReconcileNeeds extends PipelineNeeds {
  readonly recovering: RecoveringApps;
  readonly former?: FormerEngine | undefined;
}

/** The engine of earlier settings, while it still runs instances: they serve until the present one has taken over. */
export interface FormerEngine {
  readonly engine: Engine;
  readonly leaving: DrainingInstances;
}
