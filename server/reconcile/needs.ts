import type { PipelineNeeds } from "../pipeline/needs.js";
import type { RecoveringApps } from "../releases/recovering-apps.js";

/** It finishes what the pipeline began, and starts what should run. */
export interface ReconcileNeeds extends PipelineNeeds {
  readonly recovering: RecoveringApps;
}
