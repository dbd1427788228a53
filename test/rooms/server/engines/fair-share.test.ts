import { expect } from "chai";
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { startDetached } from "../../../../core/exec/start-detached.js";
import { openLimiter, type Limiter } from "../../../../server/engines/runit/limits/limiter.js";
import { eventually } from "../../../support/eventually.js";

const SPIN = "exec perl -e 'for (;;) {}'";
const SESSIONS = 30;
const MEASURED_MS = 1000;

/** The kernel may share the processors between sessions first (sched(7), autogroup): an app that makes many must not gain. */
describe("the processors", function () {
  this.timeout(60_000);
  const ids = ["crowd", "loner"] as const;
  let limiter: Limiter;
  before(async function () {
    if (process.getuid?.() !== 0) this.skip();
    limiter = await openLimiter(`/test-${randomBytes(6).toString("hex")}`, "sluice");
    // Where there are no control groups, a machine's administrator was told so.
    if ((await limiter.processes("loner")) === undefined) this.skip();
  });
  afterEach(async () => Promise.all(ids.map(async (id) => limiter.remove(id))));

  const start = async (id: string, script: string): Promise<void> => {
    const lines = await limiter.prepare(id, { memoryMegabytes: 256, processes: 100 });
    const argv = ["taskset", "--cpu-list", "0", "/bin/sh", "-c", [...lines, script].join("\n")] as const;
    await startDetached({ argv: [...argv], env: { PATH: process.env["PATH"] ?? "" } });
  };
  const usedMs = async (id: string): Promise<number> => {
    const times = ((await limiter.processes(id)) ?? []).map(async (pid) => {
      const schedstat = await readFile(`/proc/${pid}/schedstat`, "utf8").catch(() => "0");
      return Number(schedstat.split(" ")[0]) / 1e6;
    });
    return (await Promise.all(times)).reduce((total, ms) => total + ms, 0);
  };

  it("are shared between two instances alike, however many sessions one of them makes", async () => {
    const crowd = `for _ in $(seq ${SESSIONS}); do setsid /bin/sh -c "${SPIN}" & done; wait`;
    await start("crowd", crowd);
    await eventually(
      "the crowd is complete",
      async () => ((await limiter.processes("crowd")) ?? []).length > SESSIONS,
    );
    await start("loner", SPIN);
    await eventually("the loner has begun", async () => (await usedMs("loner")) > 0);
    const [crowdBefore, lonerBefore] = [await usedMs("crowd"), await usedMs("loner")];
    const share = await eventually(
      "both have worked",
      async () => {
        const [crowdMs, lonerMs] = [
          (await usedMs("crowd")) - crowdBefore,
          (await usedMs("loner")) - lonerBefore,
        ];
        return crowdMs + lonerMs > MEASURED_MS && lonerMs / (crowdMs + lonerMs);
      },
      30_000,
    );
    expect(share).to.be.above(0.3);
  });
});
