import { expect } from "chai";
import type { TestClone } from "../../support/git/test-clone.js";
import { ask } from "../../support/network/ask.js";
import { eventually } from "../../support/eventually.js";
import { TestSluice } from "../../support/running/test-sluice.js";
import { tinyApp } from "../../support/git/tiny-app.js";

describe("an app's own domains", function () {
  this.timeout(60_000);
  let sluice: TestSluice;
  let clone: TestClone;
  before(async () => {
    sluice = await TestSluice.start();
    clone = await sluice.clone("shop", tinyApp());
    await clone.mustPush();
    await (await sluice.clone("bank", tinyApp())).mustPush();
  });
  after(async () => sluice.dispose());

  const asked = async (host: string): Promise<string | number> => {
    const { status, body } = await ask(`127.0.0.1:${sluice.httpPort}`, { headers: { host } });
    return status === 200 ? body : status;
  };
  const leads = async (host: string, to: string | number): Promise<void> => {
    await eventually(`${host} leads to ${to}`, async () => (await asked(host)) === to, 2000);
  };

  it("lead to it as soon as they are added, and until they are removed, without a reload", async () => {
    expect(await asked("www.example.test")).to.equal(404);
    expect(await sluice.says("domains", "shop", "add", "WWW.Example.test.", "www.münchen.test"))
      .to.include("www.example.test leads to shop.")
      .and.include("www.xn--mnchen-3ya.test leads to shop.");
    await leads("www.example.test", "v1 web.1");
    await leads("www.xn--mnchen-3ya.test:8080", "v1 web.1");
    expect(await sluice.says("domains", "shop")).to.match(/^www.example.test +shop /m);
    await sluice.says("domains", "shop", "remove", "www.xn--mnchen-3ya.test");
    await leads("www.xn--mnchen-3ya.test", 404);
  });

  it("stay over releases, and go with the app", async () => {
    await clone.commit({ "note.txt": "2" });
    await clone.mustPush();
    await leads("www.example.test", "v2 web.1");
    await sluice.says("domains", "bank", "add", "bank.test");
    await leads("bank.test", "v1 web.1");
    await sluice.says("destroy", "bank", "--yes");
    await leads("bank.test", 404);
    expect(await sluice.says("domains", "shop", "add", "bank.test")).to.include("leads to shop");
    await sluice.says("domains", "shop", "remove", "bank.test");
  });

  it("belong to one app: each name, and all that is below a wildcard", async () => {
    await (await sluice.clone("rival", tinyApp())).mustPush();
    await sluice.says("domains", "rival", "add", "a.rival.test");
    expect(await sluice.refuses("domains", "rival", "add", "www.example.test")).to.include(
      "www.example.test belongs to the app shop already.",
    );
    expect(await sluice.refuses("domains", "shop", "add", "*.rival.test")).to.include(
      "*.rival.test and a.rival.test, which belongs to the app rival, have names in common.",
    );
    await sluice.says("domains", "shop", "add", "*.shop.test");
    expect(await sluice.refuses("domains", "rival", "add", "x.shop.test")).to.include("have names in common");
    expect(await sluice.refuses("domains", "rival", "add", "*.shop.test")).to.include(
      "belongs to the app shop",
    );
    await sluice.says("domains", "rival", "add", "x.y.shop.test");
    const both = ["shop", "rival"].map(async (app) => sluice.cli("domains", app, "add", "race.test"));
    expect((await Promise.all(both)).map(({ status }) => status).sort()).to.deep.equal([0, 1]);
  });

  it("have previews and releases below a wildcard", async () => {
    await clone.mustPush("HEAD:refs/heads/feature");
    await leads("feature.shop.test", "v3 web.1");
    await leads("v2.shop.test", "v2 web.1");
    await leads("anything.shop.test", "v2 web.1");
    await leads("shop.test", 404);
  });

  it("can send visitors on to another one, which then cannot go", async () => {
    expect(
      await sluice.refuses("domains", "shop", "add", "old.test", "--redirect-to", "new.test"),
    ).to.include("shop does not have it");
    expect(
      await sluice.says("domains", "shop", "add", "example.test", "--redirect-to", "www.example.test"),
    ).to.include("example.test sends its visitors on to www.example.test.");
    await leads("example.test", 301);
    expect(await sluice.refuses("domains", "shop", "remove", "www.example.test")).to.include(
      "that is being removed",
    );
    await sluice.says("domains", "shop", "add", "example.test");
    await leads("example.test", "v2 web.1");
  });

  it("can stand in app.json: a release of production brings them, and takes away those that an earlier one had", async () => {
    const declared = async (domains: unknown): Promise<string> => {
      await clone.commit({ "app.json": JSON.stringify({ sluice: { domains } }) });
      const push = await clone.push();
      return push.status === 0 ? "" : push.output;
    };
    expect(await declared(["one.test", { name: "two.test", redirectTo: "one.test" }])).to.equal("");
    await leads("one.test", "v4 web.1");
    await leads("two.test", 301);
    expect(await declared(["one.test", "rival.localhost"])).to.include("below localhost");
    expect(await declared(["one.test", "a.rival.test"])).to.include("belongs to the app rival");
    expect(await declared(["one.test", "no domain"])).to.include('"no domain" is no domain');
    expect(await declared([{ name: "two.test", redirectTo: "gone.test" }])).to.include("does not have it");
    expect(await declared(["three.test"])).to.equal("");
    await leads("three.test", "v9 web.1");
    for (const gone of ["one.test", "two.test"]) await leads(gone, 404);
    // Of those that were given by command, none is touched; nor is any by a rollback.
    await leads("www.example.test", "v9 web.1");
    await sluice.says("rollback", "shop");
    await leads("three.test", "v4 web.1");
    await leads("one.test", 404);
  });

  it("are refused where they are none, or Sluice's own", async () => {
    for (const name of [
      "example",
      "127.0.0.1",
      "-a.test",
      "a..test",
      "*",
      "*.*.test",
      "a b.test",
      "a/b.test",
    ])
      expect(await sluice.refuses("domains", "shop", "add", "--", name), name).to.include("is no domain");
    expect(await sluice.refuses("domains", "shop", "add", "rival.localhost")).to.include("below localhost");
    expect(await sluice.refuses("domains", "shop", "remove", "gone.test")).to.include("is no domain of shop");
  });
});
