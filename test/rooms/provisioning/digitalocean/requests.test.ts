import { expect } from "chai";
import { createServer } from "node:http";
import { PassThrough } from "node:stream";
import { inspect } from "node:util";
import { AppError } from "../../../../core/errors/app-error.js";
import { createLog } from "../../../../core/log.js";
import { eventually } from "../../../support/eventually.js";
import { DigitalOceanTrial, ORDER } from "../../../support/fakes/digitalocean-trial.js";
import { FakeClock } from "../../../support/fakes/fake-clock.js";
import { freePort } from "../../../support/network/free-port.js";

describe("requests to DigitalOcean", () => {
  let trial: DigitalOceanTrial;
  beforeEach(async () => (trial = await DigitalOceanTrial.start()));
  afterEach(async () => trial.close());

  const account = async (): Promise<unknown> => trial.client().account.read(trial.signal);
  const accountError = async (): Promise<AppError> => errorOf(account());

  it("read all pages of a list", async () => {
    trial.server.cloud.dropletLimit = 1000;
    for (let number = 1; number <= 401; number++)
      await trial.client().droplets.create({ ...ORDER, mark: `mark:${number}` }, trial.signal);
    const before = trial.count("GET /v2/droplets");
    const ids = (await trial.client().droplets.listByTag("sluice", trial.signal)).map(({ id }) => id);
    expect(new Set(ids).size).to.equal(401);
    expect(trial.count("GET /v2/droplets") - before).to.equal(3);
  });

  it("refuse a next page at another address, and one that was already read", async () => {
    const urls = [`http://127.0.0.2:1/v2/sizes?page=2`, "/v2/sizes?per_page=200"];
    const server = createServer((_request, response) =>
      response.end(JSON.stringify({ sizes: [], links: { pages: { next: urls.shift() } } })),
    );
    const port = await freePort();
    await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
    const client = trial.client({ url: `http://127.0.0.1:${port}` });
    const foreign = await errorOf(client.sizes.list(trial.signal));
    const endless = await errorOf(client.sizes.list(trial.signal));
    server.close();
    expect(foreign.code).to.equal("digitalocean-answer-invalid");
    expect(foreign.message).to.include(`its next page is not at http://127.0.0.1:${port}`);
    expect(endless.message).to.include("never end");
  });

  it("are repeated after a 429, as many seconds later as it says", async () => {
    trial.server.disrupt({ answer: 429, retryAfterSeconds: 7, times: 2 });
    await account();
    expect(trial.clock.slept.filter((ms) => ms > 0)).to.deep.equal([7000, 7000]);
    expect(trial.count("GET /v2/account")).to.equal(3);
  });

  it("fail at once when a 429 asks for a long pause, and so do later ones until it is over", async () => {
    const client = trial.client();
    trial.server.disrupt({ answer: 429, retryAfterSeconds: 1800 });
    for (let time = 0; time < 2; time++) {
      const error = await errorOf(client.account.read(trial.signal));
      expect(error).to.include({ code: "digitalocean-rate-limited", retryAfterSeconds: 1800 });
    }
    expect(trial.count("GET /v2/account")).to.equal(1);
  });

  it("are not sent when none are left until the limit is reset", async () => {
    const client = trial.client();
    trial.server.limitRequests(0);
    await client.account.read(trial.signal);
    const error = await errorOf(client.account.read(trial.signal));
    expect(error.code).to.equal("digitalocean-rate-limited");
    expect(error.retryAfterSeconds).to.be.within(3500, 3601);
  });

  it("are tried up to five times when a read fails, with growing pauses", async () => {
    trial.server.disrupt({ answer: 500, times: 2 });
    trial.server.disrupt({ answer: "lost" });
    await account();
    expect(trial.clock.slept).to.deep.equal([1000, 2000, 4000]);
    trial.server.disrupt({ answer: 503, times: 5 });
    expect(await accountError()).to.include({ code: "digitalocean-server-error", retriable: true });
    expect(trial.count("GET /v2/account")).to.equal(9);
  });

  it("time out when there is no response", async () => {
    const clock = new FakeClock();
    trial.server.disrupt({ answer: "never", times: 5 });
    let error: AppError | undefined;
    void errorOf(trial.client({ clock }).account.read(trial.signal)).then((thrown) => (error = thrown));
    await eventually("it ends", () => {
      clock.advance(10_000);
      return error !== undefined;
    });
    expect(error).to.include({ code: "digitalocean-unreachable" });
    expect(error?.message).to.include("no response within 30 s");
    expect(trial.count("GET /v2/account")).to.equal(5);
  });

  it("end with the signal's reason as soon as it aborts", async () => {
    trial.server.disrupt({ answer: "never" });
    const abort = new AbortController();
    const reading = trial.client().account.read(abort.signal);
    await eventually("it has arrived", () => trial.count("GET /v2/account") === 1);
    abort.abort(new Error("not needed any more"));
    expect(await reading.catch((error: unknown) => error)).to.include({ message: "not needed any more" });
  });

  it("name the address that cannot be reached", async () => {
    const port = await freePort();
    const client = trial.client({ url: `http://127.0.0.1:${port}` });
    const error = await errorOf(client.account.read(trial.signal));
    expect(error.code).to.equal("digitalocean-unreachable");
    expect(error.message).to.include(`127.0.0.1:${port}`).and.include("ECONNREFUSED");
  });

  it("report a rejected token, and the scopes that a token lacks", async () => {
    const refused = await errorOf(trial.client({ token: "dop_v1_revoked" }).account.read(trial.signal));
    expect(refused.code).to.equal("digitalocean-token-refused");
    trial.server.addToken("dop_v1_reads", ["droplet:read", "tag:read"]);
    const client = trial.client({ token: "dop_v1_reads" });
    const missing = await errorOf(client.droplets.create(ORDER, trial.signal));
    expect(missing.code).to.equal("digitalocean-scope-missing");
    expect(missing.hint).to.include("scopes droplet:create, tag:create, ssh_key:read");
    expect(trial.count("POST /v2/droplets")).to.equal(1);
  });

  it("never show the token in errors, logs or when inspected", async () => {
    const output = new PassThrough();
    const token = trial.server.token;
    const client = trial.client({ log: createLog(output, "debug") });
    trial.server.disrupt({ answer: 500, message: `internal: Bearer ${token}`, times: 5 });
    const error = await errorOf(client.account.read(trial.signal));
    const malformed = thrownBy(() => trial.client({ token: `${token}\n` }));
    expect(malformed).to.include({ code: "digitalocean-token-malformed" });
    for (const shown of [error, malformed, client].map((thing) => inspect(thing, { depth: 9 })))
      expect(shown).not.to.include(token);
    const lines = String(output.read());
    expect(lines).to.include("request to DigitalOcean failed").and.not.include(token);
  });

  it("show the reason when DigitalOcean refuses one", async () => {
    trial.server.disrupt({ answer: 422, message: "Name is already in use" });
    const error = await accountError();
    expect(error).to.include({ code: "digitalocean-request-refused", retriable: false });
    expect(error.message).to.include("Name is already in use");
  });

  it("report what is wrong with a response", async () => {
    const answers = ["<html>", '{"account": {"status": 5}}'];
    const server = createServer((_request, response) => response.end(answers.shift()));
    const port = await freePort();
    await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
    const client = trial.client({ url: `http://127.0.0.1:${port}` });
    const errors = [
      await errorOf(client.account.read(trial.signal)),
      await errorOf(client.account.read(trial.signal)),
    ];
    server.close();
    for (const { code } of errors) expect(code).to.equal("digitalocean-answer-invalid");
    expect(errors[0]?.message).to.include("not JSON");
    expect(errors[1]?.message).to.include("account.droplet_limit");
  });
});

async function errorOf(work: Promise<unknown>): Promise<AppError> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof AppError) return error;
  throw new Error(`not an AppError: ${inspect(error)}`);
}

function thrownBy(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  return undefined;
}
