import { expect } from "chai";
import { expectAccepted } from "../../support/accepted.js";
import type { TestClone } from "../../support/git/test-clone.js";
import { TestSluice } from "../../support/running/test-sluice.js";
import { tinyApp } from "../../support/git/tiny-app.js";

describe("the name of a preview", function () {
  this.timeout(60_000);
  let sluice: TestSluice;
  let clone: TestClone;
  before(async () => {
    sluice = await TestSluice.start();
    clone = await sluice.clone("shop", tinyApp());
  });
  after(async () => sluice.dispose());

  const pushed = async (branch: string): Promise<string> => {
    const push = await clone.push(`HEAD:refs/heads/${branch}`);
    expectAccepted(push);
    return /^-----> Live: http:\/\/([^.]+)\.shop\./m.exec(push.output)?.[1] ?? push.output;
  };

  it("is its branch made DNS-safe, which a declined branch does not keep from it", async () => {
    const good = await clone.git("rev-parse", "HEAD");
    await clone.commit({ "server.js": "process.exit(7)" });
    expect((await clone.push("HEAD:refs/heads/feature.one")).status).not.to.equal(0);
    await clone.git("reset", "--quiet", "--hard", good);
    expect(await pushed("feature/one")).to.equal("feature-one");
    expect((await sluice.get("feature-one.shop")).status).to.equal(200);
  });

  it("has a suffix for the branch that came later, and is free when the first is deleted", async () => {
    const second = await pushed("Feature_One");
    expect(second).to.match(/^feature-one-[0-9a-f]{6}$/);
    await clone.mustPush(":refs/heads/feature/one");
    expect((await sluice.get("feature-one.shop")).status).to.equal(404);
    expect((await sluice.get(`${second}.shop`)).status).to.equal(200);
    expect(await pushed("feature-one")).to.equal("feature-one");
    await clone.commit({ "note.txt": "2" });
    expect(await pushed("Feature_One")).to.equal(second);
  });
});
