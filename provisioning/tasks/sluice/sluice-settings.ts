import { fileTask } from "../file-task.js";

export const HOME = "/var/lib/sluice";

/** sluice.yml, and the files that it names. `sluice.service` is restarted by its own task. */
export const sluiceSettings = fileTask({
  name: "Sluice's settings",
  mode: "600",
  files: ({ settings, files }) => [{ path: `${HOME}/sluice.yml`, text: settings }, ...files],
});
