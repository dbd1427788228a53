import { expect } from "chai";
import fc from "fast-check";
import { RouteTables } from "../../../../core/records/routes/route-tables.js";
import { BranchTracks } from "../../../../server/routes/branch-tracks.js";
import { ReleaseStore } from "../../../../server/releases/release-store.js";
import { withLive } from "../../../../server/routes/route-changes.js";
import { OwnRedis } from "../../../support/redis/own-redis.js";

describe("the track of a branch", () => {
  let server: OwnRedis;
  let tracks: BranchTracks;
  before(async () => {
    server = await OwnRedis.start();
    tracks = reopened();
  });
  after(async () => server.stop());

  const reopened = (): BranchTracks =>
    new BranchTracks(server.redis, new RouteTables(server.redis), new ReleaseStore(server.redis));

  it("is production for master and main, the canary for staging", async () => {
    for (const [branch, track] of [
      ["master", "production"],
      ["main", "production"],
      ["staging", "canary"],
    ] as const) {
      expect(await tracks.claim("shop", branch)).to.equal(track);
      expect(await tracks.find("shop", branch)).to.equal(track);
    }
  });

  it("is the branch made DNS-safe; only one that comes later has a suffix, and each keeps its own", async () => {
    expect(await tracks.claim("shop", "feature/one")).to.equal("feature-one");
    const second = await tracks.claim("shop", "Feature_One");
    expect(second).to.match(/^feature-one-[0-9a-f]{6}$/);
    expect(await reopened().claim("shop", "feature/one")).to.equal("feature-one");
    expect(await reopened().find("shop", "Feature_One")).to.equal(second);
    expect(await tracks.claim("other", "Feature_One"), "of another app").to.equal("feature-one");
    await tracks.free("shop", "feature/one");
    expect(await tracks.find("shop", "feature/one")).to.equal(undefined);
    expect(await tracks.claim("shop", "Feature_One"), "it keeps its name").to.equal(second);
    expect(await tracks.claim("shop", "feature.one")).to.equal("feature-one");
  });

  it("of two that come at once is one's alone", async () => {
    const given = await Promise.all(
      ["a/b", "a-b", "a.b", "A/B"].map(async (branch) => tracks.claim("race", branch)),
    );
    expect(new Set(given)).to.have.property("size", 4);
    expect(given.filter((track) => track === "a-b")).to.have.length(1);
  });

  it("is never a name that means something else", async () => {
    for (const taken of ["production", "canary", "baseline", "v42"])
      expect(await tracks.claim("shop", taken)).to.match(new RegExp(`^${taken}-[0-9a-f]{6}$`));
  });

  it("stays what a preview has that was made before names were given", async () => {
    const releases = new ReleaseStore(server.redis);
    const draft = await releases.draft({
      ...{ app: "old", commit: "c", branch: "fix/it", track: "fix-it-abcdef", source: "push", by: "me" },
      ...{ steps: "deploy", processes: [] },
    });
    await new RouteTables(server.redis).update("old", (table) => withLive(table, draft, 0), [draft]);
    expect(await tracks.find("old", "fix/it")).to.equal("fix-it-abcdef");
    expect(await tracks.claim("old", "fix/it")).to.equal("fix-it-abcdef");
  });

  it("is always a DNS label, and two branches never share one", async () => {
    const branch = fc.string({
      unit: fc.constantFrom("a", "b", "A", "B", "0", "-", "_", ".", "/"),
      minLength: 1,
      maxLength: 60,
    });
    await fc.assert(
      fc.asyncProperty(branch, branch, async (a, b) => {
        fc.pre(a !== b);
        const [first, second] = [await tracks.claim("many", a), await tracks.claim("many", b)];
        expect(first).to.match(/^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$/);
        expect(second).not.to.equal(first);
      }),
      { numRuns: 200 },
    );
  });
});
