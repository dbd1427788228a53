import { execa } from "execa";
import { spawn } from "node:child_process";
import { createHmac } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, normalize } from "node:path";
import ssh2 from "ssh2";
import { newSshKeyPair } from "../../core/ssh-key-pair.js";
import { ask } from "./ask.js";
import { TestClone } from "./test-clone.js";
import type { HttpAnswer } from "./test-sluice.js";

/** A Git host with one bare repository, that can be read over HTTP (with a password) and SSH (with a key), and fires webhooks. */
export class TestGitHost {
  /** Lines of `authorized_keys`. */
  readonly deployKeys = new Set<string>();

  private constructor(
    private readonly folder: string,
    private readonly http: Server,
    private readonly ssh: ssh2.Server,
    readonly repository: string,
  ) {}

  static async start(): Promise<TestGitHost> {
    const folder = await mkdtemp(join(tmpdir(), "sluice-git-host-"));
    const repository = join(folder, "shop.git");
    await execa("git", ["init", "--quiet", "--bare", "--initial-branch=master", repository]);
    const keys: Set<string>[] = [];
    const http = createServer((request, response) => {
      // The "dumb" protocol: files, as they lie there (gitprotocol-http(5)).
      const isKnown = request.headers.authorization === `Basic ${btoa("reader:secret")}`;
      const path = normalize(join(folder, new URL(request.url ?? "/", "http://x").pathname));
      if (!isKnown) response.writeHead(401, { "www-authenticate": 'Basic realm="git"' }).end();
      else
        readFile(path).then(
          (bytes) => response.end(bytes),
          () => response.writeHead(404).end(),
        );
    });
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
    const host = new TestGitHost(folder, http, ssh, repository);
    keys.push(host.deployKeys);
    await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
    await new Promise<void>((resolve) => ssh.listen(0, "127.0.0.1", resolve));
    return host;
  }

  get fileUrl(): string {
    return `file://${this.repository}`;
  }

  get httpUrl(): string {
    return `http://reader:secret@127.0.0.1:${portOf(this.http.address())}/shop.git`;
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

  /** For those who read it over HTTP. */
  async publish(): Promise<void> {
    await execa("git", ["-C", this.repository, "update-server-info"]);
  }

  async dispose(): Promise<void> {
    this.http.close();
    this.http.closeAllConnections();
    this.ssh.close();
    await rm(this.folder, { recursive: true, force: true });
  }
}

export interface Push {
  readonly branch: string;
  readonly commit: string;
  readonly id?: string;
  readonly headers?: Record<string, string>;
}

/** A push event in GitHub's form; zeros as the commit tell of a deletion. */
export async function deliver(
  { url, secret }: { readonly url: string; readonly secret: string },
  { branch, commit, id = Math.random().toString(36).slice(2), headers = {} }: Push,
): Promise<HttpAnswer> {
  const body = JSON.stringify({ ref: `refs/heads/${branch}`, after: commit, commits: [] });
  const { host, pathname } = new URL(url);
  return ask(host, {
    path: pathname,
    method: "POST",
    body,
    headers: {
      "content-type": "application/json",
      "x-github-event": "push",
      "x-github-delivery": id,
      "x-hub-signature-256": `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`,
      ...headers,
    },
  });
}

export const DELETED = "0".repeat(40);

function portOf(address: string | AddressInfo | null): number {
  return typeof address === "object" && address !== null ? address.port : 0;
}
