import { createHash } from "node:crypto";
import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import { unlessAborted } from "../../../core/async/unless-aborted.js";
import { AppError, isAppError } from "../../../core/errors/app-error.js";
import { runCommand } from "../../../core/exec/exec.js";
import { atLowPriority } from "../../../core/exec/low-priority.js";
import { removeTree } from "../../../core/files/remove-tree.js";
import { branchOfRef } from "../../../core/names.js";
import { gitConfig, STREAMED_BLOBS } from "../../git/git-config.js";
import { gitEnvironment } from "../../git/git-environment.js";
import { refuseFullDisk, watchDisk } from "../../pipeline/disk-space.js";
import type { WebhooksNeeds } from "../needs.js";
import type { Webhook } from "../webhook-store.js";
import { withKeyFile } from "./key-file.js";
import { reachSource, sshCommand, type SourceWay } from "./reach-source.js";
import { shownSource } from "./source-address.js";
import { SourceLimits, type SourceLimitsOptions } from "./source-limits.js";

const HEADS_TIMEOUT_MS = 30_000;
const FETCH_TIMEOUT_MS = 300_000;
const MEGABYTE = 1024 * 1024;
/** Branches that a source may have: each that is new is looked at, and its name is kept. */
export const MOST_SOURCE_BRANCHES = 1000;

type SourceTools = Pick<WebhooksNeeds, "home" | "networkEnv" | "settings">;

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
    const lines = await this.git(webhook, (url) => ["git", "ls-remote", "--heads", "--", url], {
      signal,
      timeoutMs: HEADS_TIMEOUT_MS,
      mostLines: MOST_SOURCE_BRANCHES,
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
    await refuseFullDisk(this.tools);
    const disk = watchDisk(this.tools);
    try {
      await this.git(
        webhook,
        // Git has no limit of its own for what it fetches. All of it comes in one file (`fetch.unpackLimit`).
        (url) => [
          "prlimit",
          ...[`--fsize=${this.largestFetch}`, "--"],
          ...["git", "-C", repository, "fetch", ...flags, "--", url, into],
        ],
        { signal: AbortSignal.any([signal, disk.full]), timeoutMs: FETCH_TIMEOUT_MS },
      );
    } catch (error) {
      const bytes = await removeHalfFetched(repository);
      if (isAppError(error, "source-unreachable") && bytes >= this.largestFetch)
        throw new AppError("source-too-large", { megabytes: this.tools.settings.limits.pushMegabytes });
      throw error;
    } finally {
      disk.stop();
    }
    return head;
  }

  private get largestFetch(): number {
    return this.tools.settings.limits.pushMegabytes * MEGABYTE;
  }

  /** Runs one git command on the source when its host's turn has come; the timeout counts from then. */
  private async git(
    webhook: Webhook,
    args: (url: string) => [string, ...string[]],
    options: GitOptions,
  ): Promise<string[]> {
    const { app, source } = webhook;
    if (source === undefined) throw new AppError("source-missing", { app });
    return this.limits.run(source, options.signal, async () =>
      runGit(this.tools, { ...webhook, source }, args, options),
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

interface GitOptions {
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
  /** More is no answer. */
  readonly mostLines?: number;
}

/** Not by simple-git, which would end git alone and not the ssh or helper that git has started. */
async function runGit(
  tools: SourceTools,
  { app, source, privateKey }: Webhook & { readonly source: string },
  args: (url: string) => [string, ...string[]],
  { signal, timeoutMs, mostLines = 1000 }: GitOptions,
): Promise<string[]> {
  const { home } = tools;
  const lines: string[] = [];
  const refused = (reason: string): AppError =>
    new AppError("source-unreachable", { app, source: shownSource(source), reason });
  const deadline = AbortSignal.timeout(timeoutMs);
  const tooMany = new AbortController();
  const onLine = (line: string): void => {
    if (lines.length < mostLines) lines.push(line);
    else tooMany.abort(refused(`it has more than ${mostLines} branches`));
  };
  const stop = AbortSignal.any([signal, deadline, tooMany.signal]);
  try {
    const way = await unlessAborted(
      reachSource(source, tools).catch((error: unknown) => {
        throw isAppError(error) ? error : refused(messageOf(error));
      }),
      stop,
    );
    const exit = await withKeyFile(home, app, privateKey, async (keyFile) =>
      runCommand(
        {
          argv: atLowPriority(args(way.url)),
          cwd: home.root,
          env: sourceEnvironment(tools, way, keyFile),
        },
        { signal: stop, onLine },
      ),
    );
    if (exit.status !== 0) throw refused(reasonOf(lines) || "git failed");
    return lines;
  } catch (error) {
    if (deadline.aborted && !signal.aborted) throw refused(`no answer within ${timeoutMs / 1000} s`);
    throw error;
  }
}

function reasonOf(lines: readonly string[]): string {
  return lines
    .filter((line) => line.trim() !== "")
    .slice(0, 3)
    .join("; ");
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function sourceEnvironment(
  { home, networkEnv }: SourceTools,
  { protocol, config, env, ssh }: SourceWay,
  keyFile: string,
): Record<string, string> {
  return {
    ...networkEnv,
    ...gitEnvironment(home.gitHome()),
    ...env,
    ...gitConfig([...config, ["fetch.fsckObjects", "true"], ["fetch.unpackLimit", "1"], STREAMED_BLOBS]),
    GIT_SSH_COMMAND: sshCommand(keyFile, home.gitHome(), ssh),
    GIT_ALLOW_PROTOCOL: protocol,
  };
}

/**
 * A git that was ended (SIGXFSZ, for one) cannot do so itself, and what it fetched would stay for good. Returns the size of
 * the largest, in bytes.
 */
async function removeHalfFetched(repository: string): Promise<number> {
  const packs = join(repository, "objects/pack");
  const names = await readdir(packs).catch(() => []);
  let most = 0;
  // `tmp_pack_…` by index-pack, `pack-….pack.temp` by what reads plain files over HTTP.
  for (const name of names.filter((each) => each.startsWith("tmp_") || each.endsWith(".temp"))) {
    most = Math.max(most, (await lstat(join(packs, name))).size);
    await removeTree(join(packs, name));
  }
  return most;
}
