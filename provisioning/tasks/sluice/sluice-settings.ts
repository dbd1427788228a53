import { fileTask } from "../file-task.js";
import { DEADLINE_MS, type Task } from "../task.js";

export const HOME = "/var/lib/sluice";
const SETTINGS = `${HOME}/sluice.yml`;

/** sluice.yml of a server: from the first day on it is its owner's. */
export const firstSettings: Task = {
  name: "Sluice's settings",
  deadlineMs: DEADLINE_MS.quick,
  check: async (host) => ((await host.read(SETTINGS)) === undefined ? [`there is no ${SETTINGS}`] : []),
  apply: async (host, { settings }) => host.write(SETTINGS, settings, "600"),
};

/** sluice.yml, and the files that it names. `sluice.service` is restarted by its own task. */
export const sluiceSettings = fileTask({
  name: "Sluice's settings",
  mode: "600",
  files: ({ settings, files }) => [{ path: SETTINGS, text: settings }, ...files],
});
