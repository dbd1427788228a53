import { expect } from "chai";
import { SecretBox } from "../../../../core/secrets.js";
import { Database } from "../../../../core/redis/database.js";
import { authenticate, type Access } from "../../../../server/access/authenticate.js";
import { TokenStore } from "../../../../server/access/token-store.js";
import { WrongAttempts } from "../../../../server/access/wrong-attempts.js";
import { FakeClock } from "../../../support/fakes/fake-clock.js";

const ADMIN = "a-token-that-somebody-has-chosen";
const BOX = new SecretBox(Buffer.alloc(32));
const HOUR_MS = 3_600_000;

describe("wrong tokens", () => {
  let clock: FakeClock;
  let access: Access;
  beforeEach(() => {
    clock = new FakeClock();
    // Never connected: what is chosen by a person is compared without Redis.
    const tokens = new TokenStore(new Database({ lazyConnect: true }), ADMIN, BOX);
    access = { tokens, attempts: new WrongAttempts(clock) };
  });

  /** `by` of who sends it, or the error's code. */
  const send = async (token: string, remoteAddress = "192.0.2.1"): Promise<string> => {
    const socket = { remoteAddress, destroyed: false };
    const headers = { authorization: `Bearer ${token}` };
    return authenticate(access, { headers, query: {}, socket }, { by: ["bearer"] }).then(
      ({ by }) => by,
      (error: unknown) => (error instanceof Error && "code" in error ? String(error.code) : String(error)),
    );
  };
  /** Of as many guesses as fit into an hour, how many were looked at. */
  const guesses = async (address: (index: number) => string): Promise<number> => {
    const looked = countLooks(access.tokens);
    const end = clock.now() + HOUR_MS;
    for (let index = 0; clock.now() < end; index++) {
      const answer = send(`guess number ${index}`, address(index));
      clock.advance(500);
      await Promise.race([answer, Promise.resolve()]);
    }
    return looked();
  };

  it("are looked at some twenty times an hour, however many come", async () => {
    expect(await guesses(() => "192.0.2.1")).to.be.within(8, 20);
  });

  it("count for a /64 of IPv6, and for eight of them in a /48", async () => {
    expect(await guesses((index) => `2001:db8:1:1::${(index % 5000).toString(16)}`)).to.be.within(8, 20);
    expect(await guesses((index) => `2001:db8:2:${(index % 5000).toString(16)}::1`)).to.be.within(60, 80);
  });

  it("are not looked at in numbers when they come all at once", async () => {
    const looked = countLooks(access.tokens);
    const answers = Array.from({ length: 600 }, async (_, index) => send(`guess ${index}`));
    expect(looked()).to.equal(9);
    const pause = clock.sleep(9000);
    clock.advance(9000);
    await pause;
    const codes = await Promise.all(answers);
    expect(codes.filter((code) => code === "unauthorized")).to.have.length(8);
    expect(codes.filter((code) => code === "attempts-too-many")).to.have.length(592);
  });

  it("leave a chosen token unread in the pause, which is over some time", async () => {
    for (let index = 0; index < 9; index++) void send(`guess ${index}`);
    expect(await send(ADMIN)).to.equal("attempts-too-many");
    expect(await send(ADMIN, "192.0.2.2")).to.equal("admin");
    clock.advance(10_001);
    expect(await send(ADMIN)).to.equal("admin");
  });

  it("keep nobody out whose token is one that Sluice has made", async () => {
    const made = "0123456789abcdef".repeat(4);
    access = { ...access, tokens: new TokenStore(new Database({ lazyConnect: true }), made, BOX) };
    for (let index = 0; index < 9; index++) void send(`guess ${index}`);
    expect(await send("guess")).to.equal("attempts-too-many");
    expect(await send(made)).to.equal("admin");
  });

  it("are told when to come again", async () => {
    for (let index = 0; index < 8; index++) void access.attempts.add("192.0.2.1");
    const seconds = async (): Promise<unknown> =>
      access.attempts
        .add("192.0.2.1")
        .catch((error: unknown) =>
          error instanceof Error && "retryAfterSeconds" in error ? error.retryAfterSeconds : error,
        );
    const waits: unknown[] = [];
    for (let pause = 0; pause < 9; pause++) {
      const wait = await seconds();
      waits.push(wait);
      clock.advance(Number(wait) * 1000);
    }
    expect(waits).to.deep.equal([10, 20, 40, 80, 160, 320, 640, 900, 900]);
  });

  it("are forgotten after an hour, and of the addresses the oldest beyond ten thousand", async () => {
    for (let index = 0; index < 9; index++) void access.attempts.add("192.0.2.1").catch(() => undefined);
    expect(access.attempts.isPaused("192.0.2.1")).to.equal(true);
    for (let index = 0; index < 10_000; index++)
      void access.attempts.add(`10.1.${index >> 8}.${index & 255}`);
    expect(access.attempts.isPaused("192.0.2.1")).to.equal(false);
    for (let index = 0; index < 8; index++) void access.attempts.add("192.0.2.3");
    clock.advance(HOUR_MS);
    await access.attempts.add("192.0.2.3");
    expect(access.attempts.isPaused("192.0.2.3")).to.equal(false);
  });

  it("are not slowed down on the control socket, and are for a client that has left", async () => {
    for (let index = 0; index < 50; index++) await access.attempts.add("socket");
    expect(access.attempts.isPaused("socket")).to.equal(false);
    const gone = { headers: { authorization: "Bearer x" }, query: {} };
    const socket = { remoteAddress: undefined, destroyed: true };
    for (let index = 0; index < 9; index++)
      void authenticate(access, { ...gone, socket }, { by: ["bearer"] }).catch(() => undefined);
    expect(access.attempts.isPaused("unknown")).to.equal(true);
  });
});

/** How often a token has been compared since. */
function countLooks(tokens: TokenStore): () => number {
  let looks = 0;
  const isAdmin = tokens.isAdmin.bind(tokens);
  tokens.isAdmin = (token) => {
    looks++;
    return isAdmin(token);
  };
  return () => looks;
}
