import { expect } from "chai";
import {
  authenticate,
  type Access,
  type Credentials,
  type Entrance,
} from "../../../../server/access/authenticate.js";
import { TokenStore } from "../../../../server/access/token-store.js";
import { WrongAttempts } from "../../../../server/access/wrong-attempts.js";
import { FakeClock } from "../../../support/fakes/fake-clock.js";
import { SecretBox } from "../../../../core/secrets.js";
import { Database } from "../../../../core/redis/database.js";

const TOKEN = "the-admin-token-of-this-server";

describe("who sends a request", () => {
  // Never connected: the admin token needs no records.
  const tokens = new TokenStore(new Database({ lazyConnect: true }), TOKEN, new SecretBox(Buffer.alloc(32)));
  const access = (): Access => ({ tokens, attempts: new WrongAttempts(new FakeClock()) });
  const socket = { remoteAddress: "192.0.2.1", destroyed: false };
  const who = async (request: Partial<Credentials>, entrance: Entrance): Promise<unknown> =>
    authenticate(access(), { headers: {}, query: {}, socket, ...request }, entrance).then(
      ({ by }) => by,
      (error: unknown) => (error instanceof Error && "code" in error ? error.code : error),
    );
  const bearer = { headers: { authorization: `bearer ${TOKEN}` } };
  const basic = (text: string): Partial<Credentials> => ({
    headers: { authorization: `Basic ${Buffer.from(text).toString("base64")}` },
  });

  it("is read where it may stand, and nowhere else", async () => {
    expect(await who(bearer, { by: ["bearer"] })).to.equal("admin");
    expect(await who(basic(`any:${TOKEN}`), { by: ["basic"] })).to.equal("admin");
    expect(await who({ query: { token: TOKEN } }, { by: ["bearer", "query"] })).to.equal("admin");
    expect(await who({ headers: { "x-api-key": TOKEN } }, { by: ["apiKey"] })).to.equal("admin");
    expect(await who({ query: { token: TOKEN } }, { by: ["bearer"] })).to.equal("unauthorized");
    expect(await who(basic(`any:${TOKEN}`), { by: ["bearer", "query"] })).to.equal("unauthorized");
    expect(await who(bearer, { by: ["basic"] })).to.equal("unauthorized");
  });

  it("is the first that is there, though it be wrong", async () => {
    const both = { headers: { authorization: "Bearer wrong" }, query: { token: TOKEN } };
    expect(await who(both, { by: ["bearer", "query"] })).to.equal("unauthorized");
    expect(
      await who({ ...both, headers: { authorization: "Bearer " } }, { by: ["bearer", "query"] }),
    ).to.equal("unauthorized");
  });

  it("is refused in the words of the entrance", async () => {
    expect(await who({}, { by: ["basic"], refusal: "push-token-invalid" })).to.equal("push-token-invalid");
    expect(await who({}, { by: ["bearer"] })).to.equal("unauthorized");
  });

  it("may hold a token that is good for one thing alone", async () => {
    const scope = { apps: ["shop"], may: "read" as const };
    const credential = { id: "flags:shop", name: "shop", scope, expiresAt: undefined };
    const alsoGood = { credential, is: (token: string) => token === "read-only" };
    const reader = { headers: { authorization: "Bearer read-only" } };
    expect(await who(reader, { by: ["bearer"], alsoGood })).to.equal("shop");
    expect(await who(reader, { by: ["bearer"] })).to.equal("unauthorized");
    expect(await who(bearer, { by: ["bearer"], alsoGood })).to.equal("admin");
  });
});
