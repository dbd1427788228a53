import { expect } from "chai";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { control, isSupervised } from "../../core/runsv.js";
import { expectAccepted } from "../support/accepted.js";
import { eventually } from "../support/eventually.js";
import { TestSluice } from "../support/test-sluice.js";
import { tinyApp } from "../support/tiny-app.js";

describe("a server that comes back where an app's instance hangs as it is started", function () {
  this.timeout(120_000);
  let sluice: TestSluice;
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "sluice-hangs-"));
    await chmod(folder, 0o755);
    // The real one, once nothing says any more that it should hang.
    const hangs = `case "$1" in */slow.v1.*) while [ -e ${folder}/hang ]; do sleep 0.1; done;; esac`;
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
    expect((await sluice.cli("status")).stdout).to.match(/^starting slow: /m);
    await isUp;
    expect(push.output()).not.to.include("Checkout");

    await rm(join(folder, "hang"));
    expectAccepted(await push.done);
    expect((await sluice.get("slow")).body).to.equal("v2 web.1");
    expect((await sluice.read<{ recovering: string[] }>("status")).recovering).to.deep.equal([]);
    expect(await sluice.instances()).to.include("slow.v1.web.1");
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
    await rm(join(folder, "hang"));
    await sluice.up();
    await eventually("it serves again", async () => (await sluice.get("slow")).body === "v2 web.1");
  });
});
