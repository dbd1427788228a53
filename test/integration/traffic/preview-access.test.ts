import { expect } from "chai";
import { eventually } from "../../support/eventually.js";
import type { TestClone } from "../../support/git/test-clone.js";
import { tinyApp } from "../../support/git/tiny-app.js";
import { ask } from "../../support/network/ask.js";
import { TestSluice } from "../../support/running/test-sluice.js";

describe("access to previews", function () {
  this.timeout(60_000);
  let sluice: TestSluice;
  let clone: TestClone;
  before(async () => {
    sluice = await TestSluice.start();
    clone = await sluice.clone("shop", tinyApp());
    await clone.mustPush();
  });
  after(async () => sluice.dispose());

  const statusOf = async (host: string, password?: string, localAddress = "127.0.0.1"): Promise<number> => {
    const given = `Basic ${Buffer.from(`ann:${password ?? ""}`).toString("base64")}`;
    const headers = {
      host: `${host}.localhost`,
      ...(password === undefined ? {} : { authorization: given }),
    };
    return (await ask(`127.0.0.1:${sluice.httpPort}`, { headers, localAddress })).status;
  };
  const gets = async (status: number, ...args: Parameters<typeof statusOf>): Promise<void> => {
    await eventually(`${args[0]} gets ${status}`, async () => (await statusOf(...args)) === status, 3000);
  };
  const config = async (...args: string[]): Promise<void> => {
    const { status, stderr } = await sluice.cli("config", "shop", ...args);
    expect(status, stderr).to.equal(0);
  };
  const declare = async (settings: object): Promise<void> => {
    await clone.commit({ "app.json": JSON.stringify({ sluice: settings }) });
    await clone.mustPush();
  };

  it("needs the password from the moment that it is set, until it is unset; production never", async () => {
    await clone.mustPush("HEAD:refs/heads/feature");
    await gets(200, "feature.shop");
    await config("PREVIEW_PASSWORD=a-long-one");
    await gets(401, "feature.shop");
    await gets(401, "v1.shop");
    expect(await statusOf("feature.shop", "a-long-one")).to.equal(200);
    expect(await statusOf("feature.shop", "wrong")).to.equal(401);
    expect(await statusOf("shop")).to.equal(200);
    await config("PREVIEW_PASSWORD=another-one");
    await gets(401, "feature.shop", "a-long-one");
    await gets(200, "feature.shop", "another-one");
    await config("--unset", "PREVIEW_PASSWORD");
    await gets(200, "feature.shop");
  });

  it("needs it from the first moment of a new app, and the route table does not know it", async () => {
    const set = await sluice.cli("config", "secret", "PREVIEW_PASSWORD=a-long-one");
    expect(set.status, set.stderr).to.equal(0);
    const other = await sluice.clone("secret", tinyApp());
    await other.mustPush("HEAD:refs/heads/feature");
    expect(await statusOf("feature.secret")).to.equal(401);
    expect(await statusOf("feature.secret", "a-long-one")).to.equal(200);
    const connection = await sluice.redis();
    const table = await connection.redis.hget("sluice:routes", "secret");
    connection.close();
    expect(table).to.include("previewPassword").and.not.include("a-long-one");
  });

  it("follows a password that app.json has generated", async () => {
    const app = await sluice.clone(
      "generated",
      tinyApp({ "app.json": '{"env": {"PREVIEW_PASSWORD": {"generator": "secret"}}}' }),
    );
    await app.mustPush();
    expect(await statusOf("v1.generated")).to.equal(401);
    const { stdout } = await sluice.cli("config", "generated");
    expect(await statusOf("v1.generated", /PREVIEW_PASSWORD=(\S+)/.exec(stdout)?.[1])).to.equal(200);
  });

  it("is for the addresses that production's app.json names, of previews or of all", async () => {
    await declare({ previews: { allowAddresses: ["127.0.0.2"] } });
    await gets(403, "feature.shop");
    expect(await statusOf("feature.shop", undefined, "127.0.0.2")).to.equal(200);
    expect(await statusOf("shop")).to.equal(200);
    await declare({ allowAddresses: ["127.0.0.0/30"], previews: { allowAddresses: ["127.0.0.64/26"] } });
    await gets(403, "shop", undefined, "127.0.0.64");
    expect(await statusOf("shop")).to.equal(200);
    expect(await statusOf("feature.shop", undefined, "127.0.0.65")).to.equal(200);
    expect(await statusOf("feature.shop")).to.equal(403);
    await declare({});
    await gets(200, "feature.shop");
  });

  it("is limited by app.json too, for all visitors of the app", async () => {
    await declare({ limits: { requestsPerMinute: 2, bodyMegabytes: 1 } });
    const from = "127.0.0.9";
    await eventually("it is limited", async () => (await statusOf("shop", undefined, from)) === 429, 3000);
    expect(await statusOf("feature.shop", undefined, from)).to.equal(429);
    expect(await statusOf("feature.shop", undefined, "127.0.0.10")).to.equal(200);
    const body = { host: "shop.localhost", "content-length": "2000000", expect: "100-continue" };
    const question = { method: "POST", headers: body, localAddress: "127.0.0.11" };
    expect((await ask(`127.0.0.1:${sluice.httpPort}`, question)).status).to.equal(413);
    await declare({});
    await gets(200, "shop", undefined, from);
  });

  it("is refused with a word of what is wrong in app.json", async () => {
    await clone.commit({
      "app.json": '{"sluice": {"allowAddresses": ["example.com"], "limits": {"request": 1}}}',
    });
    const { status, output } = await clone.push();
    expect(status).to.equal(1);
    expect(output)
      .to.include("sluice.allowAddresses.0: must be an address or a network")
      .and.include("sluice.limits.request: unknown key");
  });
});
