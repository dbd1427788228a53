import { expect } from "chai";
import fc from "fast-check";
import { renewalAt } from "../../../../server/certificates/renewal.js";
import { failed, pauseAfter, type Trouble } from "../../../../server/certificates/troubles.js";
import { wantedNames } from "../../../../server/certificates/wanted-names.js";
import { hstsSeconds } from "../../../../proxy/certificates/hsts-seconds.js";

const DAY = 86_400_000;
const HOUR = 3_600_000;

describe("a certificate's renewal", () => {
  it("is in the last third of its life, and leaves half of that for what fails", () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 1, max: 400 }), (id, days) => {
        const at = renewalAt({ id, notBefore: 0, notAfter: days * DAY });
        expect(at).to.be.within((days * DAY * 2) / 3, (days * DAY * 5) / 6);
      }),
    );
  });

  it("is when the authority says, wherever that is", () => {
    const at = renewalAt({ id: "0".repeat(32), notBefore: 0, notAfter: 90 * DAY }, { start: -5, end: -1 });
    expect(at).to.be.within(-5, -1);
  });
});

describe("an authority that refuses a name", () => {
  it("is asked at most four times in the first hour, and at most daily after a while", () => {
    let trouble: Trouble | undefined;
    const times: number[] = [];
    for (let now = 0; times.length < 12; now = trouble.nextTryAt ?? 0) {
      times.push(now);
      trouble = failed(trouble, { reason: "", now, dice: 0 });
    }
    expect(times.filter((at) => at < HOUR)).to.have.length.at.most(4);
    expect((times.at(-1) ?? 0) - (times.at(-2) ?? 0)).to.equal(DAY);
    expect(pauseAfter(100, 1)).to.equal(Math.round(1.1 * DAY));
  });

  it("is not asked before it wants to be", () => {
    expect(failed(undefined, { reason: "", now: 0, notBefore: HOUR, dice: 0 }).nextTryAt).to.equal(HOUR);
  });
});

describe("names that are to have a certificate", () => {
  const app = {
    app: "shop",
    domains: [{ name: "a.test" }, { name: "*.b.test" }],
    https: { mode: "redirect" },
  } as const;
  const settings = (domain: string, dnsHook?: string) =>
    ({ domain, tls: { directory: "", dnsHook } }) as const;
  const table = { ...app, domains: [...app.domains] };

  it("are its domains, and with a program for TXT records wildcards", () => {
    expect(wantedNames(table, settings("localhost"))).to.deep.equal(["a.test"]);
    expect(wantedNames(table, settings("localhost", "/hook"))).to.deep.equal(["a.test", "*.b.test"]);
  });

  it("are the one that Sluice gives it, where the domain is a public one", () => {
    expect(wantedNames(table, settings("apps.example.com"))).to.deep.equal([
      "shop.apps.example.com",
      "a.test",
    ]);
    expect(wantedNames(table, settings("apps.example.com", "/hook"))).to.include("*.shop.apps.example.com");
    for (const domain of ["localhost", "10.0.0.1", "lan", "box.local", "a.internal", "b.localhost"])
      expect(wantedNames(table, settings(domain)), domain).to.deep.equal(["a.test"]);
  });

  it("are none when it wants no https", () => {
    expect(wantedNames({ ...table, https: { mode: "off" } }, settings("apps.example.com"))).to.deep.equal([]);
  });
});

describe("how long browsers ask for https alone", () => {
  it("begins with minutes", () => {
    expect([0, 0.9, 1, 6.9, 7, 400].map((days) => hstsSeconds(days * DAY))).to.deep.equal([
      ...[300, 300, 86_400, 86_400, 15_552_000, 15_552_000],
    ]);
  });
});
