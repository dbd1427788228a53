import { access, mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import type { SimpleGit } from "simple-git";
import { AppError } from "../../core/errors/app-error.js";
import { atLowPriority } from "../../core/exec/low-priority.js";
import { describeExit, runCommand, type Command, type User } from "../../core/exec/exec.js";
import { startPiped } from "../../core/exec/start-piped.js";
import { gitEnvironment } from "./git-environment.js";
import { gitIn } from "./git-in.js";
import { plainArgument } from "./plain-argument.js";
import { treeLinks } from "./tree-links.js";

/** Where git keeps objects that a push brought but that no ref names yet (githooks(5), pre-receive). */
export type Quarantine = Readonly<Record<string, string>>;

/** An app's bare repository. */
export class Repository {
  private readonly git: SimpleGit;
  private readonly env: Readonly<Record<string, string>>;

  constructor(
    private readonly path: string,
    gitHome: string,
    quarantine: Quarantine = {},
  ) {
    this.env = { ...gitEnvironment(gitHome), ...quarantine };
    this.git = gitIn(path, this.env);
  }

  /** Makes the repository unless it is there. */
  static async ensure(path: string, gitHome: string): Promise<void> {
    const isThere = await access(`${path}/HEAD`).then(
      () => true,
      () => false,
    );
    if (isThere) return;
    // The app's own user passes through its folder, but has no business in the repository.
    await mkdir(dirname(path), { recursive: true, mode: 0o711 });
    await mkdir(path, { recursive: true, mode: 0o700 });
    await gitIn(path, gitEnvironment(gitHome)).init(true, ["--quiet", "--initial-branch=master"]);
  }

  /** The commit a branch points to, or undefined. */
  async head(branch: string): Promise<string | undefined> {
    const commit = await this.git.revparse(["--verify", "--quiet", `refs/heads/${branch}`]);
    return commit === "" ? undefined : commit;
  }

  /** The names of all branches. */
  async branches(): Promise<string[]> {
    // Not `branch`, which leaves out one whose commit cannot be read: it would be taken for deleted.
    const names = await this.git.raw("for-each-ref", "--format=%(refname:lstrip=2)", "refs/heads/");
    return names.split("\n").filter((name) => name !== "");
  }

  /** Moves a branch, or makes it. */
  async setHead(branch: string, commit: string): Promise<void> {
    // simple-git has no call for update-ref, here and below.
    await this.git.raw("update-ref", "--", `refs/heads/${branch}`, plainArgument(commit));
  }

  /** Removes a branch; one that is not there is no error. */
  async removeHead(branch: string): Promise<void> {
    if ((await this.head(branch)) !== undefined) await this.removeRef(`refs/heads/${branch}`);
  }

  /**
   * Branches that `branch` cannot stand beside: git keeps `feature/login` in a folder `feature`, so one repository never
   * has both.
   */
  async headsInTheWayOf(branch: string): Promise<string[]> {
    return (await this.branches()).filter(
      (name) => name.startsWith(`${branch}/`) || branch.startsWith(`${name}/`),
    );
  }

  /** Removes a ref of any kind; one that is not there is no error. */
  async removeRef(ref: string): Promise<void> {
    await this.git.raw("update-ref", "-d", "--", plainArgument(ref));
  }

  /** Whether `commit` is there and can be reached from `ref`. */
  async reaches(ref: string, commit: string): Promise<boolean> {
    // `branch --contains` knows branches alone, and this is also asked about what was fetched.
    const found = await this.git
      .raw("for-each-ref", "--format=%(refname)", `--contains=${commit}`, "--", plainArgument(ref))
      .catch(() => "");
    return found.trim() !== "";
  }

  /** `commit`, `tag`, `tree` or `blob`. */
  async typeOf(object: string): Promise<string> {
    return (await this.git.catFile(["-t", plainArgument(object)])).trim();
  }

  /** The first paragraph of its message, the first 1000 columns of that. */
  async subject(commit: string): Promise<string> {
    // Not `log`, whose answer simple-git splits at a character that a subject may contain.
    const format = "--format=%<(1000,trunc)%s";
    return (await this.git.show(["--no-patch", format, plainArgument(commit)])).trim();
  }

  /**
   * Throws `tree-link-outside` for a link that leads out of the tree, by an absolute path or by too many `..`, and
   * `tree-too-large`, `tree-path-too-long`, `tree-link-too-long` for what a commit may not have.
   */
  async refuseUnfitTree(commit: string): Promise<void> {
    const links = await treeLinks({ path: this.path, env: this.env }, plainArgument(commit));
    for (const [path, target] of links) {
      if (leadsOutside(path, links)) throw new AppError("tree-link-outside", { path, target });
    }
  }

  /** Writes a commit's files into a folder that `user` owns, without the history. */
  async extract(commit: string, folder: string, user: User | undefined, signal: AbortSignal): Promise<void> {
    const archive = startPiped({
      argv: ["git", "-C", this.path, "archive", "--format=tar", plainArgument(commit)],
      env: this.env,
    });
    archive.stdin.destroy();
    const complaints: string[] = [];
    archive.stderr.on("data", (chunk: Buffer) => complaints.push(chunk.toString()));
    const archived = new Promise<number | null>((resolve, reject) =>
      archive.once("exit", resolve).once("error", reject),
    );
    archived.catch(() => undefined);
    const tar: Command = {
      argv: atLowPriority(["tar", "-x", "-f", "-", "-C", folder, "--no-same-owner"]),
      env: { PATH: this.env["PATH"] ?? "" },
      ...(user === undefined ? {} : { user }),
    };
    // On success git ends by itself, and how it ended counts: ended by us it would seem to have failed.
    const exit = await runCommand(tar, {
      signal,
      input: archive.stdout,
      onLine: (line) => complaints.push(line),
    }).catch((error: unknown) => {
      archive.kill();
      throw error;
    });
    if (exit.status !== 0) {
      archive.kill();
      throw new Error(`tar failed (${describeExit(exit)}): ${complaints.slice(0, 3).join(" ")}`);
    }
    if ((await archived) !== 0) throw new Error(`git archive failed: ${complaints.slice(0, 3).join(" ")}`);
  }
}

const MOST_LINKS = 40;

/** Follows a path of a tree as the kernel does (path_resolution(7)), over every link on the way. One that turns in a circle leads nowhere. */
function leadsOutside(path: string, links: ReadonlyMap<string, string>): boolean {
  const reached: string[] = [];
  const ahead = path.split("/");
  for (let followed = 0; ahead.length > 0 && followed <= MOST_LINKS;) {
    const name = ahead.shift() ?? "";
    if (name === "" || name === ".") continue;
    if (name === "..") {
      if (reached.pop() === undefined) return true;
      continue;
    }
    const target = links.get([...reached, name].join("/"));
    if (target === undefined) {
      reached.push(name);
      continue;
    }
    if (target.startsWith("/")) return true;
    ahead.unshift(...target.split("/"));
    followed++;
  }
  return false;
}
