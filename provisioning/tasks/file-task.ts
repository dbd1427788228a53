import { DEADLINE_MS, type Task } from "./task.js";
import type { HostPlan, PlannedFile } from "./host-plan.js";
import type { RemoteHost } from "../ssh/remote-host.js";

export interface FileTaskOptions {
  readonly name: string;
  readonly files: (plan: HostPlan) => readonly PlannedFile[];
  /** chmod(1)'s. */
  readonly mode: string;
  /** A script that is run after a change. */
  readonly after?: string;
}

/** Files whose whole content is given. A difference names the file only, since there may be secrets in it. */
export function fileTask({ name, files, mode, after }: FileTaskOptions): Task {
  const differing = async (host: RemoteHost, plan: HostPlan): Promise<PlannedFile[]> => {
    const found: PlannedFile[] = [];
    for (const file of files(plan)) if ((await host.read(file.path)) !== file.text) found.push(file);
    return found;
  };
  return {
    name,
    deadlineMs: DEADLINE_MS.quick,
    check: async (host, plan) => (await differing(host, plan)).map(({ path }) => `${path} differs`),
    apply: async (host, plan) => {
      for (const { path, text } of await differing(host, plan)) await host.write(path, text, mode);
      if (after !== undefined) await host.output(after);
    },
  };
}
