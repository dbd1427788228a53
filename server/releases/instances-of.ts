import { instanceId, instanceName } from "../../core/instances/instance-id.js";
import { indicesOf } from "../../core/records/releases/process-indices.js";
import { releaseName } from "../../core/names.js";
import type { ReleaseRecord } from "../../core/records/releases/release-record.js";

/** The instances that a release should have, running or not, with their names for people (`v42 web.1`). */
export function instancesOf({
  app,
  number,
  processes,
}: Pick<ReleaseRecord, "app" | "number" | "processes">): { id: string; from: string }[] {
  return processes.flatMap((process) =>
    indicesOf(process).map((index) => {
      const one = { app, release: number, process: process.name, index };
      return { id: instanceId(one), from: `${releaseName(number)} ${instanceName(one)}` };
    }),
  );
}
