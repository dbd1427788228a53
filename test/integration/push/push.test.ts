import { expect } from "chai";
import { eventually } from "../../support/eventually.js";
import { TestSluice } from "../../support/running/test-sluice.js";
import { tinyApp } from "../../support/git/tiny-app.js";

describe("git push", function () {
  this.timeout(60_000);
  let sluice: TestSluice;
  before(async () => (sluice = await TestSluice.start()));
  after(async () => sluice.dispose());

  it("makes the app, takes its first release live and says where", async () => {
    const clone = await sluice.clone("first", tinyApp());
    const push = await clone.push();
    expect(push.output).to.match(/-----> Live: http:\/\/first\.localhost:\d+ \(v1, [\d.]+ s\)/);
    expect(push.status).to.equal(0);
    const answer = await sluice.get("first");
    expect(answer).to.include({ status: 200, body: "v1 web.1" });
    expect(answer.headers).to.include({ "sluice-release": "v1", "sluice-track": "production" });
  });

  it("replaces a release by the next, and removes the old one by itself when its standby is over", async () => {
    const clone = await sluice.clone("second", tinyApp({ "app.json": '{"sluice": {"standbySeconds": 0}}' }));
    await clone.mustPush();
    await clone.commit({ "note.txt": "2" });
    const push = await clone.push();
    expect(push.status).to.equal(0);
    expect((await sluice.get("second")).body).to.equal("v2 web.1");
    await eventually("v1 is gone", async () => !(await sluice.instances()).includes("second.v1.web.1"));
    expect((await sluice.get("v1.second")).status).to.equal(404);
    expect((await sluice.get("second")).body).to.equal("v2 web.1");
  });
});
