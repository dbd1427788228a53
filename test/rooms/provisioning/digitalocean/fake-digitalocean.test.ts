import { expect } from "chai";
import { FakeDigitalOcean } from "../../../lab/digitalocean/fake-digitalocean.js";
import { HOST } from "../../../support/fakes/digitalocean-trial.js";

describe("the lab's DigitalOcean", () => {
  let server: FakeDigitalOcean;
  beforeEach(async () => (server = await FakeDigitalOcean.start({ boot: async () => HOST })));

  const send = async (method: string, path: string, body?: unknown): Promise<Response> =>
    fetch(`${server.url}${path}`, {
      method,
      headers: { authorization: `Bearer ${server.token}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });

  it("reports a request that violates DigitalOcean's description", async () => {
    const bodies = [
      { name: "web-1", size: "s-1vcpu-1gb" },
      { names: [5], size: "s-1vcpu-1gb", image: 1 },
    ];
    for (const body of bodies) expect((await send("POST", "/v2/droplets", body)).status).to.equal(400);
    expect((await send("GET", "/v2/droplets?tag=a")).status).to.equal(400);
    expect((await send("GET", "/v2/machines")).status).to.equal(404);
    const failure = await server.close().catch(String);
    expect(failure)
      .to.include("POST /v2/droplets: body")
      .and.include("GET /v2/machines: there is no such path");
    expect(server.bill.history).to.deep.equal([]);
  });

  it("reports a response that violates it", async () => {
    server.cloud.keys.set(1, { id: 0.5, name: "a", publicKey: "b", fingerprint: "c" });
    expect((await send("GET", "/v2/account/keys")).status).to.equal(500);
    expect(await server.close().catch(String)).to.include("/ssh_keys/0/id");
  });
});
