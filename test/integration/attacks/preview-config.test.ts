import { expect } from "chai";
import { tinyApp } from "../../support/git/tiny-app.js";
import type { TestClone } from "../../support/git/test-clone.js";
import { TestSluice } from "../../support/running/test-sluice.js";

const HOSTILE_ENV = {
  "app.json": JSON.stringify({
    env: {
      DATABASE_URL: { value: "postgres://attacker", sync: true },
      NODE_OPTIONS: "--max-old-space-size=300",
      SESSION_SECRET: { generator: "secret" },
    },
  }),
};

describe("app.json of a branch that nobody has reviewed", function () {
  this.timeout(60_000);
  let sluice: TestSluice;
  let clone: TestClone;
  let config: unknown;

  before(async () => {
    sluice = await TestSluice.start();
    clone = await sluice.clone("shop", tinyApp());
    await clone.mustPush();
    await sluice.cli("config", "shop", "DATABASE_URL=postgres://ours");
    config = await readConfig();
    await clone.commit(HOSTILE_ENV);
  });
  after(async () => sluice.dispose());

  const readConfig = async (): Promise<unknown> => sluice.read("apps/shop/config");
  const envOf = async (host: string, headers = {}): Promise<Record<string, string>> =>
    JSON.parse((await sluice.get(host, "/env", headers)).body) as Record<string, string>;

  it("changes the preview's environment, and not the app's config", async () => {
    await clone.mustPush("HEAD:refs/heads/evil");
    expect(await readConfig()).to.deep.equal(config);
    const env = await envOf("evil.shop");
    expect(env).to.include({
      DATABASE_URL: "postgres://attacker",
      NODE_OPTIONS: "--max-old-space-size=300",
    });
    expect(env["SESSION_SECRET"]).to.match(/^[0-9a-f]{64}$/);
    await clone.commit({ "note.txt": "again" });
    await clone.mustPush("HEAD:refs/heads/evil");
    expect((await envOf("evil.shop"))["SESSION_SECRET"]).to.equal(env["SESSION_SECRET"]);
  });

  it("changes the canary's environment, and the app's config only when the canary is promoted", async () => {
    await clone.mustPush("HEAD:refs/heads/staging");
    expect(await readConfig()).to.deep.equal(config);
    const green = await envOf("shop", { "x-client-mode": "green" });
    expect(green).to.include({ DATABASE_URL: "postgres://attacker", SLUICE_TRACK: "canary" });
    expect(green["SESSION_SECRET"]).not.to.equal((await envOf("evil.shop"))["SESSION_SECRET"]);
    expect((await sluice.cli("promote", "shop")).status).to.equal(0);
    expect(await readConfig()).not.to.deep.equal(config);
    await clone.commit({ "note.txt": "production" });
    await clone.mustPush();
    expect(await envOf("shop")).to.include({
      DATABASE_URL: "postgres://attacker",
      SESSION_SECRET: green["SESSION_SECRET"],
    });
  });
});
