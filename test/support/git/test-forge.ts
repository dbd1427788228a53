import { execa } from "execa";
import { spawn } from "node:child_process";
import { createHmac } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, normalize } from "node:path";
import ssh2 from "ssh2";
import { newSshKeyPair } from "../../../core/ssh-key-pair.js";
import { ask } from "../network/ask.js";
import { HttpReceiver, type Received } from "../network/http-receiver.js";
import { TestClone } from "./test-clone.js";
import type { HttpAnswer } from "../running/test-sluice.js";

/**
 * A forge with one bare repository, that can be read over HTTP (with a password) and SSH (with a key), fires webhooks, and
 * has an API (below `/api/`) that keeps what it is told.
 */
export class TestForge {
  /** Lines of `authorized_keys`. */
  readonly deployKeys = new Set<string>();
  /** What its API answers. */
  answer: HttpReceiver["answer"] = (response) => response.writeHead(201).end("{}");

  private constructor(
    private readonly folder: string,
    private http: HttpReceiver,
    private readonly ssh: ssh2.Server,
    readonly repository: string,
  ) {}

  static async start(): Promise<TestForge> {
    const folder = await mkdtemp(join(tmpdir(), "sluice-git-host-"));
    const repository = join(folder, "owner/shop.git");
    await execa("git", ["init", "--quiet", "--bare", "--initial-branch=master", repository]);
    const keys: Set<string>[] = [];
    const ssh = new ssh2.Server({ hostKeys: [newSshKeyPair("host").privateKey] }, (client) => {
      client.on("error", () => undefined);
      client.on("authentication", (context) => {
        const isKnown =
          context.method === "publickey" &&
          [...(keys[0] ?? [])].some((line) => line.includes(context.key.data.toString("base64")));
        if (isKnown) context.accept();
        else context.reject(["publickey"]);
      });
      client.on("session", (accept) =>
        accept().on("exec", (acceptExec, _reject, { command }) => {
          const channel = acceptExec();
          const [, path = ""] = /^git-upload-pack '(.*)'$/.exec(command) ?? [];
          const child = spawn("git", ["upload-pack", path]);
          channel.pipe(child.stdin);
          child.stdin.on("error", () => undefined);
          child.stdout.pipe(channel, { end: false });
          child.on("close", (status) => {
            channel.exit(status ?? 1);
            channel.end();
          });
        }),
      );
    });
    const host = new TestForge(folder, await HttpReceiver.start(), ssh, repository);
    host.http.answer = host.answerHttp;
    keys.push(host.deployKeys);
    await new Promise<void>((resolve) => ssh.listen(0, "127.0.0.1", resolve));
    return host;
  }

  get fileUrl(): string {
    return `file://${this.repository}`;
  }

  get httpUrl(): string {
    return `http://reader:secret@127.0.0.1:${this.http.port}/owner/shop.git`;
  }

  get sshUrl(): string {
    return `ssh://git@127.0.0.1:${portOf(this.ssh.address())}${this.repository}`;
  }

  /** A developer's clone of it; its remote is called `sluice`, as in every `TestClone`. */
  async clone(files: Record<string, string>): Promise<TestClone> {
    return TestClone.make(
      join(this.folder, `clone-${Math.random().toString(36).slice(2)}`),
      this.repository,
      files,
    );
  }

  /** A branch of the repository stands there from now on, wherever it stood. */
  async moveBranch(clone: TestClone, branch: string, commit: string): Promise<void> {
    await clone.git("push", "--quiet", "sluice", `+${commit}:refs/heads/${branch}`);
    await this.publish();
  }

  /** Its default branch, which cannot be deleted by a push. */
  async setHead(branch: string): Promise<void> {
    await execa("git", ["-C", this.repository, "symbolic-ref", "HEAD", `refs/heads/${branch}`]);
  }

  /** For those who read it over HTTP. */
  async publish(): Promise<void> {
    await execa("git", ["-C", this.repository, "update-server-info"]);
  }

  /** What its API was told. */
  get reports(): Received[] {
    return this.http.received.filter(({ path }) => path.startsWith("/api/"));
  }

  /** Refuses connections of HTTP meanwhile. */
  async withoutHttp(job: () => Promise<void>): Promise<void> {
    const { port, received } = this.http;
    await this.http.stop();
    try {
      await job();
    } finally {
      this.http = await HttpReceiver.start(port);
      this.http.received.push(...received);
      this.http.answer = this.answerHttp;
    }
  }

  private readonly answerHttp = (response: ServerResponse, request: Received): void => {
    if (request.path.startsWith("/api/")) {
      this.answer(response, request);
      return;
    }
    // The "dumb" protocol: files, as they lie there (gitprotocol-http(5)).
    const isKnown = request.headers.authorization === `Basic ${btoa("reader:secret")}`;
    const path = normalize(join(this.folder, new URL(request.path, "http://x").pathname));
    if (!isKnown) response.writeHead(401, { "www-authenticate": 'Basic realm="git"' }).end();
    else
      readFile(path).then(
        (bytes) => response.end(bytes),
        () => response.writeHead(404).end(),
      );
  };

  async dispose(): Promise<void> {
    await this.http.stop();
    this.ssh.close();
    await rm(this.folder, { recursive: true, force: true });
  }
}

export interface Push {
  readonly branch: string;
  readonly commit: string;
  readonly id?: string;
  /** Whose form it has; GitHub's if nothing is said. */
  readonly form?: keyof typeof FORMS;
  readonly headers?: Record<string, string>;
}

/** A push event; zeros as the commit tell of a deletion (but at Gitea). */
export async function deliver(
  { url, secret }: { readonly url: string; readonly secret: string },
  { branch, commit, id = Math.random().toString(36).slice(2), form = "github", headers = {} }: Push,
): Promise<HttpAnswer> {
  const body = JSON.stringify({ ref: `refs/heads/${branch}`, after: commit, commits: [] });
  const { host, pathname } = new URL(url);
  const hex = createHmac("sha256", secret).update(body).digest("hex");
  return ask(host, {
    path: pathname,
    method: "POST",
    body,
    headers: { "content-type": "application/json", ...FORMS[form]({ id, hex, secret }), ...headers },
  });
}

interface Proof {
  readonly id: string;
  /** HMAC-SHA256 of the body. */
  readonly hex: string;
  readonly secret: string;
}

const FORMS = {
  github: ({ id, hex }: Proof) => ({
    "x-github-event": "push",
    "x-github-delivery": id,
    "x-hub-signature-256": `sha256=${hex}`,
  }),
  gitea: ({ id, hex }: Proof) => ({
    "x-gitea-event": "push",
    "x-github-event": "push",
    "x-gitea-delivery": id,
    "x-gitea-signature": hex,
  }),
  gitlab: ({ id, secret }: Proof) => ({
    "x-gitlab-event": "Push Hook",
    "idempotency-key": id,
    "x-gitlab-token": secret,
  }),
};

export const DELETED = "0".repeat(40);

function portOf(address: string | AddressInfo | null): number {
  return typeof address === "object" && address !== null ? address.port : 0;
}
