import { Agent } from "node:https";
import { z } from "zod";
import { AppError, isAppError } from "../../../../core/errors/app-error.js";
import { MANIFEST_TYPE, MANIFEST_TYPES } from "../image.js";
import { registryPlace, type RegistryAccess } from "./registry-access.js";
import { RegistryLogin } from "./registry-login.js";
import { refusalOf } from "./registry-refusal.js";
import { askRegistry, type RegistryAnswer, type RegistryRequest } from "./registry-request.js";

/** What is uploaded, under the digest of its content. */
export interface Blob {
  readonly digest: string;
  readonly content: Buffer | { readonly file: string; readonly bytes: number };
}

/** What names an image's layers, byte by byte as it was pushed. */
export interface Manifest {
  readonly type: string;
  readonly text: string;
}

/** Distribution takes uploads one by one for each connection. */
const MOST_CONNECTIONS = 4;
const MOST_REDIRECTS = 3;
const MOVED = [301, 302, 303, 307, 308];
const repositoriesSchema = z.object({ repositories: z.array(z.string()).nullable() });
const tagsSchema = z.object({ tags: z.array(z.string()).nullable() });
const PAGE = 1000;
/** How a registry says that nobody may delete, or not we. */
const NO_DELETION = new Set([401, 403, 405]);

/**
 * A registry of images (HTTP API V2). Names of repositories are without its prefix. Every method can be called again with the
 * same effect. Throws `registry-unreachable`, `registry-untrusted`, `registry-login-refused`, `registry-forbidden`,
 * `registry-repository-missing`, `registry-quota-reached`, `registry-full`, `registry-failed`.
 */
export class RegistryClient {
  private readonly agent = new Agent({ keepAlive: true, maxSockets: MOST_CONNECTIONS });
  private readonly login: RegistryLogin;
  /** What the names of its images begin with: `HOST:PORT/PREFIX`. */
  readonly place: string;

  constructor(private readonly access: RegistryAccess) {
    this.place = registryPlace(access);
    this.login = new RegistryLogin({ access, agent: this.agent }, access);
  }

  async hasBlob(repository: string, digest: string, signal: AbortSignal): Promise<boolean> {
    const url = this.path(repository, `blobs/${digest}`);
    // Some keep their layers elsewhere, and point there.
    const found = await this.ask(
      this.pushScope(repository),
      { method: "HEAD", url },
      [200, ...MOVED, 404],
      signal,
    );
    return found.status !== 404;
  }

  /** Sends a blob; when `from`, another repository, has it, nothing is sent. */
  async upload(
    repository: string,
    blob: Blob,
    from: string | undefined,
    signal: AbortSignal,
  ): Promise<"mounted" | "sent"> {
    const { digest, content } = blob;
    const begun = await this.begin(repository, digest, from, signal);
    if (begun === "mounted") return begun;
    begun.searchParams.set("digest", digest);
    const headers = { "content-type": "application/octet-stream" };
    const asked = { method: "PUT" as const, url: begun.href, headers, body: content };
    await this.ask(this.pushScope(repository), asked, [201], signal);
    return "sent";
  }

  /** Takes a blob from another repository, if the registry finds it there and does such a thing. Returns whether it did. */
  async mount(repository: string, digest: string, from: string, signal: AbortSignal): Promise<boolean> {
    const begun = await this.begin(repository, digest, from, signal);
    if (begun === "mounted") return true;
    await this.cancel(repository, begun, signal);
    return false;
  }

  /** Whether it takes what is pushed to a repository: begins an upload, and cancels it. */
  async checkPush(repository: string, signal: AbortSignal): Promise<void> {
    const begun = await this.begin(repository, "", undefined, signal);
    if (begun !== "mounted") await this.cancel(repository, begun, signal);
  }

  async putManifest(
    repository: string,
    tag: string,
    manifest: Buffer,
    signal: AbortSignal,
    type = MANIFEST_TYPE,
  ): Promise<void> {
    const url = this.path(repository, `manifests/${tag}`);
    const headers = { "content-type": type };
    await this.ask(
      this.pushScope(repository),
      { method: "PUT", url, headers, body: manifest },
      [201],
      signal,
    );
  }

  /** Undefined when there is none. */
  async manifest(repository: string, digest: string, signal: AbortSignal): Promise<Manifest | undefined> {
    const url = this.path(repository, `manifests/${digest}`);
    const headers = { accept: MANIFEST_TYPES };
    const answer = await this.ask(
      this.pushScope(repository),
      { method: "GET", url, headers },
      [200, 404],
      signal,
    );
    if (answer.status === 404) return undefined;
    return { type: answer.headers["content-type"] ?? MANIFEST_TYPE, text: answer.text };
  }

  /** Writes a blob to a file, from wherever the registry keeps it. */
  async download(repository: string, digest: string, file: string, signal: AbortSignal): Promise<void> {
    const asked = { method: "GET" as const, into: file };
    let url = this.path(repository, `blobs/${digest}`);
    for (let redirects = 0; ; redirects++) {
      const expected = redirects < MOST_REDIRECTS ? [200, ...MOVED] : [200];
      const answer = await this.ask(this.pushScope(repository), { ...asked, url }, expected, signal);
      if (answer.status === 200) return;
      url = this.locationOf(answer, url).href;
    }
  }

  /** The digest of the image that a tag names; undefined when there is none. */
  async digestOf(repository: string, tag: string, signal: AbortSignal): Promise<string | undefined> {
    const url = this.path(repository, `manifests/${tag}`);
    const asked = { method: "HEAD" as const, url, headers: { accept: MANIFEST_TYPES } };
    const answer = await this.ask(this.pushScope(repository), asked, [200, 404], signal);
    const digest = answer.headers["docker-content-digest"];
    return answer.status === 200 && typeof digest === "string" ? digest : undefined;
  }

  /**
   * Forgets an image and its tags; its layers lie there until garbage is collected. Returns `false` where the registry lets nobody
   * delete, or not us.
   */
  async deleteImage(repository: string, digest: string, signal: AbortSignal): Promise<boolean> {
    const asked = { method: "DELETE" as const, url: this.path(repository, `manifests/${digest}`) };
    const scope = `repository:${this.nameOf(repository)}:delete`;
    const answer = await this.answerTo(scope, asked, signal).catch((error: unknown) => {
      // The server that gives tokens gives none for this.
      if (isAppError(error, "registry-forbidden")) return undefined;
      throw error;
    });
    if (answer === undefined || NO_DELETION.has(answer.status)) return false;
    if (answer.status === 202 || answer.status === 200 || answer.status === 404) return true;
    throw this.refusal(asked, answer);
  }

  async tags(repository: string, signal: AbortSignal): Promise<string[]> {
    const url = this.path(repository, "tags/list");
    const answer = await this.ask(this.pushScope(repository), { method: "GET", url }, [200, 404], signal);
    return answer.status === 404 ? [] : (this.parsed(answer, tagsSchema).tags ?? []);
  }

  /** All that there are below the prefix. Outside registries rarely tell. */
  async repositories(signal: AbortSignal): Promise<string[]> {
    const found: string[] = [];
    const start = this.nameOf("");
    for (let last = ""; ; last = found.at(-1) ?? "") {
      const after = last === "" ? "" : `&last=${encodeURIComponent(last)}`;
      const asked = { method: "GET" as const, url: `/v2/_catalog?n=${PAGE}${after}` };
      const answer = await this.ask("registry:catalog:*", asked, [200], signal);
      const page = this.parsed(answer, repositoriesSchema).repositories ?? [];
      found.push(...page);
      if (page.length < PAGE) break;
    }
    return found.filter((name) => name.startsWith(start)).map((name) => name.slice(start.length));
  }

  /** Gives its connections back. */
  close(): void {
    this.agent.destroy();
  }

  /** Begins an upload. Returns where it goes on, if the blob is not taken from another repository. */
  private async begin(
    repository: string,
    digest: string,
    from: string | undefined,
    signal: AbortSignal,
  ): Promise<URL | "mounted"> {
    const [push, url] = [this.pushScope(repository), this.path(repository, "blobs/uploads/")];
    const mount = from === undefined ? undefined : { mount: digest, from: this.nameOf(from) };
    const asked = { method: "POST" as const, url };
    const begun =
      mount === undefined
        ? await this.ask(push, asked, [202], signal)
        : await this.ask(
            `${push} repository:${mount.from}:pull`,
            { ...asked, url: `${url}?${new URLSearchParams(mount).toString()}` },
            [201, 202],
            signal,
          );
    return begun.status === 201 ? "mounted" : this.locationOf(begun);
  }

  /** What was begun and never sent is removed by the registry itself after a while. */
  private async cancel(repository: string, begun: URL, signal: AbortSignal): Promise<void> {
    const asked = { method: "DELETE" as const, url: begun.href };
    await this.answerTo(this.pushScope(repository), asked, signal).catch(() => undefined);
  }

  /** `scope`: what a token must allow for it; the server that gives tokens leaves out what we may not do. */
  private async ask(
    scope: string,
    asked: RegistryRequest,
    expected: readonly number[],
    signal: AbortSignal,
  ): Promise<RegistryAnswer> {
    const answer = await this.answerTo(scope, asked, signal);
    if (expected.includes(answer.status)) return answer;
    throw this.refusal(asked, answer);
  }

  private async answerTo(
    scope: string,
    asked: RegistryRequest,
    signal: AbortSignal,
  ): Promise<RegistryAnswer> {
    const connection = { access: this.access, agent: this.agent };
    const header = await this.login.headerFor(scope, signal);
    const answer = await askRegistry(connection, asked, header, signal);
    if (answer.status !== 401) return answer;
    const renewed = await this.login.renewedHeaderFor(scope, answer, signal);
    return renewed === undefined ? answer : askRegistry(connection, asked, renewed, signal);
  }

  /** One token for all that a push does in a repository. Who may only read gets one for that. */
  private pushScope(repository: string): string {
    return `repository:${this.nameOf(repository)}:pull,push`;
  }

  private nameOf(repository: string): string {
    const { prefix } = this.access;
    return prefix === "" ? repository : `${prefix}/${repository}`;
  }

  private path(repository: string, rest: string): string {
    return `/v2/${this.nameOf(repository)}/${rest}`;
  }

  private locationOf({ headers }: RegistryAnswer, from = "/"): URL {
    return new URL(headers.location ?? "", new URL(from, `https://${this.access.address}`));
  }

  private refusal(asked: RegistryRequest, answer: RegistryAnswer): AppError {
    const { address } = this.access;
    return refusalOf({ address, asked, answer, isKnown: this.login.hasTokens });
  }

  private parsed<T>(answer: RegistryAnswer, schema: z.ZodType<T>): T {
    try {
      return schema.parse(JSON.parse(answer.text));
    } catch (error) {
      const { address } = this.access;
      const values = { address, request: "GET", status: answer.status, reason: answer.text };
      throw new AppError("registry-failed", values, { cause: error });
    }
  }
}

/** Whether another try may go better: not for a login or certificate that is refused. */
export function isWorthAnotherTry(error: unknown): boolean {
  return isAppError(error, "registry-unreachable", "registry-failed");
}
