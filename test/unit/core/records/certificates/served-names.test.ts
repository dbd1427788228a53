import { expect } from "chai";
import { servedNames } from "../../../../../core/records/certificates/served-names.js";

describe("the names for which a certificate is served", () => {
  const table = { app: "shop", domains: [{ name: "www.shop.test" }, { name: "*.wild.test" }] };
  const served = (...names: string[]): string[] => servedNames({ names }, table, "apps.test");

  it("are those of its app, and no others", () => {
    expect(served("www.shop.test", "bank.test", "shop.apps.test", "bank.apps.test")).to.deep.equal([
      "shop.apps.test",
      "www.shop.test",
    ]);
  });

  it("are of a wildcard only those that the app has", () => {
    expect(served("*.shop.test")).to.deep.equal(["www.shop.test"]);
    expect(served("*.apps.test")).to.deep.equal(["shop.apps.test"]);
    expect(served("*.wild.test")).to.deep.equal(["*.wild.test"]);
    expect(served("*.shop.apps.test")).to.deep.equal(["*.shop.apps.test"]);
  });

  it("are names below the app's wildcard", () => {
    expect(served("a.wild.test", "a.b.wild.test")).to.deep.equal(["a.wild.test"]);
  });
});
