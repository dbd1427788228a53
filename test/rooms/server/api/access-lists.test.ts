import { expect } from "chai";
import { newSshKeyPair } from "../../../../core/ssh-key-pair.js";
import { KeyStore } from "../../../../server/access/key-store.js";
import { TokenStore } from "../../../../server/access/token-store.js";
import { SecretBox } from "../../../../core/secrets.js";
import { OwnRedis } from "../../../support/redis/own-redis.js";

const COUNT = 40;
const ME = { by: "me" };
const box = new SecretBox(Buffer.alloc(32));

async function addKey(own: OwnRedis, name: string): Promise<unknown> {
  const key = newSshKeyPair(name).publicKey;
  return new KeyStore(own.redis, box).add({ key, apps: "all", may: "push" }, ME);
}

describe("the lists of tokens and keys", () => {
  let own: OwnRedis;
  before(async () => (own = await OwnRedis.start()));
  after(async () => own.stop());

  for (const [what, add, list] of [
    [
      "tokens",
      async (index: number) =>
        new TokenStore(own.redis, "admin", box).create(
          { name: `token ${index}`, apps: "all", may: "push" },
          ME,
        ),
      async () => new TokenStore(own.redis, "admin", box).list(),
    ],
    [
      "keys",
      async (index: number) => addKey(own, `key-${index}`),
      async () => new KeyStore(own.redis, box).list(),
    ],
  ] as const)
    it(`name the oldest of the ${what} first`, async () => {
      for (let index = 0; index < COUNT; index++) await add(index);
      const times = (await list()).map(({ createdAt }) => createdAt);
      expect(times).to.have.length(COUNT);
      expect(times).to.deep.equal([...times].sort());
    });
});
