import { expect } from "chai";
import { delimited } from "../../../../../../proxy/haproxy/config/entries/delimited.js";

describe("a text of named fields", () => {
  const text = delimited("|", "release", "slot", "track");

  it("is formatted in the order of its names, and parsed again", () => {
    const fields = { track: "canary", release: "shop/v2", slot: "" };
    expect(text.format(fields)).to.equal("shop/v2||canary");
    expect(text.parse("shop/v2||canary")).to.deep.equal(fields);
  });

  it("may have fewer fields, or more, than there are names", () => {
    expect(text.parse("shop/v2|slot-1")).to.deep.equal({ release: "shop/v2", slot: "slot-1" });
    expect(text.parse("shop/v2|slot-1|canary|7")).to.have.keys("release", "slot", "track");
  });

  it("is changed in one field", () => {
    expect(text.replace("shop/v2|slot-1|canary|7", "slot", "slot-2")).to.equal("shop/v2|slot-2|canary|7");
  });

  it("is taken apart by HAProxy, which counts from 1, and by Lua", () => {
    expect(text.field("release")).to.equal("field(1,|)");
    expect(text.field("track")).to.equal("field(3,|)");
    expect(text.field("release", "slot")).to.equal("field(1,|,2)");
    expect(text.field("slot", "track")).to.equal("field(2,|,2)");
    expect(text.luaPattern("track")).to.equal("^[^|]*|[^|]*|([^|]*)");
  });
});
