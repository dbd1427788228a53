import { rm } from "node:fs/promises";
import { Home } from "../../core/home.js";
import { parseInstanceId } from "../../core/instances/instance-id.js";
import { control, isSupervised } from "../../core/exec/runsv.js";
import { openLimiter } from "../../server/engines/runit/limits/limiter.js";
import { RunitEngine } from "../../server/engines/runit/runit-engine.js";
import { RunitLogs } from "../../server/engines/runit/runit-logs.js";
import { eventually } from "../../test/support/eventually.js";
import { testSandbox } from "../../test/support/running/test-sandbox.js";
import type { TestSluice } from "../../test/support/running/test-sluice.js";
import { fillerName } from "./filler-apps.js";

const MEGABYTES_EACH = 32;
/** How many are started or stopped side by side. */
const AT_ONCE = 8;
const STOP_TIMEOUT_MS = 30_000;

/**
 * Runs an instance of each of the first `count` filler apps as the server's own engine would: under a `runsv` with its log
 * and its limits. Each is a process that sleeps, the cheapest there is. Returns how to end them, which can be called again;
 * `onBegin` is told before the first one runs, for whoever is cut short.
 */
export async function runFillerInstances(
  sluice: TestSluice,
  count: number,
  onBegin: (end: () => Promise<void>) => void = () => undefined,
): Promise<() => Promise<void>> {
  const home = new Home(sluice.home);
  const path = process.env["PATH"] ?? "";
  const sandbox = await testSandbox(home);
  const engine = await RunitEngine.open({ home, ports: { first: 1, last: 1 }, logBytes: 1e6, path, sandbox });
  const logs = new RunitLogs(home);
  const ids = Array.from({ length: count }, (_, index) => `${fillerName(index + 1)}.v1.worker.1`);
  const starts: Promise<void>[] = [];
  let ending: Promise<void> | undefined;
  const start = async (id: string): Promise<void> => {
    if (ending !== undefined) return;
    await engine.start({
      ...{
        id,
        app: parseInstanceId(id)?.app ?? "",
        command: "exec sleep 1000000",
        artifact: { kind: "tree", folder: home.gitHome(), at: "/app" },
      },
      ...{
        env: { PATH: path },
        limits: { memoryMegabytes: MEGABYTES_EACH, processes: 64, scratchMegabytes: 1 },
        listen: "nothing",
      },
    });
  };
  const endAll = async (): Promise<void> => {
    await Promise.allSettled(starts);
    const limits = await openLimiter(home.root, "sluice");
    await inLines(ids, async (id) => {
      const folder = home.service(id);
      await control(folder, "x");
      await eventually("its runsv is gone", async () => !(await isSupervised(folder)), STOP_TIMEOUT_MS);
      await limits.remove(id);
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
      await logs.forget(id);
    });
  };
  const end = async (): Promise<void> => (ending ??= endAll());
  onBegin(end);
  starts.push(inLines(ids, start));
  await Promise.all(starts);
  return end;
}

async function inLines(ids: readonly string[], work: (id: string) => Promise<void>): Promise<void> {
  const left = [...ids];
  const line = async (): Promise<void> => {
    for (let id = left.pop(); id !== undefined; id = left.pop()) await work(id);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, line));
}
