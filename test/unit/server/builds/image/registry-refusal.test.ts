import { expect } from "chai";
import { refusalOf } from "../../../../../server/builds/image/registry/registry-refusal.js";

const ADDRESS = "registry.example.com";

function codeOf(status: number, text: string, { method = "POST" as const, isKnown = true } = {}): string {
  const asked = { method, url: "/v2/team/shop/blobs/uploads/" };
  return refusalOf({ address: ADDRESS, asked, answer: { status, text }, isKnown }).code;
}

describe("what a registry refuses", () => {
  it("is told by its reason", () => {
    const denied = '{"errors":[{"code":"DENIED","message":"requested access to the resource is denied"}]}';
    expect(codeOf(401, denied, { isKnown: false })).to.equal("registry-login-refused");
    expect(codeOf(401, denied)).to.equal("registry-forbidden");
    expect(codeOf(403, denied, { isKnown: false })).to.equal("registry-forbidden");
    const unknown = '{"errors":[{"code":"NAME_UNKNOWN","message":"repository name not known to registry"}]}';
    expect(codeOf(404, unknown)).to.equal("registry-repository-missing");
    expect(codeOf(404, "no such page")).to.equal("registry-failed");
    for (const quota of [
      '{"errors":[{"code":"DENIED","message":"adding 12.0 MiB of storage resource, which when updated to current usage of 5.0 GiB will exceed the configured upper limit of 5.0 GiB"}]}',
      "storage quota exceeded",
      '{"errors":[{"code":"DENIED","message":"Your namespace has exceeded its storage limit"}]}',
    ])
      expect(codeOf(403, quota), quota).to.equal("registry-quota-reached");
    expect(codeOf(429, "rate limit exceeded")).to.equal("registry-failed");
    expect(codeOf(507, "")).to.equal("registry-full");
    expect(codeOf(500, '{"detail":{"Err":28}}')).to.equal("registry-full");
  });

  it("names the repository, and none of the registry's own words in its address", () => {
    const asked = {
      method: "PUT" as const,
      url: `https://${ADDRESS}/v2/team/shop/blobs/uploads/1?_state=hush`,
    };
    const answer = { status: 404, text: '{"errors":[{"code":"NAME_UNKNOWN"}]}' };
    const { message } = refusalOf({ address: ADDRESS, asked, answer, isKnown: true });
    expect(message).to.include("team/shop").and.not.include("hush");
  });
});
