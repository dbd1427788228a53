import { expect } from "chai";
import { readFile, rm } from "node:fs/promises";
import type { Redis } from "ioredis";
import { join } from "node:path";
import { hashToken } from "../../../core/secrets.js";
import type { TestClone } from "../../support/git/test-clone.js";
import { tinyApp } from "../../support/git/tiny-app.js";
import { newSshKeyPair } from "../../../core/ssh-key-pair.js";
import { TestSluice } from "../../support/running/test-sluice.js";

const TOKEN = "f".repeat(64);

/** As with a Redis of one's own that somebody else can write to. */
describe("somebody who can write to Sluice's Redis", function () {
  this.timeout(60_000);
  let sluice: TestSluice;
  let redis: Redis;
  let clone: TestClone;
  before(async () => {
    sluice = await TestSluice.start();
    ({ redis } = await sluice.redis());
    clone = await sluice.clone("shop", tinyApp());
    await clone.mustPush();
  });
  after(async () => {
    redis.disconnect();
    await sluice.dispose();
  });

  const answerTo = async (token: string): Promise<number> =>
    (await sluice.control("/api/apps", { authorization: `Bearer ${token}` })).status;
  const restart = async (): Promise<void> => {
    await sluice.kill();
    await sluice.up();
  };

  it("gets in with no token of his own, and keeps nobody else out", async () => {
    const [token = ""] = /[0-9a-f]{64}/.exec((await sluice.cli("tokens", "create", "ann")).stdout) ?? [];
    const record = { name: "me", hash: hashToken(TOKEN), createdAt: new Date().toISOString() };
    await redis.hset("sluice:tokens", "abcd", JSON.stringify(record));
    expect(await answerTo(TOKEN)).to.equal(401);
    expect(await answerTo(token)).to.equal(200);
    const { status, stderr } = await sluice.cli("tokens");
    expect(status).to.equal(1);
    expect(stderr).to.include("abcd of sluice:tokens in Redis was not written by this Sluice");
    // Nor with another's signature.
    const signed = Object.values(await redis.hgetall("sluice:tokens")).find((text) => text.includes('"mac"'));
    await redis.hset("sluice:tokens", "abcd", (signed ?? "").replace(hashToken(token), hashToken(TOKEN)));
    expect(await answerTo(TOKEN)).to.equal(401);
    await redis.hset("sluice:tokens", "abcd", signed ?? "");
    expect((await sluice.cli("tokens")).stderr).to.include("abcd of sluice:tokens");
    await redis.hdel("sluice:tokens", "abcd");
    expect((await sluice.cli("tokens")).status).to.equal(0);
  });

  it("nor with a key", async () => {
    const { publicKey } = newSshKeyPair("mallory");
    const record = { name: "mallory", publicKey, createdAt: new Date().toISOString() };
    await redis.hset("sluice:ssh-keys", "abcd", JSON.stringify(record));
    expect((await sluice.cli("keys")).stderr).to.include("abcd of sluice:ssh-keys");
    await redis.hdel("sluice:ssh-keys", "abcd");
  });

  it("runs nothing as another user, by a record without a signature or with a wrong one", async () => {
    const text = (await redis.hget("sluice:apps", "shop")) ?? "";
    const { mac, ...record } = JSON.parse(text) as { mac: string };
    for (const forged of [
      { ...record, uid: 0 },
      { ...record, uid: 0, mac },
    ]) {
      await redis.hset("sluice:apps", "shop", JSON.stringify(forged));
      await clone.commit({ note: String(Math.random()) });
      const { status, output } = await clone.push();
      expect(status).not.to.equal(0);
      expect(output).to.include("shop of sluice:apps in Redis was not written by this Sluice");
    }
    await redis.hset("sluice:apps", "shop", text);
    await clone.mustPush();
  });

  it("gets none signed by making a server start again", async () => {
    const text = (await redis.hget("sluice:apps", "shop")) ?? "";
    const record = JSON.parse(text) as { mac?: string };
    delete record.mac;
    await redis.hset("sluice:apps", "shop", JSON.stringify(record));
    await restart();
    expect(await redis.hget("sluice:apps", "shop")).to.equal(JSON.stringify(record));
    await redis.hset("sluice:apps", "shop", text);
  });

  it("what an earlier version has written is signed, once", async () => {
    await redis.hset(
      "sluice:tokens",
      "abcd",
      JSON.stringify({ name: "old", hash: hashToken(TOKEN), createdAt: "" }),
    );
    const before = (await redis.hget("sluice:apps", "shop")) ?? "";
    const record = JSON.parse(before) as { mac?: string };
    delete record.mac;
    await redis.hset("sluice:apps", "shop", JSON.stringify(record));
    await rm(join(sluice.home, "records-signed"));
    await restart();
    expect(await redis.hget("sluice:apps", "shop")).to.equal(before);
    expect(await answerTo(TOKEN)).to.equal(200);
    expect(await readFile(join(sluice.home, "records-signed"), "utf8")).not.to.equal("");
    expect(await sluice.serverLog()).to.include("signed the records of an earlier version");
    await clone.commit({ note: String(Math.random()) });
    await clone.mustPush();
  });
});
