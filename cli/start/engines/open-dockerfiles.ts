import { chmod, copyFile, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { AppError } from "../../../core/errors/app-error.js";
import { DockerCli } from "../../../server/engines/docker-cli.js";
import { captureCommand } from "../../../core/exec/exec.js";
import { ownerMark } from "../../../core/instances/control-group.js";
import { DockerfileImages } from "../../../server/builds/dockerfile/dockerfile-images.js";
import type { ReleaseImages } from "../../../server/builds/image/release-images.js";
import { registryPlace, type RegistryAccess } from "../../../server/builds/image/registry/registry-access.js";
import { ContainerTasks } from "../../../server/engines/swarm/container-tasks.js";
import { findProgram } from "../checks/find-program.js";
import type { RoleOptions } from "../roles/role.js";
import type { OpenedEngine } from "./opened-engine.js";
import { DOCKER_SOCKET } from "./swarm-parts.js";

export interface DockerfileParts {
  readonly images: ReleaseImages;
  readonly registry: RegistryAccess;
}

/** What builds and runs the images that the apps' own Dockerfiles describe. Throws `swarm-unfit`. */
export async function openDockerfiles(
  { context: { home, path, networkEnv }, id }: RoleOptions,
  { images, registry }: DockerfileParts,
): Promise<Required<Pick<OpenedEngine, "dockerfiles" | "tasksOf">>> {
  const { address, user: username, password } = registry;
  const owner = ownerMark(id);
  const docker = await DockerCli.open({
    ...{ socket: DOCKER_SOCKET, folder: home.docker("settings"), path, networkEnv },
    login: { username, password, serveraddress: address },
  });
  const added = home.docker("added");
  const shell = await addShell(added, path);
  const dockerfiles = await DockerfileImages.open({
    ...{ docker, owner, place: registryPlace(registry), added, images, scratch: home.docker("scratch") },
  });
  return { dockerfiles, tasksOf: (local) => new ContainerTasks({ docker, local, owner, shell }) };
}

/** A copy of the machine's busybox, which images get. */
async function addShell(folder: string, path: string): Promise<string> {
  const program = (await findProgram("busybox", path)) ?? "busybox";
  // It says that there is nothing to list, and fails, for a program that is linked statically (ldd(1)).
  const { exit } = await captureCommand({ argv: ["ldd", program], env: { PATH: path } });
  if (exit.status === 0)
    throw new AppError("swarm-unfit", {
      problem: `${program} needs shared libraries, which the images of apps may not have`,
      fix: "Install the one that needs none: apt-get install busybox-static.",
    });
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const shell = join(folder, "busybox");
  await copyFile(program, shell);
  await chmod(shell, 0o755);
  return shell;
}
