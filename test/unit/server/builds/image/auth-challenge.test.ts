import { expect } from "chai";
import { parseChallenge } from "../../../../../server/builds/image/registry/auth-challenge.js";

describe("how a registry wants to be asked", () => {
  it("is by user and password, or by a token", () => {
    expect(parseChallenge('Basic realm="any"')).to.deep.equal({ kind: "basic" });
    const bearer =
      'Bearer realm="https://auth.example.com/token",service="registry, of a team",scope="repository:a/b:pull,push"';
    expect(parseChallenge(bearer)).to.deep.equal({
      kind: "bearer",
      realm: "https://auth.example.com/token",
      service: "registry, of a team",
      scope: "repository:a/b:pull,push",
    });
  });

  it("is by a token when both are offered", () => {
    const both = 'Basic realm="any", Bearer realm="https://a/token"';
    expect(parseChallenge(both)).to.deep.equal({
      kind: "bearer",
      realm: "https://a/token",
      service: undefined,
      scope: undefined,
    });
  });

  it("is unknown otherwise", () => {
    for (const header of [undefined, "", "Negotiate", "Bearer", 'Bearer service="no realm"'])
      expect(parseChallenge(header), header).to.equal(undefined);
  });
});
