import { expect } from "chai";
import { randomBytes } from "node:crypto";
import type { Database } from "../../../../core/redis/database.js";
import { keys } from "../../../../core/redis/keys.js";
import { SecretBox } from "../../../../core/secrets.js";
import { WebhookStore } from "../../../../server/webhooks/webhook-store.js";
import { TestRedis } from "../../../support/redis/test-redis.js";

describe("the store of webhooks", () => {
  let server: TestRedis;
  let redis: Database;
  let store: WebhookStore;
  before(async () => {
    server = await TestRedis.start();
    redis = await server.connect();
  });
  beforeEach(async () => {
    await redis.flushall();
    store = new WebhookStore(redis, new SecretBox(randomBytes(32)));
  });
  after(async () => server.dispose());

  it("makes a secret and a key once, and keeps what was said before", async () => {
    const made = await store.change("shop", {});
    expect(made.secret).to.match(/^whsec_[A-Za-z0-9+/]{43}=$/);
    expect(made.publicKey).to.match(/^ssh-ed25519 .* sluice-shop$/m);
    const source = "https://user:hidden@example.com/shop.git";
    await store.change("shop", { source, statusToken: "a token" });
    const changed = await store.change("shop", { branches: ["master"] });
    expect(changed).to.deep.equal({ ...made, source, statusToken: "a token", branches: ["master"] });
    expect(await store.find("shop")).to.deep.equal(changed);
    expect((await store.change("shop", { statusToken: "" })).statusToken).to.equal(undefined);
  });

  it("keeps in Redis nothing that could be used", async () => {
    const { secret, privateKey } = await store.change("shop", {
      source: "https://user:hidden@example.com/shop.git",
      statusToken: "a token",
    });
    const text = (await redis.hget(keys.webhooks, "shop")) ?? "";
    for (const word of [secret, privateKey, "hidden", "a token"]) expect(text).not.to.include(word);
  });

  it("loses no change when several come at once", async () => {
    await store.change("shop", {});
    await Promise.all([
      store.change("shop", { source: "https://example.com/shop.git" }),
      store.noteHost("shop", "github"),
      store.change("shop", { branches: ["master", "feature/*"] }),
      store.change("shop", { statusToken: "a token" }),
    ]);
    expect(await store.find("shop")).to.deep.include({
      source: "https://example.com/shop.git",
      host: "github",
      branches: ["master", "feature/*"],
      statusToken: "a token",
    });
  });

  it("does not bring back the webhook of an app that is gone", async () => {
    await store.noteHost("shop", "github");
    expect(await redis.hexists(keys.webhooks, "shop")).to.equal(0);
  });
});
