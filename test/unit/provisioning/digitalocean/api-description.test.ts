import { expect } from "chai";
import { ApiDescription } from "../../../lab/digitalocean/api-description.js";

describe("DigitalOcean's description of its API", () => {
  const description = new ApiDescription();
  const check = (method: string, path: string, query: Record<string, string>, body?: unknown): string[] => {
    const found = description.find(method, path);
    if (found === undefined) throw new Error("no such path");
    return found.operation.problemsOfRequest(found.params, { query, body });
  };

  it("finds what is wrong with a request", () => {
    expect(check("GET", "/v2/droplets", { tag_name: "a", per_page: "200" })).to.deep.equal([]);
    expect(check("GET", "/v2/droplets", { tag: "a", page: "0" })).to.have.length(2);
    expect(check("GET", "/v2/droplets/x", {})).to.have.length(1);
    expect(check("GET", "/v2/droplets/5", {}, {})).to.deep.equal(["it must have no body"]);
    const droplet = { name: "web-1", size: "s-1vcpu-1gb", image: 5, region: "fra1" };
    expect(check("POST", "/v2/droplets", {}, droplet)).to.deep.equal([]);
    expect(check("POST", "/v2/droplets", {}, { ...droplet, image: {} })).not.to.deep.equal([]);
    expect(check("POST", "/v2/droplets", {}, { ...droplet, "user-data": "" })).to.deep.equal([
      'body: "user-data" is not described',
    ]);
    expect(description.find("GET", "/v2/drops")).to.equal(undefined);
  });

  it("finds what is wrong with a response, and knows the scopes that are needed", () => {
    const operation = description.find("GET", "/v2/account")?.operation;
    expect(operation?.scopes).to.deep.equal(["account:read"]);
    expect(operation?.problemsOfAnswer(429, { id: "a", message: "b" })).to.deep.equal([]);
    expect(operation?.problemsOfAnswer(403, { id: "a" })).to.have.length(1);
    expect(operation?.problemsOfAnswer(200, { account: { status: "well" } })).to.have.length.above(3);
    const removal = description.find("DELETE", "/v2/droplets/5")?.operation;
    expect(removal?.problemsOfAnswer(204, undefined)).to.deep.equal([]);
    expect(removal?.problemsOfAnswer(204, {})).to.have.length(1);
  });
});
