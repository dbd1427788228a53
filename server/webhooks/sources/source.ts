import { createHash } from "node:crypto";
import { join } from "node:path";
import { AppError } from "../../../core/errors/app-error.js";
import { atLowPriority } from "../../../core/exec/low-priority.js";
import { runCommand } from "../../../core/exec/exec.js";
import { branchOfRef } from "../../../core/names.js";
import { quote } from "../../../core/exec/quote.js";
import { gitEnvironment } from "../../git/git-environment.js";
import type { WebhooksNeeds } from "../needs.js";
import { withKeyFile } from "./key-file.js";
import { shownSource } from "./source-address.js";
import { SourceLimits, type SourceLimitsOptions } from "./source-limits.js";
import type { Webhook } from "../webhook-store.js";

const HEADS_TIMEOUT_MS = 30_000;
const FETCH_TIMEOUT_MS = 300_000;
const CONNECT_SECONDS = 10;

type SourceTools = Pick<WebhooksNeeds, "home" | "networkEnv">;

/** The repositories elsewhere that apps hang on, read by git. */
export class Sources {
  private readonly limits: SourceLimits;

  constructor(
    private readonly tools: SourceTools,
    limits: SourceLimitsOptions,
  ) {
    this.limits = new SourceLimits(limits);
  }

  /** Branches of an app's source and their commits, now. Throws `source-missing`, `source-unreachable`. */
  async heads(webhook: Webhook, signal: AbortSignal): Promise<Map<string, string>> {
    const lines = await this.git(webhook, (url) => ["ls-remote", "--heads", "--", url], {
      signal,
      timeoutMs: HEADS_TIMEOUT_MS,
    });
    const heads = lines.flatMap((line) => {
      const [, commit, ref] = /^([0-9a-f]{40,64})\t(\S+)$/.exec(line) ?? [];
      const branch = ref === undefined ? undefined : branchOfRef(ref);
      return commit === undefined || branch === undefined ? [] : [[branch, commit] as const];
    });
    return new Map(heads);
  }

  /**
   * Fetches a branch of the source into the app's repository, beside its own branches. Returns its commit; undefined when
   * the source has no such branch. Throws as `heads`.
   */
  async fetch(webhook: Webhook, branch: string, signal: AbortSignal): Promise<string | undefined> {
    const head = (await this.heads(webhook, signal)).get(branch);
    if (head === undefined) return undefined;
    const into = `+refs/heads/${branch}:${fetchedRef(branch)}`;
    const repository = this.tools.home.repository(webhook.app);
    const flags = ["--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", "--quiet"];
    await this.git(
      webhook,
      (url) => ["-C", repository, "-c", "fetch.fsckObjects=true", "fetch", ...flags, "--", url, into],
      { signal, timeoutMs: FETCH_TIMEOUT_MS },
    );
    return head;
  }

  /** Runs one git command on the source when its host's turn has come; the timeout counts from then. */
  private async git(
    webhook: Webhook,
    args: (url: string) => string[],
    { signal, timeoutMs }: { readonly signal: AbortSignal; readonly timeoutMs: number },
  ): Promise<string[]> {
    const { app, source } = webhook;
    if (source === undefined) throw new AppError("source-missing", { app });
    return this.limits.run(source, signal, async () =>
      runGit(this.tools, { ...webhook, source }, args(source), { signal, timeoutMs }),
    );
  }
}

/**
 * Where a fetched branch stands until it is released. One flat name for each branch: `feature` must not stand in the way
 * of `feature/login` when it has long been deleted at the source.
 */
export function fetchedRef(branch: string): string {
  return `refs/sluice/source/${createHash("sha256").update(branch).digest("hex")}`;
}

/** Not by simple-git, which would end git alone and not the ssh or helper that git has started. */
async function runGit(
  { home, networkEnv }: SourceTools,
  { app, source, privateKey }: Webhook & { readonly source: string },
  args: readonly string[],
  { signal, timeoutMs }: { readonly signal: AbortSignal; readonly timeoutMs: number },
): Promise<string[]> {
  const lines: string[] = [];
  const refused = (reason: string): AppError =>
    new AppError("source-unreachable", {
      app,
      source: shownSource(source),
      reason: reason.replaceAll(source, shownSource(source)),
    });
  const deadline = AbortSignal.timeout(timeoutMs);
  try {
    const exit = await withKeyFile(home, app, privateKey, async (keyFile) =>
      runCommand(
        {
          argv: atLowPriority(["git", ...args]),
          cwd: home.root,
          env: sourceEnvironment(home.gitHome(), networkEnv, keyFile),
        },
        { signal: AbortSignal.any([signal, deadline]), onLine: (line) => lines.push(line) },
      ),
    );
    if (exit.status !== 0)
      throw refused(
        lines
          .filter((line) => line.trim() !== "")
          .slice(0, 3)
          .join("; ") || "git failed",
      );
    return lines;
  } catch (error) {
    if (deadline.aborted && !signal.aborted) throw refused(`no answer within ${timeoutMs / 1000} s`);
    throw error;
  }
}

/** A host's key is believed the first time and must be the same ever after. */
function sourceEnvironment(
  gitHome: string,
  networkEnv: Readonly<Record<string, string>>,
  keyFile: string,
): Record<string, string> {
  const ssh = [
    ...[
      "ssh",
      "-i",
      keyFile,
      "-F",
      "none",
      "-o",
      "IdentitiesOnly=yes",
      "-o",
      "IdentityAgent=none",
      "-o",
      "BatchMode=yes",
    ],
    ...["-o", "StrictHostKeyChecking=accept-new", "-o", `UserKnownHostsFile=${join(gitHome, "known_hosts")}`],
    ...["-o", `ConnectTimeout=${CONNECT_SECONDS}`, "-o", "ServerAliveInterval=10"],
  ];
  return {
    ...networkEnv,
    ...gitEnvironment(gitHome),
    GIT_SSH_COMMAND: ssh.map(quote).join(" "),
    GIT_ALLOW_PROTOCOL: "https:http:ssh:git:file",
  };
}
