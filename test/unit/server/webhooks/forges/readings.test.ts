import { expect } from "chai";
import type { Incoming, Reading } from "../../../../../server/webhooks/forges/forge.js";
import { forgeOf } from "../../../../../server/webhooks/forges/forge-of.js";
import {
  asForgejo,
  asForm,
  bitbucketDelivery,
  bitbucketPush,
  COMMIT,
  delivery,
  giteaDelivery,
  giteaPush,
  githubDelivery,
  githubPush,
  gitlabDelivery,
  gitlabPush,
  OTHER_COMMIT,
  withHeaders,
  ZEROS,
} from "./deliveries.js";

const read = (incoming: Incoming): Reading => forgeOf(incoming.headers).read(incoming);
const pushOf = (branch: string, commit: string | undefined): Reading => ({
  kind: "push",
  updates: [{ branch, commit }],
});

/** The hosts that push one ref at a time. */
const PUSHES = {
  GitHub: githubPush,
  GitLab: gitlabPush,
  Gitea: giteaPush,
  Forgejo: (ref: string, after: string) => asForgejo(giteaPush(ref, after)),
  "another sender": (ref: string, after: string) => delivery({}, { ref, after }),
};

for (const [host, push] of Object.entries(PUSHES)) {
  describe(`a push to ${host}`, () => {
    it("deploys a branch, whatever its name has in it", () => {
      for (const branch of ["main", "feature/a-b_c.d", "release/2026.1", "čaj", "heads/x", "#12"])
        expect(read(push(`refs/heads/${branch}`, COMMIT))).to.deep.equal(pushOf(branch, COMMIT));
    });

    it("deploys a commit of a repository of SHA-256", () => {
      expect(read(push("refs/heads/main", "ab".repeat(32)))).to.deep.equal(pushOf("main", "ab".repeat(32)));
    });

    it("is read from a form as from JSON", () => {
      expect(read(asForm(push("refs/heads/main", COMMIT)))).to.deep.equal(pushOf("main", COMMIT));
    });

    it("says that a branch was deleted", () => {
      expect(read(push("refs/heads/old", ZEROS))).to.deep.equal(pushOf("old", undefined));
      expect(read(push("refs/heads/old", "0".repeat(64)))).to.deep.equal(pushOf("old", undefined));
    });

    it("deploys no tag and no other ref", () => {
      expect(read(push("refs/tags/v1.0", COMMIT))).to.include({ kind: "nothing" });
      expect(read(push("refs/tags/v1.0", ZEROS))).to.include({ kind: "nothing" });
      expect(read(push("refs/notes/commits", COMMIT))).to.deep.equal({
        kind: "nothing",
        why: "a ref that is not a branch deploys nothing",
      });
    });

    it("deploys no branch whose name is unfit, and says why", () => {
      expect(read(push("refs/heads/-x", COMMIT))).to.deep.equal({
        kind: "nothing",
        why: "the branch's name cannot be used: it begins with a dash",
      });
    });

    it("is refused when its commit is none", () => {
      for (const after of ["", "main", COMMIT.toUpperCase(), COMMIT.slice(1), `${COMMIT}a`, `${COMMIT}\n`])
        expectMalformed(
          push("refs/heads/main", after),
          "after: must be 40 or 64 lower-case hexadecimal digits",
        );
    });
  });
}

describe("a delivery of GitHub", () => {
  it("is named by the host and says its event", () => {
    const { headers } = githubPush("refs/heads/main", COMMIT);
    const host = forgeOf(headers);
    expect([host.name, host.event(headers), host.deliveryId(headers)]).to.deep.equal([
      "github",
      "push",
      "72d3162e-cc78-11e3-81ab-4c9367dc0958",
    ]);
  });

  it("tells the tag that it does not deploy, and hides one that would spoil a log", () => {
    expect(read(githubPush("refs/tags/v1.0", COMMIT))).to.include({ why: "the tag v1.0 deploys nothing" });
    expect(read(githubPush("refs/tags/\u001b[31m", COMMIT))).to.include({ why: "a tag deploys nothing" });
  });

  it("says a deletion in its push, not a second time in the event beside it", () => {
    const beside = githubDelivery("delete", { ref: "old", ref_type: "branch" });
    expect(read(beside)).to.deep.equal({ kind: "nothing", why: "the event delete deploys nothing" });
  });

  it("is of no event when its header could spoil a log", () => {
    for (const event of ["push\u0000", "x".repeat(100), "", "push, ping\u009b"]) {
      const incoming = withHeaders(githubPush("refs/heads/main", COMMIT), { "x-github-event": event });
      expect(read(incoming)).to.deep.equal({ kind: "nothing", why: "the event unknown deploys nothing" });
    }
  });

  it("has no name when its header is empty, was sent twice or is endless", () => {
    for (const id of ["", "a, a", "x".repeat(201), "a\u0085b"]) {
      const { headers } = withHeaders(githubPush("refs/heads/main", COMMIT), { "x-github-delivery": id });
      expect(forgeOf(headers).deliveryId(headers)).to.equal(undefined);
    }
  });
});

describe("a delivery of GitLab", () => {
  it("is named by what a signature covers, else by its idempotency key", () => {
    const { headers } = gitlabPush("refs/heads/main", COMMIT);
    const host = forgeOf(headers);
    expect([host.name, host.event(headers), host.deliveryId(headers)]).to.deep.equal([
      "gitlab",
      "Push Hook",
      "f5e5f430-f57b-4e6e-9fac-d9128cd7232f",
    ]);
    expect(host.deliveryId({ ...headers, "webhook-id": "signed" })).to.equal("signed");
  });

  it("deploys nothing for a merge request, a pipeline or a hook of the whole server", () => {
    for (const event of ["Merge Request Hook", "Pipeline Hook", "System Hook"])
      expect(
        read(gitlabDelivery(event, { object_kind: "x", ref: "refs/heads/main", after: COMMIT })),
      ).to.deep.equal({
        kind: "nothing",
        why: `the event ${event} deploys nothing`,
      });
  });
});

describe("a delivery of Gitea or Forgejo", () => {
  const both = (incoming: Incoming): Incoming[] => [incoming, asForgejo(incoming)];

  it("is taken for GitHub's by nobody, though it has GitHub's headers too", () => {
    for (const { headers } of both(giteaPush("refs/heads/main", COMMIT))) {
      const host = forgeOf(headers);
      expect([host.name, host.event(headers), host.deliveryId(headers)]).to.deep.equal([
        "gitea",
        "push",
        "f6266f16-1bf3-46a5-9ea4-602e06ead473",
      ]);
    }
  });

  it("says by the event delete alone that a branch was deleted", () => {
    for (const incoming of both(
      giteaDelivery("delete", { ref: "old", ref_type: "branch", pusher_type: "user" }),
    ))
      expect(read(incoming)).to.deep.equal(pushOf("old", undefined));
  });

  it("deploys nothing when a tag is deleted or a branch is made: a push comes beside it", () => {
    for (const incoming of both(giteaDelivery("delete", { ref: "v1.0", ref_type: "tag" })))
      expect(read(incoming)).to.deep.equal({ kind: "nothing", why: "the tag v1.0 deploys nothing" });
    for (const incoming of both(giteaDelivery("create", { ref: "new", ref_type: "branch", sha: COMMIT })))
      expect(read(incoming)).to.deep.equal({ kind: "nothing", why: "the event create deploys nothing" });
  });

  it("is refused when it does not say what was deleted", () => {
    expectMalformed(giteaDelivery("delete", { ref: "old" }), "ref_type");
  });
});

describe("a delivery of Bitbucket", () => {
  const main = { type: "branch", name: "main", hash: COMMIT };
  const old = { type: "branch", name: "old" };
  const tag = { type: "tag", name: "v1.0", hash: COMMIT };

  it("may tell of several branches: moved, made and deleted", () => {
    const made = { type: "branch", name: "feature/x", hash: OTHER_COMMIT };
    const incoming = bitbucketPush(
      { new: main, old: { type: "branch", name: "main" } },
      { new: tag, old: null },
      { new: made, old: null },
      { new: null, old },
    );
    expect(read(incoming)).to.deep.equal({
      kind: "push",
      updates: [
        { branch: "main", commit: COMMIT },
        { branch: "feature/x", commit: OTHER_COMMIT },
        { branch: "old", commit: undefined },
      ],
    });
    const host = forgeOf(incoming.headers);
    expect([host.name, host.event(incoming.headers), host.deliveryId(incoming.headers)]).to.deep.equal([
      "bitbucket",
      "repo:push",
      "0b8f4f3c-6d0e-4c3f-9a39-3b1f5d8a7f10",
    ]);
  });

  it("deploys no tags, made or deleted, annotated or not", () => {
    const annotated = { type: "annotated_tag", name: "v2.0", hash: COMMIT };
    const incoming = bitbucketPush(
      { new: tag, old: null },
      { new: null, old: tag },
      { new: annotated, old: null },
    );
    expect(read(incoming)).to.deep.equal({
      kind: "nothing",
      why: "the tag v1.0 deploys nothing; the tag v2.0 deploys nothing",
    });
  });

  it("tells a few reasons, not as many as there are", () => {
    const tags = Array.from({ length: 9 }, (_, index) => ({ new: { ...tag, name: `v${index}` }, old: null }));
    const reading = read(bitbucketPush(...tags));
    expect(reading.kind === "nothing" && reading.why.split("; ")).to.have.length(5);
  });

  it("deploys what it can when one of its branches has an unfit name", () => {
    const incoming = bitbucketPush({ new: { ...main, name: "a..b" }, old: null }, { new: main, old: null });
    expect(read(incoming)).to.deep.equal(pushOf("main", COMMIT));
  });

  it("deploys nothing for a ping, another event or a push of nothing", () => {
    expect(read(bitbucketDelivery("diagnostics:ping", { test: true }))).to.deep.equal({
      kind: "nothing",
      why: "the event diagnostics:ping deploys nothing",
    });
    expect(read(bitbucketDelivery("pullrequest:created", {}))).to.include({ kind: "nothing" });
    expect(read(bitbucketPush())).to.deep.equal({ kind: "nothing", why: "nothing was pushed" });
  });

  it("is refused when a change is neither made nor deleted, or leaves out what it is now", () => {
    expectMalformed(bitbucketPush({ new: null, old: null }), "push.changes.0: has neither");
    const [change, wrong] = [{ old }, { new: { type: "branch", name: "main" }, old: null }];
    expectMalformed(bitbucketDelivery("repo:push", { push: { changes: [change] } }), "push.changes.0.new");
    expectMalformed(
      bitbucketDelivery("repo:push", { push: { changes: [wrong] } }),
      "push.changes.0.new.target",
    );
    expectMalformed(bitbucketDelivery("repo:push", {}), "push");
  });
});

describe("a delivery of another sender", () => {
  it("may name a branch in short, and a deletion by null", () => {
    const cases: readonly [object, Reading][] = [
      [{ branch: "main", commit: COMMIT }, pushOf("main", COMMIT)],
      [{ branch: "old", commit: null }, pushOf("old", undefined)],
      [{ branch: "old", commit: ZEROS }, pushOf("old", undefined)],
      [{ ref: "main", after: COMMIT }, pushOf("main", COMMIT)],
      [{ ref: "refs/heads/old", after: null }, pushOf("old", undefined)],
      [{ branch: "refs/heads/main", commit: COMMIT }, pushOf("main", COMMIT)],
    ];
    for (const [payload, reading] of cases) expect(read(delivery({}, payload))).to.deep.equal(reading);
  });

  it("never deletes by leaving something out", () => {
    expectMalformed(delivery({}, { branch: "main" }), "commit");
    expectMalformed(delivery({}, { ref: "main" }), "after");
    expectMalformed(delivery({}, { ref: "main", commit: COMMIT }), "after");
    expectMalformed(delivery({}, {}), "ref");
  });

  it("is a push, and is named when the sender names it", () => {
    const host = forgeOf({});
    expect([host.name, host.event({}), host.deliveryId({})]).to.deep.equal(["generic", "push", undefined]);
    expect(host.deliveryId({ "webhook-id": "one" })).to.equal("one");
  });
});

describe("a delivery that cannot be read", () => {
  const push = githubPush("refs/heads/main", COMMIT);
  const withBody = (body: string): Incoming => ({ ...push, body: Buffer.from(body) });

  it("is refused without a word of what it said", () => {
    expectMalformed(withBody("my secret words"), "the body is not JSON");
    expectMalformed(withBody(""), "the body is not JSON");
    expectMalformed(withBody("[]"), "the payload");
    expectMalformed(withBody("null"), "the payload");
    expectMalformed(withBody('{"ref": 1}'), "ref: ");
  });

  it("is refused when its form has no payload, two of them, or no JSON in it", () => {
    const form = asForm(push);
    const expectFormMalformed = (body: string, problem: string): void =>
      expectMalformed({ ...form, body: Buffer.from(body) }, problem);
    expectFormMalformed("", "must have exactly one field");
    expectFormMalformed(push.body.toString(), "must have exactly one field");
    expectFormMalformed(`${form.body.toString()}&${form.body.toString()}`, "must have exactly one field");
    expectFormMalformed("payload=x", "not JSON");
  });

  it("is refused whatever its event is", () => {
    for (const headers of [{ "x-github-event": "ping" }, { "x-gitlab-event": "x" }, { "x-event-key": "x" }])
      expectMalformed({ headers, body: Buffer.from("{") }, "not JSON");
  });

  it("tells a few of its faults, not as many as there are", () => {
    const changes = Array.from({ length: 10_000 }, () => ({}));
    const incoming = bitbucketDelivery("repo:push", { push: { changes } });
    expectMalformed(incoming, "push.changes.0.new");
    expect(() => read(incoming))
      .to.throw()
      .with.property("message")
      .with.length.below(300);
  });

  it("does no harm with depth, size, or keys that mean something to JavaScript", () => {
    const deep = (open: string, close: string): string => `${open.repeat(200_000)}1${close.repeat(200_000)}`;
    expectMalformed(withBody(deep("[", "]")), "the payload");
    expectMalformed(withBody(deep('{"ref":', "}")), "ref");
    expectMalformed(withBody("[".repeat(1_000_000)), "not JSON");
    const inherited = `{"__proto__": {"ref": "refs/heads/main", "after": "${COMMIT}"}}`;
    expectMalformed(withBody(inherited), "ref");
    const beside = `{"ref": "refs/heads/main", "after": "${COMMIT}", "__proto__": {"polluted": true}, "constructor": 1, "commits": ${deep("[", "]")}}`;
    expect(read(withBody(beside))).to.deep.equal(pushOf("main", COMMIT));
    expect({}).not.to.have.property("polluted");
  });
});

function expectMalformed(incoming: Incoming, problem: string): void {
  expect(() => read(incoming))
    .to.throw(problem)
    .that.includes({ code: "webhook-malformed", status: 400, retriable: false });
}
