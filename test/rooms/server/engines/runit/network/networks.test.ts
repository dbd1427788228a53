import { mkdtemp, rm } from "node:fs/promises";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../../../../../core/clock.js";
import { silentLog } from "../../../../../../core/log.js";
import { networkNames } from "../../../../../../server/engines/runit/network/network-plan.js";
import { Networks } from "../../../../../../server/engines/runit/network/networks.js";
import { eventually } from "../../../../../support/eventually.js";

/** As long as the making of one takes, at most. */
const LONGEST_MS = 100;
const STEP_MS = 10;

describe("the networks of a state folder", function () {
  this.timeout(60_000);
  let root: string;
  before(function () {
    if (process.getuid?.() !== 0) this.skip();
  });
  beforeEach(async () => (root = await mkdtemp(join(tmpdir(), "networks-"))));
  afterEach(async () => rm(root, { recursive: true, force: true }));

  it("are gone when they are removed, also one that is made at that moment, whenever that is", async () => {
    const of = { folder: join(root, "networks"), owner: root, path: process.env["PATH"] ?? "" };
    const { instances, tasks } = networkNames(root);
    for (let delayMs = 0; delayMs <= LONGEST_MS; delayMs += STEP_MS) {
      const more = { resolvConf: join(root, "resolv.conf"), offered: [], allowed: [], log: silentLog };
      const networks = await Networks.open({ ...of, ...more });
      const making = networks.ensure("app.v1.task", "task").catch(() => undefined);
      await systemClock.sleep(delayMs);
      await Networks.removeAll(of);
      await making;
      await networks.stop();
      // The kernel takes a cable away a moment after its namespace.
      await eventually(`nothing is left, after ${delayMs} ms`, () =>
        Object.keys(networkInterfaces()).every(
          (name) => !name.startsWith(instances) && !name.startsWith(tasks),
        ),
      );
    }
  });
});
