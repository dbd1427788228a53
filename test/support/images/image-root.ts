import { execa } from "execa";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { IMAGE_PATH } from "../../../server/builds/image/image-path.js";
import { ask } from "../network/ask.js";
import { eventually } from "../eventually.js";
import type { HttpAnswer } from "../running/test-sluice.js";
import type { PushedImage } from "./pushed-image.js";

/** An image as a container has it: its layers one above the other, which nobody may write, and its user. */
export class ImageRoot {
  private constructor(
    readonly folder: string,
    private readonly image: PushedImage,
  ) {}

  /** In `folder`, which is made. Needs root, and bwrap for `run`. */
  static async unpack(image: PushedImage, folder: string): Promise<ImageRoot> {
    await mkdir(folder);
    for (const { file } of image.layers) await execa("tar", ["-xpzf", file, "-C", folder]);
    // A container's own ones.
    for (const name of ["dev", "proc", "tmp"]) await mkdir(join(folder, name), { recursive: true });
    return new ImageRoot(folder, image);
  }

  /** Runs a line for `sh -c` to its end. */
  async run(
    command: string,
    env: Readonly<Record<string, string>> = {},
  ): Promise<{ status: number; said: string }> {
    const { exitCode = -1, all } = await this.begin(command, env);
    return { status: exitCode, said: all };
  }

  /** What a server in it answers to a request; then it is ended. `PORT` is in its environment. */
  async answer(command: string, port: number, path = "/"): Promise<HttpAnswer> {
    const running = this.begin(`exec ${command}`, { PORT: String(port) });
    let ended: string | undefined;
    void running.then(({ all }) => (ended = all));
    try {
      return await eventually(
        () => `it answers; ${ended ?? "it runs"}`,
        async () => ask(`127.0.0.1:${port}`, { path }),
      );
    } finally {
      running.kill("SIGKILL");
      await running;
    }
  }

  private begin(command: string, env: Readonly<Record<string, string>>) {
    const [uid = "", gid = ""] = this.image.user.split(":");
    const user = ["setpriv", `--reuid=${uid}`, `--regid=${gid}`, "--clear-groups"];
    const mounts = ["--ro-bind", this.folder, "/", "--dev", "/dev", "--proc", "/proc", "--tmpfs", "/tmp"];
    const rights = ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"];
    const own = ["--unshare-pid", "--die-with-parent", "--chdir", this.image.workingFolder];
    return execa("bwrap", [...mounts, ...rights, ...own, "--", ...user, "sh", "-c", command], {
      env: { PATH: IMAGE_PATH, HOME: this.image.workingFolder, LANG: "C.UTF-8", ...env },
      extendEnv: false,
      reject: false,
      all: true,
    });
  }
}

/** Whether this machine can run what is in an image; else the reason. */
export async function cannotRunImages(): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return "only root can unpack an image";
  for (const program of ["bwrap", "mmdebstrap"]) {
    const { failed } = await execa(program, ["--version"], { reject: false });
    if (failed) return `${program} is not installed`;
  }
  return undefined;
}
