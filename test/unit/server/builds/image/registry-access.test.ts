import { expect } from "chai";
import { imageTags } from "../../../../../server/builds/image/registry/image-tags.js";
import { imageIn, registryPlace } from "../../../../../server/builds/image/registry/registry-access.js";

describe("the name of an image", () => {
  it("has the registry's address and path, the app, and the digest", () => {
    const place = registryPlace({ address: "r.example.com:5000", prefix: "team/apps" });
    const name = { repository: "shop", digest: "sha256:0a" };
    expect(imageIn(place, "r.example.com:5000/team/apps/shop@sha256:0a")).to.deep.equal(name);
    expect(imageIn("10.0.0.2:5443", "10.0.0.2:5443/shop@sha256:0a")).to.deep.equal(name);
    for (const other of ["r.example.com:5000/team/apps2/shop@sha256:0a", "10.0.0.2:5443/shop@sha256:0a", ""])
      expect(imageIn(place, other), other).to.equal(undefined);
  });

  it("has a tag by which one Sluice knows its own", () => {
    const tags = imageTags("3fa9c1d2");
    expect(tags.tagOf("v42")).to.equal("v42-3fa9c1d2");
    expect(tags.nameOf("v42-3fa9c1d2")).to.equal("v42");
    for (const other of ["v42", "v42-0a1b2c3d", "latest"]) expect(tags.nameOf(other)).to.equal(undefined);
    expect(imageTags(undefined).tagOf("v42")).to.equal("v42");
    expect(imageTags(undefined).nameOf("v42")).to.equal("v42");
  });
});
