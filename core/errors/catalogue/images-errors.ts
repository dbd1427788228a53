import { entry, printable } from "../catalogue-entry.js";

/** Images and the registry that keeps them. */
export const imagesErrors = {
  "layer-name-invalid": entry<{ path: string; problem: string }>(
    422,
    ({ path, problem }) => `An image cannot hold the file ${printable(path)}: its name ${problem}.`,
    () => "Rename it, or remove it in the build. Then commit and push again.",
  ),
  "layer-path-too-long": entry<{ path: string; most: number }>(
    422,
    ({ path, most }) => `A path in the release is longer than ${most} bytes: ${printable(path)}`,
    () => "Make the build write to fewer or shorter folders. Then commit and push again.",
  ),
  "layer-tree-changed": entry<{ path: string }>(
    500,
    ({ path }) => `${printable(path)} changed while it was copied to an image.`,
    () => "Push again. If this happens again, please report it.",
    true,
  ),
  "base-image-failed": entry<{ command: string; reason: string }>(
    502,
    ({ command, reason }) => `The base image could not be made: ${command}: ${reason}`,
    () =>
      "Sluice must run as root, with mmdebstrap installed, and apt-get must reach Debian's packages on this machine.",
    true,
  ),
  "image-python-foreign": entry<{ folder: string }>(
    422,
    ({ folder }) =>
      `The Python environment in .venv was made with the python3 in ${printable(folder)}, which no image has.`,
    () =>
      "Images have Debian's python3. Make /usr/bin/python3 the first on the PATH that Sluice is started with, or do not commit .venv. Then push again.",
  ),
  "registry-unreachable": entry<{ address: string; reason: string }>(
    503,
    ({ address, reason }) => `The image registry ${address} does not answer (${reason}).`,
    () => "Running instances keep serving. Try again in a moment.",
    true,
  ),
  "registry-untrusted": entry<{ address: string; reason: string }>(
    502,
    ({ address, reason }) => `The certificate of the image registry ${address} is not trusted: ${reason}.`,
    () =>
      "Another program may listen there. The certificate of an outside registry must be for this address, and of a public authority or the one in fleet.registry.caFile.",
  ),
  "registry-login-refused": entry<{ address: string }>(
    502,
    ({ address }) => `The image registry ${address} refused Sluice's user or password.`,
    () =>
      "Those of an outside registry are fleet.registry.user and SLUICE_REGISTRY_PASSWORD; Sluice's own one has its password in registry/password of the state folder.",
  ),
  "registry-forbidden": entry<{ address: string; scope: string }>(
    502,
    ({ address, scope }) =>
      `The image registry ${address} knows Sluice's user, but does not allow: ${printable(scope)}`,
    () => "Give fleet.registry.user the right to pull and push below the path in fleet.registry.address.",
  ),
  "registry-repository-missing": entry<{ address: string; repository: string }>(
    502,
    ({ address, repository }) => `The image registry ${address} has no repository ${printable(repository)}.`,
    () =>
      "It makes none by itself, or has no such project. Create it there, or correct the path in fleet.registry.address.",
  ),
  "registry-quota-reached": entry<{ address: string; reason: string }>(
    507,
    ({ address, reason }) => `The quota of the image registry ${address} is used up: ${printable(reason)}`,
    () => "Running instances keep serving. Delete images there or raise the quota, then push again.",
  ),
  "registry-full": entry<{ address: string }>(
    507,
    ({ address }) => `The disk of the image registry ${address} is full.`,
    () => "Running instances keep serving. Free some space there and push again.",
    true,
  ),
  "registry-failed": entry<{ address: string; request: string; status: number; reason: string }>(
    502,
    ({ address, request, status, reason }) =>
      `The image registry ${address} answered ${request} with ${status}: ${printable(reason)}`,
    () =>
      "Push again. If this happens again, see the registry's own log: of Sluice's it is logs/registry in the state folder.",
    true,
  ),
  "docker-failed": entry<{ command: string; reason: string }>(
    502,
    ({ command, reason }) => `docker ${command} failed: ${printable(reason)}`,
    () => "Running instances keep serving. See whether `docker info` works on this machine, then push again.",
    true,
  ),
  "dockerfile-failed": entry<{ path: string; status: string }>(
    422,
    ({ path, status }) => `The build failed: ${printable(path)} (${status}).`,
    () =>
      "Its output is above. To reproduce it, run `docker build .` in a fresh clone. What ran before keeps running.",
  ),
  "dockerfile-starts-nothing": entry<{ path: string }>(
    422,
    ({ path }) =>
      `${printable(path)} has neither CMD nor ENTRYPOINT, and no Procfile says how to start the app.`,
    () => "Add a CMD to it, commit and push again.",
  ),
  "image-lost": entry<{ release: string; image: string }>(
    409,
    ({ release, image }) => `The image of ${release} is no longer in the registry (${image}).`,
    () => "Sluice cannot rebuild it, as the app's own Dockerfile made it. Push that commit again.",
  ),
} as const;
