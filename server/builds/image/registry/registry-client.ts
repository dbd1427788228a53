import { Agent } from "node:https";
import { z } from "zod";
import { AppError, isAppError } from "../../../../core/errors/app-error.js";
import { MANIFEST_TYPE, MANIFEST_TYPES } from "../image.js";
import {
  askRegistry,
  type RegistryAccess,
  type RegistryAnswer,
  type RegistryRequest,
} from "./registry-request.js";

/** What is uploaded, under the digest of its content. */
export interface Blob {
  readonly digest: string;
  readonly content: Buffer | { readonly file: string; readonly bytes: number };
}

/** Distribution takes uploads one by one for each connection. */
const MOST_CONNECTIONS = 4;
/** How the file system's driver says ENOSPC and EDQUOT. */
const NO_ROOM = /"Err":(?:28|122)\b|no space left on device|disk quota exceeded/;
const repositoriesSchema = z.object({ repositories: z.array(z.string()).nullable() });
const tagsSchema = z.object({ tags: z.array(z.string()).nullable() });
const PAGE = 1000;

/**
 * A registry of images (HTTP API V2). Every method can be called again with the same effect. Throws `registry-unreachable`,
 * `registry-untrusted`, `registry-login-refused`, `registry-full`, `registry-failed`.
 */
export class RegistryClient {
  private readonly agent = new Agent({ keepAlive: true, maxSockets: MOST_CONNECTIONS });

  constructor(private readonly access: RegistryAccess) {}

  async hasBlob(repository: string, digest: string, signal: AbortSignal): Promise<boolean> {
    const url = `/v2/${repository}/blobs/${digest}`;
    return (await this.ask({ method: "HEAD", url }, [200, 404], signal)).status === 200;
  }

  /** Sends a blob; when `from`, another repository, has it, nothing is sent. */
  async upload(
    repository: string,
    blob: Blob,
    from: string | undefined,
    signal: AbortSignal,
  ): Promise<"mounted" | "sent"> {
    const { digest, content } = blob;
    const mount = from === undefined ? "" : `?${new URLSearchParams({ mount: digest, from }).toString()}`;
    const url = `/v2/${repository}/blobs/uploads/${mount}`;
    const begun = await this.ask({ method: "POST", url }, [201, 202], signal);
    if (begun.status === 201) return "mounted";
    const target = new URL(begun.headers.location ?? "", `https://${this.access.address}`);
    target.searchParams.set("digest", digest);
    const headers = { "content-type": "application/octet-stream" };
    await this.ask({ method: "PUT", url: target.href, headers, body: content }, [201], signal);
    return "sent";
  }

  async putManifest(repository: string, tag: string, manifest: Buffer, signal: AbortSignal): Promise<void> {
    const url = `/v2/${repository}/manifests/${tag}`;
    const headers = { "content-type": MANIFEST_TYPE };
    await this.ask({ method: "PUT", url, headers, body: manifest }, [201], signal);
  }

  /** The digest of the image that a tag names; undefined when there is none. */
  async digestOf(repository: string, tag: string, signal: AbortSignal): Promise<string | undefined> {
    const url = `/v2/${repository}/manifests/${tag}`;
    const answer = await this.ask(
      { method: "HEAD", url, headers: { accept: MANIFEST_TYPES } },
      [200, 404],
      signal,
    );
    const digest = answer.headers["docker-content-digest"];
    return answer.status === 200 && typeof digest === "string" ? digest : undefined;
  }

  /** Forgets an image and its tags; its layers lie there until garbage is collected. */
  async deleteImage(repository: string, digest: string, signal: AbortSignal): Promise<void> {
    await this.ask({ method: "DELETE", url: `/v2/${repository}/manifests/${digest}` }, [202, 404], signal);
  }

  async tags(repository: string, signal: AbortSignal): Promise<string[]> {
    const answer = await this.ask({ method: "GET", url: `/v2/${repository}/tags/list` }, [200, 404], signal);
    return answer.status === 404 ? [] : (this.parsed(answer, tagsSchema).tags ?? []);
  }

  async repositories(signal: AbortSignal): Promise<string[]> {
    const found: string[] = [];
    for (let last = ""; ; last = found.at(-1) ?? "") {
      const after = last === "" ? "" : `&last=${encodeURIComponent(last)}`;
      const answer = await this.ask({ method: "GET", url: `/v2/_catalog?n=${PAGE}${after}` }, [200], signal);
      const page = this.parsed(answer, repositoriesSchema).repositories ?? [];
      found.push(...page);
      if (page.length < PAGE) return found;
    }
  }

  /** Gives its connections back. */
  close(): void {
    this.agent.destroy();
  }

  private async ask(
    asked: RegistryRequest,
    expected: readonly number[],
    signal: AbortSignal,
  ): Promise<RegistryAnswer> {
    const answer = await askRegistry(this.access, this.agent, asked, signal);
    if (expected.includes(answer.status)) return answer;
    throw refusal(this.access.address, asked, answer);
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

/** What an answer that was not expected means. Pure. */
export function refusal(
  address: string,
  { method, url }: Pick<RegistryRequest, "method" | "url">,
  { status, text }: Pick<RegistryAnswer, "status" | "text">,
): AppError {
  if (status === 401 || status === 403) return new AppError("registry-login-refused", { address });
  if (status === 507 || (status >= 500 && NO_ROOM.test(text)))
    return new AppError("registry-full", { address });
  // What follows the path is the registry's own, and long.
  const request = `${method} ${new URL(url, `https://${address}`).pathname}`;
  return new AppError("registry-failed", { address, request, status, reason: text });
}

/** Whether another try may go better: not for a password or certificate that is refused. */
export function isWorthAnotherTry(error: unknown): boolean {
  return isAppError(error, "registry-unreachable", "registry-failed");
}
