import { expect } from "chai";
import { apiOf } from "../../../../../server/webhooks/reports/api-of.js";
import type { CommitReport } from "../../../../../server/webhooks/reports/commit-report.js";
import { deploymentIdOf } from "../../../../../server/webhooks/reports/github-deployment.js";
import type { ForgeRequest } from "../../../../../server/webhooks/reports/forge-request.js";
import { reportRequests } from "../../../../../server/webhooks/reports/report-requests.js";
import { shortened } from "../../../../../server/webhooks/reports/shortened.js";

const COMMIT = "5e2ab9f0c1d34e7786a0b1c2d3e4f5a697b8c9d0";
const STATES = ["pending", "success", "failure"] as const;
const SOURCES = {
  github: "git@github.com:shop/web.git",
  gitlab: "https://gitlab.example.org/shop/team/web.git",
  gitea: "https://codeberg.org/shop/web.git",
  bitbucket: "git@bitbucket.org:shop/web.git",
} as const;

function reportTo(host: keyof typeof SOURCES, changes: Partial<CommitReport> = {}): CommitReport {
  return {
    ...apiOf(SOURCES[host], host)!,
    host,
    token: "a-token",
    commit: COMMIT,
    state: "success",
    description: "v42 is live",
    targetUrl: "https://v42.web.example.org",
    environmentUrl: "https://web.example.org",
    context: "sluice/production",
    environment: "production",
    ...changes,
  };
}

const requestsTo = (...given: Parameters<typeof reportTo>): ForgeRequest[] =>
  reportRequests(reportTo(...given)).map(({ request }) => request);
const bodyOf = (request: ForgeRequest | undefined): Record<string, unknown> =>
  JSON.parse(request!.body) as Record<string, unknown>; // the assertions look at it
const JSON_HEADERS = { "Content-Type": "application/json", "User-Agent": "sluice" };

describe("a commit's status", () => {
  it("is told to GitHub", () => {
    const [request] = requestsTo("github");
    expect(request).to.deep.include({
      method: "POST",
      url: `https://api.github.com/repos/shop/web/statuses/${COMMIT}`,
      headers: {
        ...JSON_HEADERS,
        Authorization: "Bearer a-token",
        Accept: "application/vnd.github+json",
        "X-GitHub-Api-Version": "2022-11-28",
      },
    });
    expect(bodyOf(request)).to.deep.equal({
      state: "success",
      target_url: "https://v42.web.example.org",
      description: "v42 is live",
      context: "sluice/production",
    });
  });

  it("is told to GitLab, the repository's path as one part of the URL", () => {
    const [request, ...more] = requestsTo("gitlab");
    expect(more).to.be.empty;
    expect(request).to.deep.include({
      method: "POST",
      url: `https://gitlab.example.org/api/v4/projects/shop%2Fteam%2Fweb/statuses/${COMMIT}`,
      headers: { ...JSON_HEADERS, "PRIVATE-TOKEN": "a-token" },
    });
    expect(bodyOf(request)).to.deep.equal({
      state: "success",
      target_url: "https://v42.web.example.org",
      description: "v42 is live",
      context: "sluice/production",
    });
  });

  it("is told to Gitea", () => {
    const [request, ...more] = requestsTo("gitea");
    expect(more).to.be.empty;
    expect(request).to.deep.include({
      method: "POST",
      url: `https://codeberg.org/api/v1/repos/shop/web/statuses/${COMMIT}`,
      headers: { ...JSON_HEADERS, Authorization: "token a-token" },
    });
    expect(bodyOf(request)).to.deep.equal({
      state: "success",
      target_url: "https://v42.web.example.org",
      description: "v42 is live",
      context: "sluice/production",
    });
  });

  it("is told to Bitbucket", () => {
    const [request, ...more] = requestsTo("bitbucket");
    expect(more).to.be.empty;
    expect(request).to.deep.include({
      method: "POST",
      url: `https://api.bitbucket.org/2.0/repositories/shop/web/commit/${COMMIT}/statuses/build`,
      headers: { ...JSON_HEADERS, Authorization: "Bearer a-token" },
    });
    expect(bodyOf(request)).to.deep.equal({
      key: "sluice/production",
      state: "SUCCESSFUL",
      name: "sluice/production",
      description: "v42 is live",
      url: "https://v42.web.example.org",
    });
  });

  it("is in each host's words", () => {
    const words = (host: keyof typeof SOURCES): unknown[] =>
      STATES.map((state) => bodyOf(requestsTo(host, { state })[0])["state"]);
    expect(words("github")).to.deep.equal(["pending", "success", "failure"]);
    expect(words("gitlab")).to.deep.equal(["running", "success", "failed"]);
    expect(words("gitea")).to.deep.equal(["pending", "success", "failure"]);
    expect(words("bitbucket")).to.deep.equal(["INPROGRESS", "SUCCESSFUL", "FAILED"]);
  });

  it("is as short as each host wants it, on one line", () => {
    const long = { description: `one\n  two ${"č".repeat(400)}`, context: "c".repeat(400) };
    const lengths = (host: keyof typeof SOURCES, ...keys: readonly string[]): number[] => {
      const body = bodyOf(requestsTo(host, long)[0]);
      expect(body["description"]).to.match(/^one two č+…$/);
      return keys.map((key) => String(body[key]).length);
    };
    expect(lengths("github", "description", "context")).to.deep.equal([140, 255]);
    expect(lengths("gitlab", "description", "context")).to.deep.equal([255, 255]);
    expect(lengths("gitea", "description", "context")).to.deep.equal([255, 255]);
    expect(lengths("bitbucket", "description", "name", "key")).to.deep.equal([255, 255, 40]);
  });

  it("has no URL at GitLab when it would have to be cut", () => {
    const urlOf = (length: number): unknown =>
      bodyOf(requestsTo("gitlab", { targetUrl: "u".repeat(length) })[0])["target_url"];
    expect(urlOf(255)).to.equal("u".repeat(255));
    expect(urlOf(256)).to.equal(undefined);
  });

  it("keeps two long contexts apart at Bitbucket, and one the same", () => {
    const keyOf = (context: string): unknown => bodyOf(requestsTo("bitbucket", { context })[0])["key"];
    const long = `sluice/${"x".repeat(40)}`;
    expect(keyOf(`${long}1`)).not.to.equal(keyOf(`${long}2`));
    expect(keyOf(`${long}1`)).to.equal(keyOf(`${long}1`));
    expect(keyOf("k".repeat(40))).to.equal("k".repeat(40));
  });

  it("is told to Bitbucket with an account's token too", () => {
    const [request] = requestsTo("bitbucket", { token: "mira@example.org:word" });
    expect(request?.headers["Authorization"]).to.equal("Basic bWlyYUBleGFtcGxlLm9yZzp3b3Jk");
  });

  it("is told to nobody when the host is not known", () => {
    expect(reportRequests({ ...reportTo("gitea"), host: "generic" })).to.be.empty;
  });
});

describe("a deployment at GitHub", () => {
  it("is made of that commit alone, whatever its statuses are", () => {
    const [, request] = requestsTo("github", { state: "pending" });
    expect(request?.url).to.equal("https://api.github.com/repos/shop/web/deployments");
    expect(bodyOf(request)).to.deep.equal({
      ref: COMMIT,
      environment: "production",
      description: "v42 is live",
      auto_merge: false,
      required_contexts: [],
      production_environment: true,
      transient_environment: false,
    });
  });

  it("is for a while when it is a preview's", () => {
    const kinds = ["production", "canary", "feature-x"].map((environment) => {
      const body = bodyOf(requestsTo("github", { environment })[1]);
      return [body["production_environment"], body["transient_environment"]];
    });
    expect(kinds).to.deep.equal([
      [true, false],
      [false, false],
      [false, true],
    ]);
  });

  it("gets its status with the id that GitHub gave it", () => {
    const [, step] = reportRequests(reportTo("github", { state: "pending" }));
    const next = step?.next?.({ id: 145_988_746, sha: COMMIT });
    expect(next?.url).to.equal("https://api.github.com/repos/shop/web/deployments/145988746/statuses");
    expect(next?.headers).to.include({ Authorization: "Bearer a-token" });
    expect(bodyOf(next)).to.deep.equal({
      state: "in_progress",
      description: "v42 is live",
      log_url: "https://v42.web.example.org",
    });
  });

  it("is not made a second time when its id is known", () => {
    const bodies = STATES.map((state) => {
      const [status, step, ...more] = reportRequests(reportTo("github", { state }), 7);
      expect([status?.request.url.split("/").at(-2), more]).to.deep.equal(["statuses", []]);
      expect(step?.next).to.equal(undefined);
      expect(step?.request.url).to.equal("https://api.github.com/repos/shop/web/deployments/7/statuses");
      return bodyOf(step?.request);
    });
    expect(bodies.map((body) => body["state"])).to.deep.equal(["in_progress", "success", "failure"]);
    expect(bodies.map((body) => body["environment_url"])).to.deep.equal([
      undefined,
      "https://web.example.org",
      undefined,
    ]);
  });

  it("has no status when GitHub made none", () => {
    const [, step] = reportRequests(reportTo("github"));
    for (const answer of [
      { message: "Auto-merged" },
      { id: "7" },
      { id: -1 },
      { id: 1.5 },
      null,
      "7",
      undefined,
    ]) {
      expect(deploymentIdOf(answer)).to.equal(undefined);
      expect(step?.next?.(answer)).to.equal(undefined);
    }
  });
});

describe("a report's token", () => {
  it("stands in a header and nowhere else", () => {
    for (const host of ["github", "gitlab", "gitea", "bitbucket"] as const)
      for (const { request, next } of reportRequests(reportTo(host)))
        for (const { url, body, headers } of [request, next?.({ id: 1 }) ?? request]) {
          expect(url + body).not.to.include("a-token");
          expect(Object.values(headers).filter((header) => header.includes("a-token"))).to.have.length(1);
        }
  });
});

describe("a text that was made shorter", () => {
  it("is never cut within a character, and only where it must be", () => {
    expect(shortened("🙂".repeat(5), 5)).to.equal("🙂".repeat(5));
    expect(shortened("🙂".repeat(6), 5)).to.equal(`${"🙂".repeat(4)}…`);
    expect(shortened("", 5)).to.equal("");
  });
});
