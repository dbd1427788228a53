import { expect } from "chai";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { z } from "zod";
import type { Reading } from "../../../../../server/webhooks/forges/forge.js";
import { forgeOf } from "../../../../../server/webhooks/forges/forge-of.js";
import { asForm, githubDelivery, githubSigned, NOW, SECRET } from "./deliveries.js";

interface Recorded {
  readonly event: string;
  readonly reading: Reading;
}

/** Of each of GitHub's editions: how many deliveries there are, and what they come to. */
const EXPECTED = {
  "api.github.com": { push: 7, deployed: 2, tags: 5, create: 5, delete: 4, ping: 4, others: 309 },
  "ghes-31": { push: 1, deployed: 0, tags: 1, create: 1, delete: 1, ping: 1, others: 45 },
  "ghes-32": { push: 1, deployed: 0, tags: 1, create: 1, delete: 1, ping: 1, others: 45 },
  "ghes-33": { push: 1, deployed: 0, tags: 1, create: 1, delete: 1, ping: 1, others: 46 },
  "ghes-34": { push: 2, deployed: 0, tags: 2, create: 2, delete: 2, ping: 2, others: 116 },
  "ghes-35": { push: 2, deployed: 0, tags: 2, create: 2, delete: 2, ping: 2, others: 117 },
};
const OWN_COLUMN = ["push", "create", "delete", "ping"];

describe("the deliveries that GitHub's editions were recorded with", () => {
  for (const [edition, expected] of Object.entries(EXPECTED)) {
    it(`go through when they are signed, and only pushes of branches deploy: ${edition}`, async () => {
      const all = await recorded(edition);
      const count = (matches: (one: Recorded) => boolean): number => all.filter(matches).length;
      expect({
        push: count(({ event }) => event === "push"),
        deployed: count(({ reading }) => reading.kind === "push"),
        tags: count(({ reading }) => reading.kind === "nothing" && reading.why.startsWith("the tag ")),
        create: count(({ event }) => event === "create"),
        delete: count(({ event }) => event === "delete"),
        ping: count(({ event }) => event === "ping"),
        others: count(({ event }) => !OWN_COLUMN.includes(event)),
      }).to.deep.equal(expected);
      for (const { event, reading } of all.filter((one) => one.event !== "push"))
        expect(reading).to.deep.equal({ kind: "nothing", why: `the event ${event} deploys nothing` });
    });
  }

  it("deploy the branch and the commit that were pushed", async () => {
    const pushes = (await recorded("api.github.com")).filter(({ reading }) => reading.kind === "push");
    const update = { branch: "master", commit: "6113728f27ae82c7b1a177c8d03f9e96e0adf246" };
    expect(pushes.map(({ reading }) => reading)).to.deep.equal([
      { kind: "push", updates: [update] },
      { kind: "push", updates: [update] },
    ]);
  });
});

const editionSchema = z.array(
  z.object({ name: z.string(), examples: z.array(z.record(z.string(), z.unknown())) }),
);

/** What every recorded delivery comes to, each signed with GitHub's library, as JSON and as a form. */
async function recorded(edition: string): Promise<Recorded[]> {
  const path = createRequire(import.meta.url).resolve(`@octokit/webhooks-examples/${edition}/index.json`);
  const events = editionSchema.parse(JSON.parse(await readFile(path, "utf8")));
  return Promise.all(
    events.flatMap(({ name, examples }) => examples.map((example) => readSigned(name, example))),
  );
}

async function readSigned(event: string, payload: object): Promise<Recorded> {
  const plain = githubDelivery(event, payload);
  const readings = await Promise.all(
    [plain, asForm(plain)].map(async (unsigned) => {
      const incoming = await githubSigned(unsigned);
      const host = forgeOf(incoming.headers);
      expect(host.name).to.equal("github");
      expect(host.event(incoming.headers)).to.equal(event);
      expect(host.refusal(incoming, SECRET, NOW), event).to.equal(undefined);
      expect(host.refusal(unsigned, SECRET, NOW)).to.include("missing");
      return host.read(incoming);
    }),
  );
  expect(readings[1]).to.deep.equal(readings[0]);
  return { event, reading: readings[0]! };
}
