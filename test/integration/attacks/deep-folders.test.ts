import { expect } from "chai";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { DEEP_FOLDERS_BUILD } from "../../fixtures/attacks/deep-folders.js";
import { eventually } from "../../support/eventually.js";
import { tinyApp } from "../../support/git/tiny-app.js";
import { TestSluice } from "../../support/running/test-sluice.js";

describe("an app whose build makes folders too deep for a path", function () {
  this.timeout(60_000);
  let sluice: TestSluice;

  before(async () => {
    sluice = await TestSluice.start({ settings: { limits: { keepReleases: 1 } } });
  });
  after(async () => sluice.dispose());

  it("is pruned and destroyed like any other", async () => {
    const standby = { "app.json": `{"sluice": {"standbySeconds": 0}}` };
    const clone = await sluice.clone("deep", tinyApp({ ...DEEP_FOLDERS_BUILD, ...standby }));
    await clone.mustPush();
    for (const release of ["v2", "v3"]) {
      await clone.commit({ "note.txt": release });
      const { output } = await clone.mustPush();
      expect(output).not.to.match(/ENAMETOOLONG|too long/i);
    }
    const releases = join(sluice.home, "apps/deep/releases");
    await eventually("the old releases are removed", async () => {
      expect(await readdir(releases)).to.deep.equal(["v3"]);
      return true;
    });
    const { status, stderr } = await sluice.cli("destroy", "deep", "--yes");
    expect(status, stderr).to.equal(0);
    expect(await readdir(join(sluice.home, "apps"))).not.to.include("deep");
  });
});
