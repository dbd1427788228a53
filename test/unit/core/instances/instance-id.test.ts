import { expect } from "chai";
import {
  idPrefix,
  instanceId,
  instanceName,
  parseInstanceId,
} from "../../../../core/instances/instance-id.js";

describe("an instance's id", () => {
  const one = { app: "my-shop", release: 42, process: "mail-worker", index: 3 };

  it("says app, release, process and index, and is taken apart again", () => {
    expect(instanceId(one)).to.equal("my-shop.v42.mail-worker.3");
    expect(parseInstanceId("my-shop.v42.mail-worker.3")).to.deep.equal(one);
    expect(instanceName(one)).to.equal("mail-worker.3");
  });

  it("begins with what all of an app's, or of a release's, begin with", () => {
    expect(instanceId(one).startsWith(`${idPrefix("my-shop")}.`)).to.equal(true);
    expect(instanceId(one).startsWith(`${idPrefix("my-shop", 42)}.`)).to.equal(true);
  });

  for (const text of [
    "",
    "redis",
    "haproxy",
    "a.v1.web",
    "a.v0.web.1",
    "a.1.web.1",
    "a.v1.web.0",
    "a.v1.web.1.x",
    "A.v1.web.1",
  ])
    it(`is not ${JSON.stringify(text)}`, () => {
      expect(parseInstanceId(text)).to.equal(undefined);
    });
});
