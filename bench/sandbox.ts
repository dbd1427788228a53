import type { Bench } from "./bench.js";
import { measureInstanceStarts } from "./sandbox/instance-starts.js";
import { measureRequests } from "./sandbox/requests.js";
import { measureTasks } from "./sandbox/tasks.js";

export const sandbox: Bench = {
  name: "sandbox",
  title: "what the sandbox and its network cost",
  limitSeconds: 240,
  run: async (bench) => {
    if (process.getuid?.() !== 0) throw new Error("only root gives apps users and networks of their own");
    await measureTasks(bench);
    await measureInstanceStarts(bench);
    await measureRequests(bench);
  },
};
