import type { FleetLogLine } from "../../core/records/fleet/fleet-log.js";
import type { TaskProgress } from "./converge-host.js";

/** What people read of it; undefined where there was nothing to do. */
export function progressLine({ task, state, text, seconds }: TaskProgress): FleetLogLine | undefined {
  const took = `${seconds.toFixed(1)} s`;
  switch (state) {
    case "ok":
      return undefined;
    case "changing":
      return { kind: "task", text: `${task}: ${text}` };
    case "telling":
      return { kind: "task", text: `${task}: ${text} …` };
    case "changed":
      return { kind: "task", text: `${task}: changed in ${took}` };
    case "would change":
      return { kind: "task", text: `${task} would be changed: ${text}` };
    case "failed":
      return { kind: "problem", text: `${task}: ${text}` };
  }
}
