import { expect } from "chai";
import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { Certificate } from "../../../core/records/certificates/certificate.js";
import { Certificates } from "../../../core/records/certificates/certificates.js";
import { keys } from "../../../core/redis/keys.js";
import type { Database } from "../../../core/redis/database.js";
import { certificateBox, certificateSecret, openSecretBox } from "../../../core/secrets.js";
import { AuthorityLimits } from "../../../server/certificates/acme/authority-limits.js";
import { tinyApp } from "../../support/git/tiny-app.js";
import { ask } from "../../support/network/ask.js";
import { eventually } from "../../support/eventually.js";
import { TestSluice } from "../../support/running/test-sluice.js";
import { throughout } from "../../support/throughout.js";
import { askHttps, type HttpsAnswer } from "../../support/tls/ask-https.js";
import { Pebble } from "../../support/tls/pebble.js";
import { RenewalDirectory } from "../../support/tls/renewal-directory.js";

/** The authority finds nobody there. */
const NOBODY = "127.0.0.3";
/** It issues nothing for it, by its policy. */
const BLOCKED = "blocked.evil.test";
const DAY_MS = 86_400_000;

interface Uncertified {
  readonly uncertified: readonly { readonly name: string; readonly reason: string }[];
}

describe("certificates from an authority", function () {
  this.timeout(120_000);
  let sluice: TestSluice;
  let pebble: Pebble;
  let second: Pebble;
  let renewal: RenewalDirectory;
  let redis: Database;
  let store: Certificates;
  let ofRedis: Awaited<ReturnType<TestSluice["redis"]>>;
  before(async () => {
    sluice = await TestSluice.prepare();
    const { httpPort } = sluice;
    pebble = await Pebble.start({ httpPort, blocked: [BLOCKED] });
    second = await Pebble.start({ httpPort, names: pebble });
    renewal = await RenewalDirectory.start(pebble.files, async () => pebble.directoryText());
    const hook = join(sluice.folder, "hook");
    await writeFile(hook, pebble.hook);
    await chmod(hook, 0o755);
    await sluice.configure({
      tls: {
        ...{ email: "admin@example.test", directory: `${renewal.url}/dir`, caFile: pebble.caFile },
        fallback: { directory: second.directory, caFile: second.caFile },
        dnsHook: hook,
      },
      network: { allow: ["127.0.0.0/8"], nameServers: [pebble.nameServer] },
      publicAddresses: ["127.0.0.1", NOBODY],
    });
    await sluice.up();
    await (await sluice.clone("shop", tinyApp())).mustPush();
    ofRedis = await sluice.redis();
    ({ redis } = ofRedis);
    const box = await openSecretBox(join(sluice.home, "key"));
    store = new Certificates(redis, certificateBox(certificateSecret(box)));
  });
  after(async () => {
    ofRedis.close();
    await sluice.dispose();
    await renewal.stop();
    await second.stop();
    await pebble.stop();
  });

  const add = async (...domains: string[]): Promise<void> => {
    await sluice.says("domains", "shop", "add", ...domains);
  };
  const served = async (host: string, by = pebble): Promise<HttpsAnswer> => {
    const root = await by.root();
    return eventually(
      `https answers for ${host}`,
      async () => askHttps(sluice.httpsPort, host, { root }).catch(() => undefined),
      30_000,
    );
  };
  const reason = async (name: string, words: string): Promise<void> => {
    await eventually(`the reason says ${words}`, async () => (await reasonOf(name)).includes(words), 20_000);
  };
  const reasonOf = async (name: string): Promise<string> => {
    const { uncertified } = await sluice.json<Uncertified>("certs", "shop");
    return uncertified.find((one) => one.name === name)?.reason ?? "";
  };
  const of = async (name: string): Promise<Certificate | undefined> =>
    (await store.read()).certificates.find(({ names }) => names.includes(name));

  it("come a second after a domain was added, and http leads there", async () => {
    await pebble.point("www.shop.test", "127.0.0.1");
    const began = Date.now();
    await add("www.shop.test");
    const answer = await served("www.shop.test");
    process.stdout.write(`      https after ${((Date.now() - began) / 1000).toFixed(1)} s\n`);
    expect(answer.body).to.equal("v1 web.1");
    // The certificate is there first.
    const question = { headers: { host: "www.shop.test" }, path: "/a?b=c" };
    const location = async (): Promise<unknown> =>
      (await ask(`127.0.0.1:${sluice.httpPort}`, question)).headers.location;
    await eventually("http leads there", async () => (await location()) === "https://www.shop.test/a?b=c");
    const { headers } = await served("www.shop.test");
    expect(headers["strict-transport-security"]).to.equal("max-age=300");
    expect(await sluice.says("certs", "shop")).to.match(
      /www\.shop\.test +\d{4}-\d\d-\d\d \(\d+ days\) +Pebble Intermediate/,
    );
    expect(await redis.hkeys(keys.challenges), "nothing but the probe").to.have.length(1);
  });

  it("wait for a name that has no address yet, and come when it has", async () => {
    await add("later.shop.test");
    await reason("later.shop.test", "has no address yet: it should point to 127.0.0.1 or 127.0.0.3");
    expect(await limits("failures")).to.equal(0);
    await pebble.point("later.shop.test", "127.0.0.1");
    await served("later.shop.test");
    expect(await reasonOf("later.shop.test")).to.equal("");
  });

  it("are not ordered for a name that leads elsewhere", async () => {
    await pebble.point("away.shop.test", "127.0.0.9");
    await add("away.shop.test");
    await reason("away.shop.test", "points to 127.0.0.9, where this Sluice does not answer");
    expect(await limits("failures")).to.equal(0);
    await sluice.says("domains", "shop", "remove", "away.shop.test");
  });

  it("are had without a name that the authority does not find here, which is tried again later", async () => {
    await pebble.point("good.shop.test", "127.0.0.1");
    await pebble.point("bad.shop.test", NOBODY);
    await add("bad.shop.test", "good.shop.test");
    await served("good.shop.test");
    await reason("bad.shop.test", "127.0.0.3");
    expect(await sluice.says("certs", "shop")).to.match(
      / ! {5}bad\.shop\.test: .*Next try \d{4}-\d\d-\d\d \d\d:\d\d UTC\./,
    );
    const failures = await limits("failures");
    await sluice.kill();
    await sluice.up();
    await pause(1500);
    expect(await limits("failures"), "a restart does not ask again").to.equal(failures);
    await pebble.point("bad.shop.test", "127.0.0.1");
    await sluice.says("certs", "shop", "retry");
    await served("bad.shop.test");
  });

  it("are had by every other app, and for every other name, when an authority refuses an app's name by policy", async () => {
    await (await sluice.clone("evil", tinyApp())).mustPush();
    for (const name of [BLOCKED, "fine.evil.test", "calm.shop.test"]) await pebble.point(name, "127.0.0.1");
    await sluice.says("domains", "evil", "add", BLOCKED, "fine.evil.test");
    await served("fine.evil.test");
    await add("calm.shop.test");
    await served("calm.shop.test");
    const { uncertified } = await sluice.json<Uncertified>("certs", "evil");
    expect(uncertified.map(({ name }) => name)).to.deep.equal([BLOCKED]);
    expect(uncertified[0]?.reason).to.match(/policy|forbid|block/i);
    await sluice.says("destroy", "evil", "--yes");
  });

  it("are for wildcards, with a program that sets TXT records", async () => {
    await add("*.wild.test");
    await served("any.wild.test");
    expect((await of("*.wild.test"))?.names).to.deep.equal(["*.wild.test"]);
    expect(await redis.hlen(keys.challengeRecords), "records are removed").to.equal(0);
  });

  it("are renewed under load: no request fails, and no connection waits", async () => {
    const before = await of("www.shop.test");
    if (before === undefined) throw new Error("there is none");
    const root = await pebble.root();
    const failures: string[] = [];
    let [isOver, requests] = [false, 0];
    const visiting = throughout(
      () => isOver,
      async () => {
        requests++;
        const answer = await askHttps(sluice.httpsPort, "www.shop.test", { root }).catch(String);
        if (typeof answer === "string" || answer.status !== 200) failures.push(JSON.stringify(answer));
      },
      60_000,
    );
    const now = Date.now();
    await store.put({ ...before, notBefore: now - 80 * DAY_MS, notAfter: now + 10 * DAY_MS }, [], []);
    const after = await eventually(
      "there is another one",
      async () => {
        const one = await of("www.shop.test");
        return one !== undefined && one.id !== before.id && one;
      },
      30_000,
    );
    expect(after.since, "browsers go on as before").to.equal(before.since);
    const isNew = async (): Promise<boolean> => {
      const { certificate } = await askHttps(sluice.httpsPort, "www.shop.test", { root });
      return certificate.fingerprint256.replaceAll(":", "").toLowerCase().startsWith(after.id);
    };
    await eventually("it is served", isNew);
    isOver = true;
    await visiting;
    process.stdout.write(`      ${failures.length} of ${requests} requests failed\n`);
    expect(failures).to.deep.equal([]);
    expect(requests).to.be.greaterThan(10);
  });

  it("are replaced at once when the authority wants it, as after a revocation", async () => {
    const before = await of("good.shop.test");
    renewal.window = { start: Date.now() - 2000, end: Date.now() - 1000 };
    // What was heard of a certificate lasts a minute at least; another server asks anew.
    await sluice.kill();
    await sluice.up();
    await eventually(
      "there is another one",
      async () => {
        const now = await of("good.shop.test");
        return now !== undefined && now.id !== before?.id;
      },
      40_000,
    );
    expect(renewal.asked).to.have.length.greaterThan(0);
    renewal.window = { start: Date.now() + DAY_MS, end: Date.now() + 2 * DAY_MS };
    await sluice.kill();
    await sluice.up();
  });

  it("come from another authority while the first one is away; what there is serves on", async () => {
    await renewal.stop();
    await pebble.down();
    await pebble.point("second.shop.test", "127.0.0.1");
    await add("second.shop.test");
    await served("second.shop.test", second);
    expect((await of("second.shop.test"))?.directory).to.equal(second.directory);
    expect((await askHttps(sluice.httpsPort, "www.shop.test")).status).to.equal(200);
    await second.down();
    await pebble.point("third.shop.test", "127.0.0.1");
    await add("third.shop.test");
    await reason("third.shop.test", second.directory);
    expect((await askHttps(sluice.httpsPort, "www.shop.test")).status).to.equal(200);
    await second.up();
    // It is not asked again within ten seconds.
    await eventually(
      "it is tried again",
      async () => {
        await sluice.says("certs", "shop", "retry");
        return (await of("third.shop.test")) !== undefined;
      },
      30_000,
    );
    await served("third.shop.test", second);
  });

  for (const [index, ms] of [50, 300, 600, 1000].entries())
    it(`come although the server is killed (-9) ${ms} ms after a domain was added`, async () => {
      const name = `killed-${index}.shop.test`;
      await pebble.point(name, "127.0.0.1");
      await add(name);
      await pause(ms);
      await sluice.kill();
      await sluice.up();
      await served(name, second);
      await eventually("no challenge is left", async () => (await redis.hlen(keys.challenges)) === 1);
    });

  it("are not ordered beyond the authority's limits", async () => {
    const known = new AuthorityLimits(redis);
    const now = Date.now();
    for (let count = 0; count < 49; count++)
      await known.noteCertificate(second.directory, ["a.limited.test"], now);
    await pebble.point("b.limited.test", "127.0.0.1");
    await add("b.limited.test");
    await reason("b.limited.test", "49 certificates for limited.test in a week");
  });

  it("are not served any more for a name that is removed, nor kept when they have no other", async () => {
    const only = await of("killed-0.shop.test");
    await sluice.says("domains", "shop", "remove", "*.wild.test", ...(only?.names ?? []));
    const subject = async (host: string): Promise<unknown> =>
      (await askHttps(sluice.httpsPort, host)).certificate.subject.CN;
    for (const host of ["any.wild.test", "killed-0.shop.test"])
      await eventually(
        `${host} has none`,
        async () => (await subject(host)) === "no certificate for this name yet",
      );
    await eventually("it is gone", async () => (await of("killed-0.shop.test")) === undefined, 10_000);
  });

  async function limits(what: string): Promise<number> {
    const uses = await redis.zrangebyscore(keys.authorityUses, "-inf", "+inf");
    return uses.filter((use) => use.includes(`"what":"${what}"`)).length;
  }
});
