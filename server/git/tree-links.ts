import { AppError } from "../../core/errors/app-error.js";
import { gitBytes, type GitRepository } from "./git-bytes.js";

/** Files and links that one commit may have. */
export const MOST_FILES = 500_000;
/** Symbolic links that one commit may have. */
export const MOST_LINKS = 10_000;
/** Of a path within the tree: by 4096 bytes a program reaches no file, and the folder of the release comes before it. */
export const LONGEST_PATH_BYTES = 2048;
/** Of a symbolic link's target: the kernel's own limit (PATH_MAX, symlink(2)). Git has none. */
export const LONGEST_TARGET_BYTES = 4096;

/**
 * Symbolic links of a commit: path → target. What git says is read as it comes: a few objects can make a tree of any number
 * of files, and a target of any length. Throws `tree-too-large`, `tree-path-too-long`, `tree-link-too-long`.
 */
export async function treeLinks(repository: GitRepository, commit: string): Promise<Map<string, string>> {
  const links = await linkObjects(repository, commit);
  if (links.size === 0) return new Map();
  await refuseLongTargets(repository, links);
  const targets = await targetsOf(repository, new Set(links.values()));
  return new Map([...links].map(([path, object]) => [path, targets.get(object) ?? ""]));
}

/** Path → the blob that has the target. */
async function linkObjects(repository: GitRepository, commit: string): Promise<Map<string, string>> {
  const links = new Map<string, string>();
  let files = 0;
  const tree = gitBytes(repository, ["ls-tree", "-r", "-z", "--full-tree", commit]);
  for await (const entry of zeroTerminated(tree)) {
    if (++files > MOST_FILES) throw new AppError("tree-too-large", { what: "files", most: MOST_FILES });
    const tab = entry.indexOf("\t");
    if (entry.length - tab - 1 > LONGEST_PATH_BYTES) {
      const path = entry.toString("utf8", tab + 1);
      throw new AppError("tree-path-too-long", { path, most: LONGEST_PATH_BYTES });
    }
    const [mode, , object = ""] = entry.toString("utf8", 0, tab).split(" ");
    if (mode !== "120000") continue;
    links.set(entry.toString("utf8", tab + 1), object);
    if (links.size > MOST_LINKS)
      throw new AppError("tree-too-large", { what: "symbolic links", most: MOST_LINKS });
  }
  return links;
}

async function refuseLongTargets(
  repository: GitRepository,
  links: ReadonlyMap<string, string>,
): Promise<void> {
  const objects = new Set(links.values());
  const format = "--batch-check=%(objectname) %(objectsize)";
  const chunks: Buffer[] = [];
  for await (const chunk of gitBytes(repository, ["cat-file", format], asLines(objects))) chunks.push(chunk);
  const long = new Set<string>();
  for (const line of Buffer.concat(chunks).toString("utf8").split("\n")) {
    const [object = "", size = ""] = line.split(" ");
    if (Number(size) > LONGEST_TARGET_BYTES) long.add(object);
  }
  for (const [path, object] of links)
    if (long.has(object)) throw new AppError("tree-link-too-long", { path, most: LONGEST_TARGET_BYTES });
}

/** Object → target. git-cat-file(1), `--batch`: `OBJECT TYPE SIZE`, a line feed, the contents, a line feed. */
async function targetsOf(
  repository: GitRepository,
  objects: ReadonlySet<string>,
): Promise<Map<string, string>> {
  const chunks: Buffer[] = [];
  for await (const chunk of gitBytes(repository, ["cat-file", "--batch"], asLines(objects)))
    chunks.push(chunk);
  const answer = Buffer.concat(chunks);
  const targets = new Map<string, string>();
  for (let at = 0; at < answer.length;) {
    const end = answer.indexOf("\n", at);
    const [object = "", type, size = ""] = answer.toString("utf8", at, end).split(" ");
    if (type !== "blob") throw new Error(`git cannot read the object ${object} of a symbolic link`);
    const from = end + 1;
    targets.set(object, answer.toString("utf8", from, from + Number(size)));
    at = from + Number(size) + 1;
  }
  return targets;
}

function* asLines(objects: Iterable<string>): Generator<string> {
  for (const object of objects) yield `${object}\n`;
}

/** What comes before each zero byte. One that has become too long is passed on as it is, to be refused. */
async function* zeroTerminated(stream: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let rest = Buffer.alloc(0);
  for await (const chunk of stream) {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let start = 0;
    for (let end = bytes.indexOf(0); end >= 0; end = bytes.indexOf(0, start)) {
      yield bytes.subarray(start, end);
      start = end + 1;
    }
    rest = Buffer.from(bytes.subarray(start));
    if (rest.length > 2 * LONGEST_PATH_BYTES) yield rest;
  }
}
