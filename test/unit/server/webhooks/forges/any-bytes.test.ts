import { expect } from "chai";
import fc from "fast-check";
import { isAppError } from "../../../../../core/errors/app-error.js";
import { branchNameProblem } from "../../../../../server/webhooks/forges/reading/branch-name.js";
import type { Forge, Incoming, Reading } from "../../../../../server/webhooks/forges/forge.js";
import { forgeOf } from "../../../../../server/webhooks/forges/forge-of.js";
import { bitbucketPush, COMMIT, giteaDelivery, githubPush, NOW } from "./deliveries.js";

const HEADERS = [
  ..."x-github-event x-github-delivery x-hub-signature-256 x-hub-signature x-signature-256 content-type".split(
    " ",
  ),
  ..."x-gitlab-event x-gitlab-token idempotency-key x-event-key x-request-uuid".split(" "),
  ..."x-gitea-event x-gitea-delivery x-gitea-signature x-forgejo-event x-forgejo-signature".split(" "),
  ..."webhook-id webhook-timestamp webhook-signature".split(" "),
];
/** What gets far into a host's reading. */
const TELLING = [
  ..."push;delete;Push Hook;repo:push;application/x-www-form-urlencoded;application/json".split(";"),
  `sha256=${"0".repeat(64)}`,
  "0".repeat(64),
  `v1,${"A".repeat(43)}=`,
  String(NOW / 1000),
];

const value = fc.oneof(
  fc.constantFrom(...TELLING),
  fc.string({ unit: "binary" }),
  fc.array(fc.string()),
  fc.constant(undefined),
);
const headers = fc.dictionary(fc.constantFrom(...HEADERS), value);

/** A good payload with something else in one place, at any depth. */
const nearlyGood = fc
  .tuple(
    fc.constantFrom(
      githubPush("refs/heads/main", COMMIT),
      giteaDelivery("delete", { ref: "old", ref_type: "branch" }),
      bitbucketPush({
        new: { type: "branch", name: "main", hash: COMMIT },
        old: { type: "tag", name: "v1" },
      }),
    ),
    fc.array(fc.nat(3), { maxLength: 6 }),
    fc.jsonValue(),
  )
  .map(([{ body }, path, replacement]) =>
    JSON.stringify(replaced(JSON.parse(body.toString()), path, replacement)),
  );

const json = fc.oneof(
  fc.json(),
  nearlyGood,
  fc.string({ unit: "binary" }).map((name) => JSON.stringify({ ref: `refs/heads/${name}`, after: COMMIT })),
);
const body = fc.oneof(
  fc.uint8Array().map((bytes) => Buffer.from(bytes)),
  json.map((text) => Buffer.from(text)),
  json.map((text) => Buffer.from(new URLSearchParams({ payload: text }).toString())),
);

describe("a delivery of any bytes with any headers", () => {
  it("is refused, or reads as branches and commits that are fit, or is malformed; nothing else is thrown", () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(headers, body, fc.string(), (given, bytes, secret) => {
        const incoming: Incoming = { headers: given, body: bytes };
        const host = forgeOf(given);
        expect(host.refusal(incoming, secret, NOW), "a proof of nothing").to.be.a("string");
        expect(host.event(given)).to.match(/^[ -~]{1,64}$/);
        expect(host.deliveryId(given) ?? "none").to.match(/^[!-~]{1,200}$/);
        seen.add(`${host.name} ${outcome(host, incoming)}`);
      }),
      { numRuns: 10_000, seed: 2026 },
    );
    const hosts = ["github", "gitlab", "gitea", "bitbucket", "generic"];
    for (const name of hosts)
      for (const kind of ["push", "nothing", "malformed"])
        if (!(name === "generic" && kind === "nothing")) expect([...seen]).to.include(`${name} ${kind}`);
  }).timeout(60_000);
});

function outcome(host: Forge, incoming: Incoming): string {
  let reading: Reading;
  try {
    reading = host.read(incoming);
  } catch (error) {
    expect(isAppError(error, "webhook-malformed"), String(error)).to.equal(true);
    return "malformed";
  }
  if (reading.kind === "nothing") {
    expect(reading.why)
      .to.match(/^[^\p{Cc}\p{Cs}]+$/u)
      .and.have.length.below(2000);
    return "nothing";
  }
  expect(reading.updates).not.to.be.empty;
  for (const { branch, commit } of reading.updates) {
    expect(branchNameProblem(branch)).to.equal(undefined);
    expect(commit ?? COMMIT).to.match(/^[0-9a-f]{40}(?:[0-9a-f]{24})?$/);
  }
  return "push";
}

/** Walks by the numbers into objects and lists, and puts something else there. */
function replaced(node: unknown, [step, ...rest]: readonly number[], replacement: unknown): unknown {
  if (step === undefined || typeof node !== "object" || node === null) return replacement;
  if (Array.isArray(node)) {
    const items: readonly unknown[] = node;
    return items.map((item, index) =>
      index === step % items.length ? replaced(item, rest, replacement) : item,
    );
  }
  const entries = Object.entries(node);
  return Object.fromEntries(
    entries.map(([key, item]: [string, unknown], index) => [
      key,
      index === step % entries.length ? replaced(item, rest, replacement) : item,
    ]),
  );
}
