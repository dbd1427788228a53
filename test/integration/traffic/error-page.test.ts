import { expect } from "chai";
import { eventually } from "../../support/eventually.js";
import type { TestClone } from "../../support/git/test-clone.js";
import { tinyApp } from "../../support/git/tiny-app.js";
import { TestSluice } from "../../support/running/test-sluice.js";

const BROWSER = { accept: "text/html" };
const PAGE = "<h1>Back soon</h1>";

describe("an app's own error page", function () {
  this.timeout(60_000);
  let sluice: TestSluice;
  let clone: TestClone;
  before(async () => {
    sluice = await TestSluice.start();
    clone = await sluice.clone("shop", tinyApp({ "errors/503.html": PAGE }));
    await clone.mustPush();
  });
  after(async () => sluice.dispose());

  const bodyOf = async (host = "shop"): Promise<string> => (await sluice.get(host, "/", BROWSER)).body;
  const kept = async (): Promise<number> => {
    const connection = await sluice.redis();
    const pages = await connection.redis.hlen("sluice:error-pages:shop");
    connection.close();
    return pages;
  };

  it("is shown while the app has no instance, at all of its hosts", async () => {
    expect(await bodyOf()).to.equal("v1 web.1");
    const { status, stderr } = await sluice.cli("scale", "shop", "web=0");
    expect(status, stderr).to.equal(0);
    await eventually("the page is shown", async () => (await bodyOf()).startsWith(PAGE), 5000);
    expect(await bodyOf("v1.shop")).to.include(PAGE);
    const plain = await sluice.get("shop");
    expect([plain.status, plain.headers["retry-after"]]).to.deep.equal([503, "5"]);
    expect(plain.body).to.include("no healthy instance");
  });

  it("follows the next release of production, not a preview, and leaves with one that has none", async () => {
    await clone.commit({ "errors/503.html": "<h1>Later</h1>" });
    await clone.mustPush("HEAD:refs/heads/feature");
    expect(await bodyOf()).to.include(PAGE);
    await clone.mustPush();
    await eventually("it is changed", async () => (await bodyOf()).startsWith("<h1>Later</h1>"), 5000);
    expect(await kept()).to.equal(2);
    await clone.commit({ "errors/503.html": "" });
    await clone.mustPush();
    await eventually("Sluice's is shown", async () => (await bodyOf()).includes("not available"), 5000);
  });

  it("declines a push where it is too large", async () => {
    await clone.commit({ "errors/503.html": "x".repeat(12 * 1024 + 1) });
    const { status, output } = await clone.push();
    expect(status).to.equal(1);
    expect(output).to.include("errors/503.html has 12289 bytes; the most is 12288.");
  });

  it("goes with the app", async () => {
    expect(await kept()).to.be.greaterThan(0);
    await sluice.cli("destroy", "shop", "--yes");
    expect(await kept()).to.equal(0);
  });
});
