import { expect } from "chai";
import { silentLog } from "../../../core/log.js";
import type { Certificate } from "../../../core/records/certificates/certificate.js";
import { Certificates } from "../../../core/records/certificates/certificates.js";
import { emptyRouteTable, type RouteTable } from "../../../core/records/routes/route-table.js";
import type { Database } from "../../../core/redis/database.js";
import { certificateBox, makeSecret } from "../../../core/secrets.js";
import { CertificateFollower } from "../../../proxy/certificates/certificate-follower.js";
import type { ServedCertificate } from "../../../proxy/proxy.js";
import { FakeProxy } from "../../support/fakes/fake-proxy.js";
import { OwnRedis } from "../../support/redis/own-redis.js";

const YEAR_MS = 365 * 86_400_000;

describe("a proxy's certificates", () => {
  const box = certificateBox(makeSecret());
  let server: OwnRedis;
  let redis: Database;
  let store: Certificates;
  let close: () => Promise<void>;
  let served: ServedCertificate[];
  let added: number;
  let isBroken: boolean;
  let follower: CertificateFollower;
  before(async () => {
    server = await OwnRedis.start();
    redis = server.redis;
    store = new Certificates(redis, box);
  });
  after(async () => server.stop());
  beforeEach(async () => {
    await redis.flushall();
    const fake = await FakeProxy.start();
    close = async () => fake.close();
    [served, added, isBroken] = [[], 0, false];
    const proxy = Object.assign(fake.proxy, {
      addCertificates: async (all: readonly ServedCertificate[]) => {
        if (isBroken) throw new Error("no space left on device");
        added++;
        served.push(...all.filter(({ id }) => !served.some((one) => one.id === id)));
        return Promise.resolve([]);
      },
      keepCertificates: async (all: readonly ServedCertificate[]) => {
        served = served.filter(({ id }) => all.some((one) => one.id === id));
        return Promise.resolve();
      },
    });
    const options = { proxy, redis, domain: "localhost", log: silentLog };
    follower = new CertificateFollower({ ...options, box: async () => Promise.resolve(box) });
  });
  afterEach(async () => close());

  const tables = new Map(["a", "b"].map((app) => [app, tableOf(app)]));
  const put = async (app: string): Promise<string> => {
    const id = makeSecret().slice(0, 32);
    await store.put(certificateOf(id, app), [], []);
    return id;
  };
  /** As the follower's step does it. Returns the apps whose routes are applied again. */
  const step = async (...changed: string[]): Promise<readonly string[]> => {
    const { apps, finish } = await follower.follow(tables, changed);
    await finish();
    return apps;
  };
  const isCovered = (app: string): boolean => follower.covered(tableOf(app), `www.${app}.test`) !== undefined;

  it("are served, and their hosts led to https, and taken away again", async () => {
    const id = await put("a");
    expect(await step()).to.deep.equal(["a"]);
    expect([served.map((one) => one.id), isCovered("a"), isCovered("b")]).to.deep.equal([[id], true, false]);
    await store.remove([id], []);
    expect(await step()).to.deep.equal(["a"]);
    expect([served, isCovered("a")]).to.deep.equal([[], false]);
  });

  it("lead no host to https before the proxy has them, and come once it can take them", async () => {
    await put("b");
    await step();
    isBroken = true;
    await put("a");
    for (let round = 0; round < 2; round++) {
      await follower.follow(tables, ["a"]).catch(() => undefined);
      expect(isCovered("a")).to.equal(false);
    }
    expect(follower.revision).to.be.lessThan(2);
    isBroken = false;
    expect(await step()).to.deep.equal(["a"]);
    expect([isCovered("a"), follower.revision]).to.deep.equal([true, 2]);
  });

  it("have their apps' routes applied until that is done", async () => {
    await put("a");
    await follower.follow(tables, []);
    expect(await step()).to.include("a");
    expect(await step()).to.deep.equal([]);
  });

  it("are left alone by answers to challenges, and by releases", async () => {
    await put("a");
    await step();
    const before = added;
    await store.answerChallenge("token", "answer");
    expect(await step()).to.deep.equal([]);
    expect(await step("a", "b")).to.deep.equal([]);
    expect(added).to.equal(before);
  });

  it("have very many names in parts", async () => {
    const names = Array.from({ length: 1000 }, (_, index) => `n${index}.wild.test`);
    const table = { ...tableOf("a"), domains: names.map((name) => ({ name })) };
    const id = makeSecret().slice(0, 32);
    await store.put({ ...certificateOf(id, "a"), names: ["*.wild.test"] }, [], []);
    await (await follower.follow(new Map([["a", table]]), [])).finish();
    expect(served.flatMap((one) => one.names)).to.deep.equal([...names].sort());
    for (const one of served) expect(one.names.join(" ").length).to.be.at.most(5000);
  });
});

function tableOf(app: string): RouteTable {
  return { ...emptyRouteTable(app), domains: [{ name: `www.${app}.test` }] };
}

function certificateOf(id: string, app: string): Certificate {
  const now = Date.now();
  return {
    ...{ v: 1, id, app, names: [`www.${app}.test`], source: "own", issuer: "test", pem: "" },
    ...{ notBefore: now, notAfter: now + YEAR_MS, since: now },
  };
}
