import { expect } from "chai";
import { mkdir, readdir, readFile, rm, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { expectAccepted } from "../../support/accepted.js";
import { eventually } from "../../support/eventually.js";
import { startLoad } from "../../support/running/load.js";
import { TestSluice } from "../../support/running/test-sluice.js";
import { tinyApp } from "../../support/git/tiny-app.js";

describe("a proxy that serves, but cannot do what it is told", function () {
  this.timeout(120_000);
  let sluice: TestSluice;
  before(async () => (sluice = await TestSluice.start()));
  after(async () => sluice.dispose());

  it("is not taken for none: the push tells it, and the release that visitors are led to goes on", async () => {
    const clone = await sluice.clone("shop", tinyApp({ "app.json": '{"sluice": {"standbySeconds": 0}}' }));
    await clone.mustPush();
    const load = startLoad(sluice.httpPort, "shop");
    const blocked = await withFoldersAsFreeSlots(join(sluice.home, "haproxy/slots"));
    await clone.commit({ note: "2" });
    const push = await clone.push();
    expectAccepted(push);
    expect(push.output).to.match(/did not apply revision \d+ within 10 s/);
    expect((await sluice.get("shop")).body).to.equal("v1 web.1");
    expect(await sluice.instances()).to.have.members(["shop.v1.web.1", "shop.v2.web.1"]);
    for (const folder of blocked) await rmdir(folder);
    await eventually("v2 serves", async () => (await sluice.get("shop")).body === "v2 web.1");
    await eventually("v1 goes", async () => (await sluice.instances()).length === 1);
    expect((await load.stop()).failures).to.deep.equal([]);
  });
});

/** What the next release's servers are to be written to cannot be written. */
async function withFoldersAsFreeSlots(slots: string): Promise<string[]> {
  const blocked: string[] = [];
  for (const name of await readdir(slots)) {
    const path = join(slots, name);
    if (/127\.0\.0\.1:(?!1\b)\d/.test(await readFile(path, "utf8"))) continue;
    await rm(path);
    await mkdir(path);
    blocked.push(path);
  }
  return blocked;
}
