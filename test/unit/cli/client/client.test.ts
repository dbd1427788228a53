import { expect } from "chai";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { Client } from "../../../../cli/client/client.js";
import { untilAnswered } from "../../../../cli/client/until-answered.js";
import type { Context } from "../../../../cli/start/context.js";
import { appsSchema } from "../../../../core/api/apps/apps.js";
import { configSchema } from "../../../../core/api/apps/config.js";
import { begunSchema } from "../../../../core/api/machines/provision.js";
import { workLineSchema } from "../../../../core/api/work.js";
import { Home } from "../../../../core/home.js";
import { freePort } from "../../../support/network/free-port.js";
import { HttpReceiver } from "../../../support/network/http-receiver.js";

const WORK = { line: workLineSchema, done: z.object({ release: z.string() }) };

describe("the CLI's client", () => {
  let folder: string;
  let server: HttpReceiver;
  let client: Client;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "sluice-client-"));
    server = await HttpReceiver.start();
    const settings = { bind: "127.0.0.1", controlPort: server.port, token: "a-token" };
    // All that it looks at.
    client = new Client({ home: new Home(folder), settings, env: {} } as Context);
  });
  after(async () => {
    await server.stop();
    await rm(folder, { recursive: true });
  });

  const answers = (status: number, text: string): void => {
    server.answer = (response) => response.writeHead(status).end(text);
  };
  const failure = async (
    call: Promise<unknown>,
  ): Promise<{ code?: string; message: string; hint?: string }> =>
    call.then(
      () => ({ message: "no failure" }),
      (error: unknown) => error as { code?: string; message: string; hint?: string },
    );

  it("keeps what a later server adds to an answer", async () => {
    const app = { app: "shop", tracks: [], instances: [], colour: "blue" };
    answers(200, JSON.stringify([app]));
    expect(await client.call("GET", "/api/apps", appsSchema)).to.deep.equal([app]);
  });

  it("says of an answer that has another shape what was asked, what is wrong with it, and what to do", async () => {
    answers(200, JSON.stringify([{ app: "shop", tracks: {}, instances: [] }]));
    const { code, message, hint } = await failure(client.call("GET", "/api/apps", appsSchema));
    expect(code).to.equal("answer-unreadable");
    expect(message).to.match(
      /^The answer to GET \/api\/apps was not understood: 0\.tracks: .*expected array/,
    );
    expect(hint).to.include("a different version");
  });

  describe("whose connection breaks before the answer", () => {
    let pauses: number[];
    let asked: number;
    beforeEach(() => ([pauses, asked] = [[], 0]));
    const breaks = (times: number): void => {
      server.answer = (response) => {
        if (++asked > times) response.writeHead(202).end(JSON.stringify({ host: "web-1", after: "0" }));
        else response.destroy();
      };
    };
    const order = async (): Promise<unknown> =>
      untilAnswered(
        async () => client.call("POST", "/api/hosts", begunSchema, { role: "production" }),
        async (ms) => void pauses.push(ms),
      );

    it("says that it was lost, not that there is no server", async () => {
      breaks(1);
      expect((await failure(client.call("POST", "/api/hosts", begunSchema))).code).to.equal(
        "connection-lost",
      );
    });

    it("sends it again, where that has no other effect", async () => {
      breaks(2);
      expect(await order()).to.deep.equal({ host: "web-1", after: "0" });
      expect(pauses).to.have.length(2);
    });

    it("gives up after some tries", async () => {
      breaks(100);
      expect((await failure(order())).code).to.equal("connection-lost");
      expect(asked).to.equal(15);
    });

    it("does not wait for a server that was not there", async () => {
      const nobody = new Client({
        ...{ home: new Home(folder), env: {} },
        settings: { bind: "127.0.0.1", controlPort: await freePort(), token: "a-token" },
      } as Context);
      const call = async (): Promise<unknown> => nobody.call("POST", "/api/hosts", begunSchema);
      const sleep = async (ms: number): Promise<void> => void pauses.push(ms);
      expect((await failure(untilAnswered(call, sleep))).code).to.equal("not-running");
      expect(pauses).to.deep.equal([]);
    });
  });

  it("does not take a page for an answer, nor a failure without a reason for success", async () => {
    answers(200, "<html>");
    expect(await failure(client.call("GET", "/api/apps", appsSchema))).to.include({
      code: "answer-unreadable",
    });
    answers(502, "{}");
    expect(await failure(client.send("DELETE", "/api/apps/shop"))).to.include({ code: "answer-unreadable" });
  });

  it("passes on what the server says is wrong", async () => {
    const error = { code: "app-unknown", message: "There is no app.", hint: "Push one." };
    answers(404, JSON.stringify({ error }));
    expect(await failure(client.call("GET", "/api/apps", appsSchema))).to.include(error);
  });

  it("takes a variable that is called error for what it is", async () => {
    answers(200, '{"error":"none"}');
    expect(await client.call("GET", "/api/apps/shop/config", configSchema)).to.deep.equal({ error: "none" });
  });

  it("asks at the port where the state folder's path is too long for a socket", async () => {
    const settings = { bind: "127.0.0.1", controlPort: server.port, token: "a-token" };
    const far = new Client({
      home: new Home(join(folder, "x".repeat(100))),
      settings,
      env: {},
    } as Context);
    answers(200, "[]");
    expect(await far.call("GET", "/api/apps", appsSchema)).to.deep.equal([]);
  });

  it("reads a stream line by line, and what was done", async () => {
    answers(200, '{"line":"one"}\n{"line":"two","at":1}\n{"done":{"release":"v2","more":1}}\n');
    const lines: string[] = [];
    const done = await client.stream("POST", "/api/apps/shop/promote", WORK, ({ line }) => lines.push(line));
    expect(lines).to.deep.equal(["one", "two"]);
    expect(done).to.deep.equal({ release: "v2", more: 1 });
  });

  it("tells a line that it does not understand from a stream that was cut short", async () => {
    const read = async (): Promise<unknown> =>
      client.stream("POST", "/api/apps/shop/promote", WORK, () => undefined);
    answers(200, '{"line":1}\n');
    expect(await failure(read())).to.include({ code: "answer-unreadable" });
    answers(200, '{"done":{}}\n');
    expect(await failure(read())).to.include({ code: "answer-unreadable" });
    answers(200, '{"line":"one"}\n');
    expect(await failure(read())).to.include({ code: "connection-lost" });
  });
});
