import { expect } from "chai";
import { once } from "node:events";
import { createServer, request, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { forgeOf } from "../../../../../server/webhooks/forges/forge-of.js";
import {
  asForgejo,
  COMMIT,
  giteaPush,
  giteaSigned,
  githubPush,
  githubSigned,
  NOW,
  SECRET,
} from "./deliveries.js";

/** Headers as they are written on the wire: name, value, name, value, … */
type Sent = readonly string[];

describe("a delivery that came through Node's HTTP server", () => {
  it("is recognized and holds, in whatever case the headers were written", async () => {
    const { body, headers } = await githubSigned(githubPush("refs/heads/main", COMMIT));
    const sent = Object.entries(headers).flatMap(([name, value]) => [name.toUpperCase(), String(value)]);
    expect(await verdict(sent, body)).to.deep.equal(["github", undefined]);
    const forgejo = asForgejo(await giteaSigned(giteaPush("refs/heads/main", COMMIT)));
    const all = Object.entries(forgejo.headers).flatMap(([name, value]) => [name, String(value)]);
    expect(await verdict(all, forgejo.body)).to.deep.equal(["gitea", undefined]);
  });

  it("does not hold when a header of its proof was sent twice", async () => {
    const { body, headers } = await githubSigned(githubPush("refs/heads/main", COMMIT));
    const signature = String(headers["x-hub-signature-256"]);
    const twice = ["X-Hub-Signature-256", signature];
    expect(await verdict(["X-GitHub-Event", "push", ...twice, ...twice], body)).to.deep.equal([
      "github",
      "X-Hub-Signature-256 appears more than once",
    ]);
    const tokens = ["X-Gitlab-Token", SECRET, "X-Gitlab-Token", SECRET];
    expect(await verdict(["X-Gitlab-Event", "Push Hook", ...tokens], body)).to.deep.equal([
      "gitlab",
      "X-Gitlab-Token appears more than once",
    ]);
  });
});

/** The host that Node's view of the headers leads to, and what it refuses. */
async function verdict(sent: Sent, body: Buffer): Promise<[string, string | undefined]> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    // The type of an address is that of a pipe too.
    const { port } = server.address() as AddressInfo;
    const arrived = once(server, "request") as Promise<[IncomingMessage, { end(): void }]>; // as Node documents it
    const client = request({ host: "127.0.0.1", port, method: "POST", agent: false });
    for (const name of new Set(sent.filter((_, index) => index % 2 === 0)))
      client.setHeader(
        name,
        sent.filter((_, index) => index % 2 === 1 && sent[index - 1] === name),
      );
    client.end(body);
    const [incoming, answer] = await arrived;
    const bytes = await buffer(incoming);
    answer.end();
    await once(client, "response").then(([response]: IncomingMessage[]) => response?.resume());
    const host = forgeOf(incoming.headers);
    return [host.name, host.refusal({ headers: incoming.headers, body: bytes }, SECRET, NOW)];
  } finally {
    server.close();
  }
}
