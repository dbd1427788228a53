import { createHash } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { AppError } from "../../../core/errors/app-error.js";
import type { DockerCli } from "../../engines/docker-cli.js";
import { describeExit } from "../../../core/exec/exec.js";
import type { Artifact } from "../../../core/records/releases/artifact.js";
import { makeSecret } from "../../../core/secrets.js";
import type { PlacedProgram } from "../../engines/engine.js";
import type { ReleaseImages } from "../image/release-images.js";
import { buildZone } from "../build-zone.js";
import type { BuildWork } from "../build-work.js";
import type { Dockerfile } from "./dockerfile.js";
import { imageProgram, parseImageConfig } from "./image-program.js";

export interface DockerfileImagesOptions {
  readonly docker: DockerCli;
  /** Of this Sluice, among those that use this Docker. */
  readonly owner: string;
  /** What the names of the registry's images begin with: `HOST:PORT/PREFIX`. */
  readonly place: string;
  /** Holds nothing but `busybox`, which each image gets. */
  readonly added: string;
  /** For files that are gone when the build is. */
  readonly scratch: string;
  /** Of the registry. */
  readonly images: Pick<ReleaseImages, "whilePushing" | "referenceOf" | "tagOf" | "checkPush">;
}

/** What a build is given besides its files. */
export interface BuildGifts {
  /** Stage; undefined for the last one. */
  readonly target: string | undefined;
  /** A build sees each as a file, where its Dockerfile asks for it (`RUN --mount=type=secret,id=NAME`). */
  readonly secrets: Readonly<Record<string, string>>;
}

/** BuildKit takes these as build arguments without an ARG, and keeps them out of the image. */
const PROXY = /^(?:https?|no|all|ftp)_proxy$/i;
/** What BuildKit prints for other programs than people. */
const NOISE = /^$|^#\d+ sha256:/;
/** Newer versions call it `--reserved-space`, and know the former name. */
const KEPT_CACHE = "--keep-storage=10GB";
const NAME_LENGTH = 32;
const FOLDER_IN_IMAGE = "/.sluice";

/** Images that the apps' own Dockerfiles describe, built by BuildKit on this host. */
export class DockerfileImages {
  private readonly secret = makeSecret();

  private constructor(private readonly options: DockerfileImagesOptions) {}

  /** Clears away what an earlier server was building. */
  static async open(options: DockerfileImagesOptions): Promise<DockerfileImages> {
    const { docker, owner, scratch } = options;
    await rm(scratch, { recursive: true, force: true });
    const found = await docker.output(["image", "ls", "--format", REFERENCE, `sluice-${owner}/*`], "own");
    const references = found.split("\n").filter(Boolean);
    if (references.length > 0) await docker.output(["image", "rm", "--force", ...references], "own");
    return new DockerfileImages(options);
  }

  /**
   * Builds a stage of the release's Dockerfile. The image is this host's alone, until `publish`, and of no use to anybody after
   * `forget`. Throws `dockerfile-failed`, `docker-failed`.
   */
  async build(
    work: BuildWork,
    dockerfile: Dockerfile,
    { target, secrets }: BuildGifts,
    signal: AbortSignal,
  ): Promise<PlacedProgram> {
    const { app, record, tools, out } = work;
    const { docker, scratch } = this.options;
    const tree = tools.home.tree(app.name, record.number);
    const reference = `${this.localName(record)}:${target?.toLowerCase() ?? "image"}`;
    await inScratch(scratch, async (folder) => {
      const secretArgs = await writtenSecrets(folder, secrets);
      const args = [
        ...["build", "--progress", "plain", "--file", join(tree, dockerfile.path), "--tag", reference],
        ...(target === undefined ? [] : ["--target", target]),
        ...Object.entries(buildArguments(work, dockerfile)).flatMap(([key, value]) => [
          "--build-arg",
          `${key}=${value}`,
        ]),
        ...secretArgs,
        tree,
      ];
      const onLine = (line: string): void => {
        if (!NOISE.test(line)) out.line(line);
      };
      const running = docker.run(args, "foreign", { signal, onLine });
      const exit = await out.alive("docker build", running);
      if (exit.status !== 0)
        throw new AppError("dockerfile-failed", { path: dockerfile.path, status: describeExit(exit) });
    });
    const config = await docker.output(
      ["image", "inspect", "--format", "{{json .Config}}", reference],
      "own",
    );
    const { program, remarks } = imageProgram(parseImageConfig(config), dockerfile.port);
    for (const remark of remarks) out.line(remark);
    return { kind: "program", reference, program };
  }

  /** Gives an image what instances need besides, and sends it to the registry. Throws `docker-failed`. */
  async publish(
    { app, record, out }: BuildWork,
    { reference, program }: PlacedProgram,
    signal: AbortSignal,
  ): Promise<Artifact> {
    const { docker, place, added, scratch, images } = this.options;
    const tag = images.tagOf(record.number);
    const name = `${place}/${app.name}:${tag}`;
    await inScratch(scratch, async (folder) => {
      const file = join(folder, "Dockerfile");
      await writeFile(file, completed(reference, program));
      await docker.output(["build", "--quiet", "--file", file, "--tag", name, added], "own", signal);
    });
    const pushed = images.whilePushing(app.name, async () => {
      // It says why a registry takes nothing better than Docker does.
      await images.checkPush(app.name, signal);
      await docker.output(["push", "--quiet", name], "own", signal);
      return images.referenceOf(app.name, tag, signal);
    });
    // Any app's FROM could name it as long as it is here; the registry asks for a password.
    const image = await pushed.finally(async () => docker.output(["image", "rm", "--force", name], "own"));
    if (image === undefined)
      throw new AppError("docker-failed", {
        command: "push",
        reason: "the registry does not have the image",
      });
    const [, digest = ""] = image.split("@sha256:");
    out.line(`image ${digest.slice(0, 12)}`);
    return { kind: "dockerfile", image, program };
  }

  /**
   * What `build` has made is no longer needed. BuildKit keeps what the next build can use of it. What cannot be removed now is
   * removed at the next start.
   */
  async forget(work: Pick<BuildWork, "app" | "record" | "tools">): Promise<void> {
    await this.forgetNow(work).catch((error: unknown) =>
      work.tools.log.warn({ err: error, app: work.app.name }, "could not remove what a build has left"),
    );
  }

  private async forgetNow({ record }: Pick<BuildWork, "record">): Promise<void> {
    const { docker } = this.options;
    const found = await docker.output(["image", "ls", "--format", REFERENCE, this.localName(record)], "own");
    const references = found.split("\n").filter(Boolean);
    if (references.length > 0) await docker.output(["image", "rm", ...references], "own");
  }

  /** BuildKit keeps what builds may use again: no more than so much of it stays, what was used last. Throws `docker-failed`. */
  async collect(signal: AbortSignal): Promise<void> {
    await this.options.docker.output(["builder", "prune", "--force", KEPT_CACHE], "own", signal);
  }

  /** The same when the disk is full: the next builds make it again. Throws `docker-failed`. */
  async emptyCache(): Promise<void> {
    await this.options.docker.output(["builder", "prune", "--all", "--force"], "own");
  }

  /** Of a build alone, and nothing that another app could name in its FROM. */
  private localName({ app, number }: BuildWork["record"]): string {
    const hash = createHash("sha256").update(`${this.secret} ${app} ${number}`).digest("hex");
    return `sluice-${this.options.owner}/${hash.slice(0, NAME_LENGTH)}`;
  }
}

const REFERENCE = "{{.Repository}}:{{.Tag}}";

async function inScratch(scratch: string, act: (folder: string) => Promise<void>): Promise<void> {
  await mkdir(scratch, { recursive: true, mode: 0o700 });
  const folder = await mkdtemp(join(scratch, "build-"));
  await act(folder).finally(async () => rm(folder, { recursive: true, force: true }));
}

/** Only the build that asks for one gets it, and no image holds it. */
async function writtenSecrets(folder: string, secrets: Readonly<Record<string, string>>): Promise<string[]> {
  const args: string[] = [];
  for (const [name, value] of Object.entries(secrets)) {
    const file = join(folder, name);
    await writeFile(file, value, { mode: 0o600 });
    args.push("--secret", `id=${name},src=${file}`);
  }
  return args;
}

function buildArguments(
  { app, record, tools }: BuildWork,
  { args }: Dockerfile,
): Readonly<Record<string, string>> {
  const proxies = Object.entries(tools.networkEnv).filter(([name]) => PROXY.test(name));
  return {
    ...Object.fromEntries(proxies),
    GIT_REV: record.commit,
    ...args,
    // Builds of one app and zone share their cache mounts with each other alone.
    BUILDKIT_CACHE_MOUNT_NS: `${app.name}-${buildZone(record)}`,
  };
}

/** A commit of a container has lost how its image starts. */
function completed(reference: string, { entrypoint, command }: PlacedProgram["program"]): string {
  return [
    `FROM ${reference}`,
    `COPY busybox ${FOLDER_IN_IMAGE}/busybox`,
    `ENTRYPOINT ${JSON.stringify(entrypoint)}`,
    `CMD ${JSON.stringify(command)}`,
    "",
  ].join("\n");
}
