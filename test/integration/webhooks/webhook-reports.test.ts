import { expect } from "chai";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { DeliveryAnswer } from "../../../core/api/apps/deliveries.js";
import type { WebhookAnswer } from "../../../core/api/apps/webhook.js";
import { ask } from "../../support/network/ask.js";
import { eventually } from "../../support/eventually.js";
import { deliver, TestForge } from "../../support/git/test-forge.js";
import type { TestClone } from "../../support/git/test-clone.js";
import { TestSluice } from "../../support/running/test-sluice.js";
import { tinyApp } from "../../support/git/tiny-app.js";

const TOKEN = "status-token-that-nobody-may-see";

/** How each host takes a commit's status. */
const HOSTS = {
  github: {
    statuses: "/api/v3/repos/owner/shop/statuses/COMMIT",
    header: ["authorization", `Bearer ${TOKEN}`],
    states: { pending: "pending", success: "success", failure: "failure" },
  },
  gitea: {
    statuses: "/api/v1/repos/owner/shop/statuses/COMMIT",
    header: ["authorization", `token ${TOKEN}`],
    states: { pending: "pending", success: "success", failure: "failure" },
  },
  gitlab: {
    statuses: "/api/v4/projects/owner%2Fshop/statuses/COMMIT",
    header: ["private-token", TOKEN],
    states: { pending: "running", success: "success", failure: "failed" },
  },
} as const;

interface Status {
  readonly state: string;
  readonly target_url: string;
  readonly description: string;
  readonly context: string;
}

describe("a forge that may be told", function () {
  this.timeout(240_000);
  let sluice: TestSluice;
  before(async () => (sluice = await TestSluice.start({ settings: { webhooks: { pollSeconds: 3600 } } })));
  after(async () => sluice.dispose());

  for (const [form, { statuses, header, states }] of Object.entries(HOSTS)) {
    describe(`in the form of ${form}`, () => {
      const app = `shop-${form}`;
      let host: TestForge;
      let clone: TestClone;
      let webhook: WebhookAnswer;
      before(async () => {
        host = await TestForge.start();
        if (form === "github") host.answer = (response) => response.writeHead(201).end('{"id": 42}');
        clone = await host.clone(tinyApp());
        const args = ["webhook", app, "--source", host.httpUrl, "--status-token", "-", "--json"];
        const { status, stdout, stderr } = await sluice.feed(`${TOKEN}\n`, ...args);
        expect(status, stderr).to.equal(0);
        // As `--json` is documented.
        webhook = JSON.parse(stdout) as WebhookAnswer;
        expect(webhook).to.include({ reportsBack: true });
      });
      after(async () => host.dispose());

      /** A gate that waits until it is let go, and then ends with `status`. */
      const push = async (status = 0): Promise<{ commit: string; go: () => Promise<void> }> => {
        const file = join(sluice.shared, `go-${Math.random().toString(36).slice(2)}`);
        const gate = `until test -e ${file}; do sleep 0.02; done; exit ${status}`;
        const commit = await clone.commit({
          "app.json": JSON.stringify({ sluice: { gates: { shut: gate } } }),
        });
        await host.moveBranch(clone, "master", commit);
        // Its form is one of the keys.
        const answer = await deliver(webhook, { branch: "master", commit, form: form as keyof typeof HOSTS });
        expect(answer.status, answer.body).to.equal(202);
        return { commit, go: async () => writeFile(file, "") };
      };
      const told = (commit: string): Status[] =>
        host.reports
          .filter(({ path }) => path === statuses.replace("COMMIT", commit))
          .map(({ body }) => JSON.parse(body) as Status);
      const stateIs = async (commit: string, state: string): Promise<Status> =>
        eventually(
          `${form} is told: ${state}`,
          () => told(commit).find((status) => status.state === state),
          90_000,
        );

      /** Which release it is being made to. */
      const pendingRelease = async (commit: string): Promise<string> => {
        const { description } = await stateIs(commit, states.pending);
        const [, release = ""] = /^(v\d+) is being released$/.exec(description) ?? [];
        expect(release, description).not.to.equal("");
        return release;
      };

      it("is told that a commit is on its way, and live, with a link to what was said", async () => {
        const { commit, go } = await push();
        const release = await pendingRelease(commit);
        await go();
        const success = await stateIs(commit, states.success);
        expect(success).to.include({
          context: `sluice/${app}`,
          description: `${release} is live (production)`,
        });
        expect(told(commit).map(({ state }) => state)).to.deep.equal([states.pending, states.success]);
        for (const { headers } of host.reports) expect(headers[header[0]]).to.equal(header[1]);

        const { host: address, pathname } = new URL(success.target_url);
        // It is told that the release is live before the last line is written.
        const log = await eventually("all that was said", async () => {
          const answer = await ask(address, { path: pathname });
          return /^-----> Live/m.test(answer.body) && answer;
        });
        expect(log.status).to.equal(200);
        expect(log.body)
          .to.match(/^-----> Gates/m)
          .and.to.match(/^-----> Live: http/m);
        // What the instances write is nobody's but the app's.
        expect(log.body).not.to.include("listening");
        for (const path of [
          pathname.slice(0, -1),
          pathname.replace(/.$/, (last) => (last === "0" ? "1" : "0")),
          pathname.replace(`/${release}/`, "/v999/"),
          pathname.replace(app, "other"),
          pathname.replace(/\/(\d+)-/, (_, until) => `/${Number(until) + 1}-`),
        ])
          expect((await ask(address, { path })).status, path).to.equal(404);
      });

      it("is told that one failed, and why", async () => {
        const { commit, go } = await push(3);
        await stateIs(commit, states.pending);
        await go();
        const { description } = await stateIs(commit, states.failure);
        expect(description).to.match(/gate/i).and.not.to.include("\n");
      });

      if (form === "github")
        it("gets a deployment of the commit, and its statuses", async () => {
          const root = "/api/v3/repos/owner/shop/deployments";
          for (const [status, state] of [
            [0, "success"],
            [3, "failure"],
          ] as const) {
            const { commit, go } = await push(status);
            const release = await pendingRelease(commit);
            await go();
            const [made, begun, ended, ...more] = await eventually("all is told", () => {
              const calls = host.reports
                .filter(({ path }) => path.startsWith(root))
                .map(({ path, body }): Record<string, unknown> => ({ path, ...(JSON.parse(body) as object) }))
                .filter((call) => call["ref"] === commit || String(call["log_url"]).includes(`/${release}/`));
              return calls.length >= 3 && calls;
            });
            expect(more).to.deep.equal([]);
            expect(made).to.include({
              path: root,
              ref: commit,
              environment: "production",
              auto_merge: false,
            });
            expect(begun).to.include({ path: `${root}/42/statuses`, state: "in_progress" });
            expect(ended).to.include({ path: `${root}/42/statuses`, state });
            expect(ended?.["environment_url"]).to.equal(
              state === "success" ? `http://${app}.localhost:${sluice.httpPort}` : undefined,
            );
          }
        });

      it("is told later when it answers 503 or is not there, and the release is live meanwhile", async () => {
        const { answer } = host;
        host.answer = (response) => response.writeHead(503).end("later");
        const { commit, go } = await push();
        const release = await pendingRelease(commit);
        await host.withoutHttp(async () => {
          await go();
          await eventually("it serves", async () => {
            const deliveries = await deliveriesOf(sluice, app);
            return deliveries[0]?.results[0]?.outcome === "released";
          });
          // What waited for a second try was tried in vain.
          await eventually(
            "somebody was refused",
            async () => (await outboxOf(sluice)).includes("ECONNREFUSED"),
            60_000,
          );
        });
        host.answer = answer;
        const { description } = await stateIs(commit, states.success);
        expect(description).to.equal(`${release} is live (production)`);
      });
    });
  }

  it("does not get its token written down anywhere", async () => {
    const host = await TestForge.start();
    try {
      const args = ["webhook", "secretive", "--source", host.httpUrl, "--status-token", "-", "--json"];
      const { stdout } = await sluice.feed(`${TOKEN}\n`, ...args);
      const clone = await host.clone(tinyApp());
      const commit = await clone.git("rev-parse", "HEAD");
      await host.moveBranch(clone, "master", commit);
      // As `--json` is documented.
      await deliver(JSON.parse(stdout) as WebhookAnswer, { branch: "master", commit });
      await eventually("it is told", () =>
        host.reports.some(({ headers }) => JSON.stringify(headers).includes(TOKEN)),
      );
    } finally {
      await host.dispose();
    }
    const files = ["server.log", "redis/appendonlydir/appendonly.aof.1.incr.aof"];
    for (const file of files) {
      const text = await readFile(join(sluice.home, file), "utf8");
      expect(text, file).not.to.be.empty;
      expect(text.includes(TOKEN), file).to.equal(false);
    }
    expect(JSON.stringify(await sluice.json("webhook", "secretive"))).not.to.include(TOKEN);
  });

  it("is told nothing without a token", async () => {
    const host = await TestForge.start();
    try {
      const webhook = await sluice.json<WebhookAnswer>("webhook", "quiet", "--source", host.httpUrl);
      const clone = await host.clone(tinyApp());
      const commit = await clone.git("rev-parse", "HEAD");
      await host.moveBranch(clone, "master", commit);
      await deliver(webhook, { branch: "master", commit });
      await eventually("it is live", async () => (await sluice.get("quiet")).status === 200);
      expect(host.reports).to.deep.equal([]);
    } finally {
      await host.dispose();
    }
  });
});

async function deliveriesOf(sluice: TestSluice, app: string): Promise<DeliveryAnswer[]> {
  const authorization = `Bearer ${await sluice.token()}`;
  const { body } = await sluice.control(`/api/apps/${app}/deliveries`, { authorization });
  // As the API documents it.
  return JSON.parse(body) as DeliveryAnswer[];
}

/** The jobs that wait, as they stand in Redis. */
async function outboxOf(sluice: TestSluice): Promise<string> {
  const connection = await sluice.redis();
  try {
    return (await connection.redis.hvals("sluice:outbox:notify:jobs")).join("\n");
  } finally {
    connection.close();
  }
}
