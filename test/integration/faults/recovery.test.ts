import { expect } from "chai";
import { chmod, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { control, isSupervised } from "../../../core/exec/runsv.js";
import { CGROUPS, controlGroup } from "../../../core/instances/control-group.js";
import type { DeliveryAnswer } from "../../../core/api/apps/deliveries.js";
import type { WebhookAnswer } from "../../../core/api/apps/webhook.js";
import type { ReleaseSummary } from "../../../core/api/apps/releases.js";
import { expectAccepted } from "../../support/accepted.js";
import { eventually } from "../../support/eventually.js";
import { DELETED, deliver, TestForge } from "../../support/git/test-forge.js";
import { TestSluice } from "../../support/running/test-sluice.js";
import { tinyApp } from "../../support/git/tiny-app.js";

describe("a server that comes back where an app's instance hangs as it is started", function () {
  this.timeout(120_000);
  let sluice: TestSluice;
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "sluice-hangs-"));
    await chmod(folder, 0o755);
    // The real one, once nothing says any more that it should hang.
    const hangs = `case "$1" in */slow.v1.* | */asked.v1.*) while [ -e ${folder}/hang ]; do sleep 0.1; done;; esac`;
    const path = process.env["PATH"] ?? "";
    await writeFile(join(folder, "runsv"), `#!/bin/sh\n${hangs}\nPATH='${path}'\nexec runsv "$@"\n`, {
      mode: 0o755,
    });
    sluice = await TestSluice.start({ path: `${folder}:${path}` });
  });
  after(async () => {
    await rm(folder, { recursive: true, force: true });
    await sluice.dispose();
  });

  it("answers, takes the pushes of other apps, and those of this one when it is recovered", async () => {
    const slow = await sluice.clone("slow", tinyApp());
    await slow.mustPush();
    const quick = await sluice.clone("quick", tinyApp());
    await quick.mustPush();
    const broken = await sluice.clone("broken", tinyApp());
    await broken.mustPush();

    await sluice.kill();
    // As after a restart of the machine.
    for (const app of ["slow", "quick", "broken"]) {
      const service = join(sluice.home, "services", `${app}.v1.web.1`);
      await control(service, "x");
      await eventually("it has ended", async () => !(await isSupervised(service)));
    }
    await writeFile(join(folder, "hang"), "");
    await rm(join(sluice.home, "apps/broken/repo.git"), { recursive: true });
    const isUp = sluice.up();
    await eventually(
      "the control port answers",
      async () => (await sluice.control("/healthz")).status === 200,
      60_000,
    );
    await quick.commit({ note: "2" });
    await quick.mustPush();
    expect((await sluice.get("quick")).body).to.equal("v2 web.1");

    await slow.commit({ note: "2" });
    const push = slow.startPush();
    await eventually("it waits", () => push.output().includes("Waiting for the recovery of slow"));
    await eventually("it alone is not recovered", async () => {
      const { recovering } = await sluice.read<{ recovering: string[] }>("status");
      expect(recovering).to.deep.equal(["slow"]);
      return true;
    });
    expect((await sluice.cli("status")).stdout).to.match(/^recovering slow: /m);
    await isUp;
    expect(push.output()).not.to.include("Checkout");

    await rm(join(folder, "hang"));
    expectAccepted(await push.done);
    expect((await sluice.get("slow")).body).to.equal("v2 web.1");
    expect((await sluice.read<{ recovering: string[] }>("status")).recovering).to.deep.equal([]);
    expect(await sluice.instances()).to.include("slow.v1.web.1");
  });

  it("does what webhooks asked for, and ends what lost its branch, when the app is recovered", async () => {
    const host = await TestForge.start();
    try {
      const clone = await host.clone(tinyApp());
      const webhook = await sluice.json<WebhookAnswer>("webhook", "asked", "--source", host.fileUrl);
      const deliveries = async (): Promise<DeliveryAnswer[]> => sluice.read("apps/asked/deliveries");
      const ask = async (branch: string, commit: string): Promise<void> => {
        if (commit === DELETED) await clone.git("push", "sluice", "--delete", branch);
        else await host.moveBranch(clone, branch, commit);
        expect((await deliver(webhook, { branch, commit })).status).to.equal(202);
      };
      const allDone = async (): Promise<void> => {
        await eventually(
          "all is done",
          async () => (await deliveries()).every(({ state }) => state === "done"),
          60_000,
        );
      };
      const commit = await clone.git("rev-parse", "HEAD");
      await ask("master", commit);
      await allDone();
      await ask("feature", commit);
      await allDone();
      expect((await sluice.get("feature.asked")).body).to.equal("v2 web.1");

      await sluice.kill();
      const service = join(sluice.home, "services/asked.v1.web.1");
      await control(service, "x");
      await eventually("it has ended", async () => !(await isSupervised(service)));
      await writeFile(join(folder, "hang"), "");
      const isUp = sluice.up();
      await eventually(
        "the control port answers",
        async () => (await sluice.control("/healthz")).status === 200,
        60_000,
      );
      await ask("feature", DELETED);
      await ask("master", await clone.commit({ note: "2" }));
      await isUp;
      expect((await deliveries()).filter(({ state }) => state !== "done")).to.have.length(2);
      expect(
        (await sluice.read<ReleaseSummary[]>("apps/asked/releases")).map(({ release }) => release),
      ).to.deep.equal(["v2", "v1"]);

      await rm(join(folder, "hang"));
      await allDone();
      expect((await sluice.get("asked")).body).to.equal("v3 web.1");
      await eventually("the preview is gone", async () => (await sluice.get("feature.asked")).status === 404);
    } finally {
      await rm(join(folder, "hang"), { force: true });
      await host.dispose();
    }
  });

  it("can be stopped meanwhile", async () => {
    await sluice.kill();
    const service = join(sluice.home, "services/slow.v2.web.1");
    await control(service, "x");
    await eventually("it has ended", async () => !(await isSupervised(service)));
    await writeFile(join(folder, "hang"), "");
    const isUp = sluice.up();
    await eventually(
      "the control port answers",
      async () => (await sluice.control("/healthz")).status === 200,
      60_000,
    );
    expect((await sluice.cli("down")).status).to.equal(0);
    await isUp.catch(() => undefined);
    expect(await groupsOf(sluice.home)).to.deep.equal([]);
    await rm(join(folder, "hang"));
    await sluice.up();
    await eventually("it serves again", async () => (await sluice.get("slow")).body === "v2 web.1");
  });
});

/** The kernel's groups that a state folder has, for instances that do not run any more, too. */
async function groupsOf(home: string): Promise<string[]> {
  const folders = [CGROUPS, join(CGROUPS, "memory")].map((mount) => controlGroup(mount, "sluice", home, ""));
  const found = await Promise.all(
    folders.map(async (folder) => {
      const names = await readdir(dirname(folder)).catch(() => []);
      return names.filter((name) => name.endsWith(basename(folder)));
    }),
  );
  return found.flat();
}
